"""Compact atrous spatial pyramid pooling: reduce, parallel depthwise dilated filters, image pooling, fuse, expand.

Chen et al., Rethinking Atrous Convolution for Semantic Image Segmentation (DeepLabv3), 2017, https://arxiv.org/abs/1706.05587,
made small by depthwise branches on reduced channels.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm

MIN_HIDDEN = 4
"""Fewest channels of a branch."""


class AtrousPyramid(nn.Module):
    """Depthwise dilated filters on reduced channels, optional image pooling, sum or concatenation (https://arxiv.org/abs/1706.05587)."""

    def __init__(self, in_channels: int, out_channels: int, hidden: int, rates: tuple[int, ...], pooling: bool, concat: bool) -> None:
        super().__init__()
        self.reduce = nn.Sequential(*conv_norm(in_channels, hidden), nn.ReLU(inplace=True))
        self.branches = nn.ModuleList(
            nn.Sequential(*conv_norm(hidden, hidden, 3, dilation=rate, groups=hidden), nn.ReLU(inplace=True)) for rate in rates
        )
        # No normalisation on the pooled vector: with a batch of one image it has one value a channel.
        self.pooled = nn.Sequential(nn.Conv2d(hidden, hidden, 1), nn.ReLU(inplace=True)) if pooling else None
        self.concat = concat
        parts = len(rates) + int(pooling)
        self.expand = nn.Sequential(*conv_norm(hidden * parts if concat else hidden, out_channels), nn.ReLU(inplace=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        x = self.reduce(x)
        parts = [branch(x) for branch in self.branches]
        if self.pooled is not None:
            parts.append(self.pooled(x.mean((2, 3), keepdim=True)).expand_as(x))
        fused = torch.cat(parts, dim=1) if self.concat else functools.reduce(torch.add, parts)
        expanded: torch.Tensor = self.expand(fused)
        return expanded


@dataclass(frozen=True)
class CompactASPP(WideBlock):
    """Compact atrous spatial pyramid pooling.

    Attributes:
        width: Output channels.
        ratio: Output channels per channel of a branch.
        rates: Dilations in pixels, one depthwise 3 x 3 branch each.
        pooling: Whether a branch pools the whole image.
        fuse: "sum" or "concat".
    """

    kind: ClassVar[str] = "aspp"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "ratio": (1, 2, 4),
        "rates": ((1, 2), (1, 2, 4), (1, 3, 6)),
        "pooling": (False, True),
        "fuse": ("sum", "concat"),
    }
    module: ClassVar[type[nn.Module]] = AtrousPyramid

    ratio: int = 2
    rates: tuple[int, ...] = (1, 2, 4)
    pooling: bool = True
    fuse: str = "sum"

    def hidden(self) -> int:
        """Channels of a branch."""
        return max(MIN_HIDDEN, self.width // self.ratio)

    def _fused(self) -> int:
        parts = len(self.rates) + int(self.pooling)
        return self.hidden() * parts if self.fuse == "concat" else self.hidden()

    def params(self, in_shape: Shape) -> int:
        """Reduction, branches, pooled mix and expansion."""
        hidden = self.hidden()
        reduce = conv_params(in_shape[0], hidden, 1) + norm_params(hidden)
        branches = len(self.rates) * (conv_params(hidden, hidden, 3, groups=hidden) + norm_params(hidden))
        pooled = conv_params(hidden, hidden, 1, bias=True) if self.pooling else 0
        return reduce + branches + pooled + conv_params(self._fused(), self.width, 1) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """At the input's size, the pooled mix on one pixel."""
        hidden, pixels = self.hidden(), in_shape[1] * in_shape[2]
        branches = len(self.rates) * conv_macs(hidden, hidden, 3, pixels, groups=hidden)
        pooled = conv_macs(hidden, hidden, 1, 1) if self.pooling else 0
        return conv_macs(in_shape[0], hidden, 1, pixels) + branches + pooled + conv_macs(self._fused(), self.width, 1, pixels)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The reduced map beside the input; then reduced map, all branches and their fusion; then fusion and output."""
        hidden, pixels, branches = self.hidden(), in_shape[1] * in_shape[2], len(self.rates)
        fusing = branches * hidden + max(hidden, self._fused() if self.fuse == "concat" else 0)
        vector = hidden if self.pooling else 0
        return hidden * pixels, max(fusing * pixels + vector, (self._fused() + self.width) * pixels)

    def extent(self) -> int:
        """Of the widest branch."""
        return 1 + 2 * max(self.rates)

    def sees_all(self) -> bool:
        """Where it pools."""
        return self.pooling

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `AtrousPyramid`."""
        return {
            "in_channels": in_shape[0],
            "out_channels": self.width,
            "hidden": self.hidden(),
            "rates": self.rates,
            "pooling": self.pooling,
            "concat": self.fuse == "concat",
        }
