"""Pixel difference convolution: a 3 x 3 or 5 x 5 filter per channel that sees differences of pixels only, then a 1 x 1 mix.

Su et al., Pixel Difference Networks for Efficient Edge Detection (PiDiNet), ICCV 2021, https://arxiv.org/abs/2108.07009;
the central difference: Yu et al., Searching Central Difference Convolutional Networks, CVPR 2020, https://arxiv.org/abs/2003.04092.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm


class DifferenceFilter(nn.Module):
    """A filter per channel on differences of pixels, as one convolution with a kernel that sums to zero (https://arxiv.org/abs/2108.07009).

    Args:
        channels: Of input and output.
        difference: "central": neighbours minus centre; "angular": neighbours minus the next ones clockwise; "radial": the ring of radius 2
            minus that of radius 1.
    """

    def __init__(self, channels: int, difference: str) -> None:
        super().__init__()
        self.difference = difference
        self.padding = 2 if difference == "radial" else 1
        # On a ring the eight weights go clockwise from the top left.
        self.weight = nn.Parameter(torch.empty(channels, 1, 3, 3) if difference == "central" else torch.empty(channels, 1, 8))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def kernel(self) -> torch.Tensor:
        """The plain kernel, (channels, 1, 3, 3) or (channels, 1, 5, 5)."""
        weight = self.weight
        if self.difference == "central":
            return weight - F.pad(weight.sum((2, 3), keepdim=True), (1, 1, 1, 1))
        around = weight - weight.roll(1, 2) if self.difference == "angular" else weight
        middle = torch.stack([around[..., 7], torch.zeros_like(around[..., 7]), around[..., 3]], dim=2)
        ring = torch.stack([around[..., :3], middle, around[..., 4:7].flip(2)], dim=2)
        if self.difference == "angular":
            return ring
        kernel = F.pad(-ring, (1, 1, 1, 1))
        kernel[..., ::2, ::2] += ring
        return kernel

    def folded(self) -> nn.Conv2d:
        """A plain convolution with the same output."""
        kernel = self.kernel().detach()
        channels, _, size, _ = kernel.shape
        conv = nn.Conv2d(channels, channels, size, padding=self.padding, groups=channels, bias=False)
        conv.weight = nn.Parameter(kernel.clone())
        return conv

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) -> (N, channels, H, W)."""
        return F.conv2d(x, self.kernel(), padding=self.padding, groups=self.weight.shape[0])


class PixelDifferenceConv(nn.Module):
    """Filter on differences of pixels per channel, ReLU, 1 x 1 mix; the input is added where it has as many channels as the output."""

    def __init__(self, in_channels: int, out_channels: int, difference: str) -> None:
        super().__init__()
        self.filter = DifferenceFilter(in_channels, difference)
        self.mix = nn.Sequential(nn.ReLU(inplace=True), *conv_norm(in_channels, out_channels))
        self.residual = in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        y = self.mix(self.filter(x))
        return torch.relu(y + x if self.residual else y)


@dataclass(frozen=True)
class DifferenceConv(WideBlock):
    """Pixel difference convolution.

    Attributes:
        width: Output channels.
        difference: Which pixels are subtracted: "central", "angular" or "radial".
    """

    kind: ClassVar[str] = "difference"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"difference": ("central", "angular", "radial")}
    module: ClassVar[type[nn.Module]] = PixelDifferenceConv
    keeps_input: ClassVar[bool] = True

    difference: str = "central"

    def params(self, in_shape: Shape) -> int:
        """Nine weights a channel, or eight on a ring, and the mix with its norm."""
        weights = 9 if self.difference == "central" else 8
        return weights * in_shape[0] + conv_params(in_shape[0], self.width, 1) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """The plain kernel, zero taps included, and the mix."""
        channels, pixels = in_shape[0], in_shape[1] * in_shape[2]
        return conv_macs(channels, channels, self.extent(), pixels, groups=channels) + conv_macs(channels, self.width, 1, pixels)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Filtered map and mix, or mix and sum, beside the input."""
        return (in_shape[0] + self.width) * in_shape[1] * in_shape[2], 0

    def extent(self) -> int:
        """The plain kernel."""
        return 5 if self.difference == "radial" else 3

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `PixelDifferenceConv`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "difference": self.difference}
