"""Spatial squeeze block: two depthwise branches on halves of the channels, pooled to different sizes, joined at full size.

Park et al., SINet: Extreme Lightweight Portrait Segmentation Networks with Spatial Squeeze Modules, WACV 2020,
https://arxiv.org/abs/1911.09099
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params, strided
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm


class SqueezedFilter(nn.Module):
    """A 3 x 3 filter per channel on the image pooled by a factor, enlarged again; no norm, since the pooled map may be one pixel."""

    def __init__(self, channels: int, pool: int) -> None:
        super().__init__()
        self.pool = pool
        self.filter = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if self.pool == 1:
            same: torch.Tensor = self.filter(x)
            return same
        small = self.filter(F.avg_pool2d(x, self.pool, ceil_mode=True))
        # By the factor and cropped, not to the size: pixels of odd images stay where they were.
        large = F.interpolate(small, scale_factor=float(self.pool), mode="bilinear", align_corners=False)
        return large[..., : x.shape[-2], : x.shape[-1]]


class SpatialSqueeze(nn.Module):
    """1 x 1 reduction, two filters at pooled sizes on half of the channels each, joined (SINet, https://arxiv.org/abs/1911.09099).

    The input is added where it has as many channels as the output.
    """

    def __init__(self, in_channels: int, out_channels: int, pools: tuple[int, int]) -> None:
        super().__init__()
        self.reduce = nn.Sequential(*conv_norm(in_channels, out_channels), nn.ReLU(inplace=True))
        self.branches = nn.ModuleList(SqueezedFilter(out_channels // 2, pool) for pool in pools)
        self.norm = nn.BatchNorm2d(out_channels)
        self.residual = in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        halves = self.reduce(x).chunk(2, dim=1)
        y = self.norm(torch.cat([branch(half) for branch, half in zip(self.branches, halves, strict=True)], dim=1))
        return torch.relu(y + x if self.residual else y)

    def folded(self) -> "SpatialSqueeze":
        """The same without the norm, whose work the filters do: enlarging keeps what they multiply a channel by, and add to it."""
        made, norm = copy.deepcopy(self), self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = (norm.weight * (norm.running_var + norm.eps).rsqrt()).detach()
        shift = norm.bias.detach() - norm.running_mean * scale
        for branch, factor, bias in zip(made.branches, scale.chunk(2), shift.chunk(2), strict=True):
            assert isinstance(branch, SqueezedFilter)
            branch.filter.weight = nn.Parameter(branch.filter.weight.detach() * factor.view(-1, 1, 1, 1))
            branch.filter.bias = nn.Parameter(bias)
        made.add_module("norm", nn.Identity())
        return made


@dataclass(frozen=True)
class PooledBranches(WideBlock):
    """Spatial squeeze block.

    Attributes:
        width: Output channels, even.
        pools: Factor of each branch, the second more than 1.
    """

    kind: ClassVar[str] = "pooled_branches"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"pools": ((1, 2), (1, 4), (2, 4))}
    module: ClassVar[type[nn.Module]] = SpatialSqueeze
    keeps_input: ClassVar[bool] = True
    width_multiple: ClassVar[int] = 2

    pools: tuple[int, int] = (1, 2)

    def params(self, in_shape: Shape) -> int:
        """The reduction with its norm, nine weights a channel and the norm of both branches."""
        return conv_params(in_shape[0], self.width, 1) + 9 * self.width + 2 * norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """The reduction at the input's size, each branch at its own."""
        _, height, width = in_shape
        half = self.width // 2
        branches = sum(conv_macs(half, half, 3, strided(height, p) * strided(width, p), groups=half) for p in self.pools)
        return conv_macs(in_shape[0], self.width, 1, height * width) + branches

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Both branches' enlarged maps, before they are cropped, and their concatenation, beside the input."""
        _, height, width = in_shape
        enlarged = sum(strided(height, p) * p * strided(width, p) * p for p in self.pools)
        return self.width // 2 * enlarged + self.width * height * width, 0

    def extent(self) -> int:
        """Four pooled pixels: two between which it interpolates, and the filter's neighbours."""
        return 4 * max(self.pools)

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `SpatialSqueeze`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "pools": self.pools}
