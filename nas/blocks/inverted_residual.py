"""Inverted residual: expand the channels, filter each of them, project back without an activation; with stride 2 also a way down.

Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, https://arxiv.org/abs/1801.04381 (ReLU for its ReLU6).
Several kernels at once, summed: Rahman et al., MK-UNet, 2025, https://arxiv.org/abs/2509.18493
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock, WideDown
from nas.blocks.layers import conv_norm


class InvertedBottleneck(nn.Module):
    """Expansion, sum of depthwise filters, linear projection (MobileNetV2, https://arxiv.org/abs/1801.04381).

    The input is added where it has the output's shape.
    """

    def __init__(self, in_channels: int, out_channels: int, expansion: int, kernels: tuple[int, ...], stride: int = 1) -> None:
        super().__init__()
        hidden = expansion * in_channels
        self.expand = nn.Sequential(*conv_norm(in_channels, hidden), nn.ReLU(inplace=True)) if expansion > 1 else nn.Identity()
        self.filters = nn.ModuleList(nn.Sequential(*conv_norm(hidden, hidden, kernel, stride, groups=hidden)) for kernel in kernels)
        self.project = nn.Sequential(*conv_norm(hidden, out_channels))
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)."""
        wide = self.expand(x)
        total = self.filters[0](wide)
        for branch in self.filters[1:]:
            total = total + branch(wide)
        y: torch.Tensor = self.project(torch.relu(total))
        return y + x if self.residual else y


def _params(channels: int, width: int, expansion: int, kernels: tuple[int, ...]) -> int:
    """Of an `InvertedBottleneck`: expansion, filters and projection with their norms."""
    hidden = expansion * channels
    expand = conv_params(channels, hidden, 1) + norm_params(hidden) if expansion > 1 else 0
    filters = sum(conv_params(hidden, hidden, kernel, groups=hidden) + norm_params(hidden) for kernel in kernels)
    return expand + filters + conv_params(hidden, width, 1) + norm_params(width)


def _macs(channels: int, width: int, expansion: int, kernels: tuple[int, ...], pixels: tuple[int, int]) -> int:
    """Of an `InvertedBottleneck` whose input and output have so many pixels."""
    hidden = expansion * channels
    expand = conv_macs(channels, hidden, 1, pixels[0]) if expansion > 1 else 0
    filters = sum(conv_macs(hidden, hidden, kernel, pixels[1], groups=hidden) for kernel in kernels)
    return expand + filters + conv_macs(hidden, width, 1, pixels[1])


@dataclass(frozen=True)
class InvertedResidual(WideBlock):
    """Inverted residual.

    Attributes:
        width: Output channels.
        expansion: Filtered channels per input channel; 1 leaves the expanding convolution out.
        kernels: Heights and widths of the parallel depthwise kernels in pixels, odd.
    """

    kind: ClassVar[str] = "inverted_residual"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"expansion": (1, 2, 3, 4), "kernels": ((3,), (5,), (1, 3, 5))}
    module: ClassVar[type[nn.Module]] = InvertedBottleneck
    keeps_input: ClassVar[bool] = True

    expansion: int = 3
    kernels: tuple[int, ...] = (3,)

    def params(self, in_shape: Shape) -> int:
        """Expansion, filters and projection with their norms."""
        return _params(in_shape[0], self.width, self.expansion, self.kernels)

    def macs(self, in_shape: Shape) -> int:
        """All convolutions at the input's size."""
        pixels = in_shape[1] * in_shape[2]
        return _macs(in_shape[0], self.width, self.expansion, self.kernels, (pixels, pixels))

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Two summands and their sum, beside them the expanded map while a filter still waits for it; or summed map and output."""
        hidden, pixels = self.expansion * in_shape[0], in_shape[1] * in_shape[2]
        expanded = int(self.expansion > 1)
        branches = len(self.kernels)
        maps = 1 + expanded if branches == 1 else 3 + (expanded if branches > 2 else 0)
        return max(maps * hidden, hidden + self.width) * pixels, 0

    def extent(self) -> int:
        """The largest kernel."""
        return max(self.kernels)

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `InvertedBottleneck`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "expansion": self.expansion, "kernels": self.kernels}


@dataclass(frozen=True)
class StridedInverted(WideDown):
    """Inverted bottleneck with one 3 x 3 filter a channel and stride 2; it has no residual, as published.

    Attributes:
        width: Output channels.
        expansion: Filtered channels per input channel; 1 leaves the expanding convolution out.
    """

    kind: ClassVar[str] = "strided_inverted"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"expansion": (1, 2, 3, 4)}
    module: ClassVar[type[nn.Module]] = InvertedBottleneck

    expansion: int = 3

    def params(self, in_shape: Shape) -> int:
        """Expansion, filters and projection with their norms."""
        return _params(in_shape[0], self.width, self.expansion, (3,))

    def macs(self, in_shape: Shape) -> int:
        """The expansion at the input's size, filters and projection at the output's."""
        _, height, width = self.out_shape(in_shape)
        return _macs(in_shape[0], self.width, self.expansion, (3,), (in_shape[1] * in_shape[2], height * width))

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The expanded map beside the input, then expanded and filtered map; then filtered map and output."""
        width, rows, columns = self.out_shape(in_shape)
        before, pixels = in_shape[1] * in_shape[2], rows * columns
        hidden = self.expansion * in_shape[0]
        last = (hidden + width) * pixels
        return (hidden * before, max(hidden * (before + pixels), last)) if self.expansion > 1 else (hidden * pixels, last)

    def extent(self) -> int:
        """The kernel."""
        return 3

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `InvertedBottleneck`."""
        sizes = {"in_channels": in_shape[0], "out_channels": self.width}
        return {**sizes, "expansion": self.expansion, "kernels": (3,), "stride": 2}
