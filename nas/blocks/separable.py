"""Depthwise separable convolution: a k x k filter per channel, then a 1 x 1 mix; with stride 2 also a way down.

Howard et al., MobileNets, 2017, https://arxiv.org/abs/1704.04861
Nothing between the two: Chollet, Xception, CVPR 2017, https://arxiv.org/abs/1610.02357, where no activation there did better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Down, Shape, WideBlock
from nas.blocks.layers import conv_norm


class SeparableConv(nn.Sequential):
    """k x k filter per channel, then a 1 x 1 mix, each with normalisation and ReLU (MobileNets, https://arxiv.org/abs/1704.04861).

    Without `norm` the filter has neither.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, norm: bool = True) -> None:
        filters = conv_norm(in_channels, in_channels, kernel, groups=in_channels)
        super().__init__(
            *([*filters, nn.ReLU(inplace=True)] if norm else filters[:1]),
            *conv_norm(in_channels, out_channels),
            nn.ReLU(inplace=True),
        )


class StridedFilter(nn.Sequential):
    """A 3 x 3 filter per channel with stride 2, normalisation, ReLU: a learned way down that costs 11 parameters a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__(*conv_norm(channels, channels, 3, stride=2, groups=channels), nn.ReLU(inplace=True))


@dataclass(frozen=True)
class DepthwiseSeparable(WideBlock):
    """Depthwise separable convolution.

    Attributes:
        width: Output channels.
        kernel: Height and width of the depthwise kernel in pixels, odd.
        norm: Whether normalisation and ReLU follow the depthwise filters; norms take up to 16 % of a network of 10,000 parameters.
    """

    kind: ClassVar[str] = "separable"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"kernel": (3, 5), "norm": (True, False)}
    module: ClassVar[type[nn.Module]] = SeparableConv

    kernel: int = 3
    norm: bool = True

    def params(self, in_shape: Shape) -> int:
        """Depthwise and pointwise weights, with the norms they have."""
        channels = in_shape[0]
        depthwise = conv_params(channels, channels, self.kernel, groups=channels) + (norm_params(channels) if self.norm else 0)
        return depthwise + conv_params(channels, self.width, 1) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """Both convolutions at the input's size."""
        channels, height, width = in_shape
        depthwise = conv_macs(channels, channels, self.kernel, height * width, groups=channels)
        return depthwise + conv_macs(channels, self.width, 1, height * width)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The filtered map beside the input, then filtered map and output."""
        channels, height, width = in_shape
        return channels * height * width, (channels + self.width) * height * width

    def extent(self) -> int:
        """The depthwise kernel."""
        return self.kernel

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `SeparableConv`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "kernel": self.kernel, "norm": self.norm}


@dataclass(frozen=True)
class StridedDepthwise(Down):
    """Depthwise 3 x 3 convolution with stride 2."""

    kind: ClassVar[str] = "strided_depthwise"
    module: ClassVar[type[nn.Module]] = StridedFilter

    def params(self, in_shape: Shape) -> int:
        """Nine weights and two norm parameters a channel."""
        channels = in_shape[0]
        return conv_params(channels, channels, 3, groups=channels) + norm_params(channels)

    def macs(self, in_shape: Shape) -> int:
        """At the output's size."""
        channels, height, width = self.out_shape(in_shape)
        return conv_macs(channels, channels, 3, height * width, groups=channels)

    def extent(self) -> int:
        """The kernel."""
        return 3

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `StridedFilter`."""
        return {"channels": in_shape[0]}
