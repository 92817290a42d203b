"""Internal ensemble: an edge, a region and a multi-scale expert on channels of their own, weighted by attention and mixed.

Mixture of experts: Jacobs et al., Adaptive Mixtures of Local Experts, 1991, https://doi.org/10.1162/neco.1991.3.1.79;
the choice between branches by pooled features: Li et al., Selective Kernel Networks, CVPR 2019, https://arxiv.org/abs/1903.06586.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock
from nas.blocks.difference import DifferenceFilter
from nas.blocks.layers import conv_norm

TAPS = (9, 25, 18)
"""Weights a channel of the edge, region and multi-scale filter."""


class DilatedPair(nn.Module):
    """Sum of two 3 x 3 filters per channel, dilations 2 and 4."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(channels, channels, 3, padding=2, dilation=2, groups=channels, bias=False)
        self.far = nn.Conv2d(channels, channels, 3, padding=4, dilation=4, groups=channels, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        both: torch.Tensor = self.near(x) + self.far(x)
        return both

    def absorb(self, scale: torch.Tensor, shift: torch.Tensor) -> None:
        """Multiply and shift the output's channels from now on: what a norm behind it does in use."""
        for own in (self.near, self.far):
            own.weight = nn.Parameter(own.weight * scale.view(-1, 1, 1, 1))
        self.near.bias = nn.Parameter(shift)


class ExpertEnsemble(nn.Module):
    """Edge, region and multi-scale filters on reduced channels, weighted by attention over the three (https://arxiv.org/abs/1903.06586)."""

    def __init__(self, in_channels: int, out_channels: int, hidden: tuple[int, int, int]) -> None:
        super().__init__()
        edge, region, scales = hidden
        filters = (
            DifferenceFilter(edge, "central"),
            nn.Conv2d(region, region, 5, padding=2, groups=region, bias=False),
            DilatedPair(scales),
        )
        self.experts = nn.ModuleList(
            nn.Sequential(*conv_norm(in_channels, size), nn.ReLU(inplace=True), found, nn.BatchNorm2d(size), nn.ReLU(inplace=True))
            for size, found in zip(hidden, filters, strict=True)
        )
        self.score = nn.Conv2d(sum(hidden), 3, 1)
        self.mix = nn.Sequential(*conv_norm(sum(hidden), out_channels), nn.ReLU(inplace=True))

    def attention(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Weights of the three experts, (N, 3, 1, 1)."""
        pooled = torch.cat([features.mean((2, 3), keepdim=True) for features in maps], dim=1)
        return torch.softmax(self.score(pooled), dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        maps = [expert(x) for expert in self.experts]
        weights = self.attention(maps).chunk(3, dim=1)
        # One by one, so that each unweighted map can be freed.
        for index, weight in enumerate(weights):
            maps[index] = maps[index] * weight
        mixed: torch.Tensor = self.mix(torch.cat(maps, dim=1))
        return mixed


@dataclass(frozen=True)
class MultiExpert(WideBlock):
    """Edge, region and multi-scale experts.

    Attributes:
        width: Output channels.
        shares: How the experts share the channels, in the order edge, region, multi-scale.
    """

    kind: ClassVar[str] = "multi_expert"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"shares": ((1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2))}
    module: ClassVar[type[nn.Module]] = ExpertEnsemble

    shares: tuple[int, int, int] = (1, 1, 1)

    def hidden(self) -> tuple[int, int, int]:
        """Channels of each expert."""
        edge, region, scales = (max(1, self.width * share // sum(self.shares)) for share in self.shares)
        return edge, region, scales

    def params(self, in_shape: Shape) -> int:
        """Reductions, filters and their norms, scores with bias, and the mix."""
        hidden = self.hidden()
        experts = sum(conv_params(in_shape[0], h, 1) + taps * h + 2 * norm_params(h) for h, taps in zip(hidden, TAPS, strict=True))
        return experts + conv_params(sum(hidden), 3, 1, bias=True) + conv_params(sum(hidden), self.width, 1) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """At the input's size, the scores on one pixel."""
        hidden, pixels = self.hidden(), in_shape[1] * in_shape[2]
        filters = sum(taps * h for h, taps in zip(hidden, TAPS, strict=True)) * pixels
        mixes = conv_macs(in_shape[0], sum(hidden), 1, pixels) + conv_macs(sum(hidden), self.width, 1, pixels)
        return filters + mixes + conv_macs(sum(hidden), 3, 1, 1)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Reduced and filtered maps beside the input; then the dilated maps and their sum, attention, weighting, joining, mix."""
        (edge, region, scales), pixels = self.hidden(), in_shape[1] * in_shape[2]
        total = edge + region + scales
        weighting = total * pixels + max(2 * total, max(edge, region, scales) * pixels + 3)
        after = max((edge + region + 3 * scales) * pixels, weighting, (total + max(total, self.width)) * pixels)
        return max(2 * edge, edge + 2 * region, total) * pixels, after

    def sees_all(self) -> bool:
        """The attention pools the image."""
        return True

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `ExpertEnsemble`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "hidden": self.hidden()}
