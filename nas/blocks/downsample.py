"""Ways down that set the number of channels: a strided convolution, and one that stands beside max-pooling.

Strided convolution: Springenberg et al., Striving for Simplicity: The All Convolutional Net, 2015, https://arxiv.org/abs/1412.6806
Beside pooling: Paszke et al., ENet, 2016, https://arxiv.org/abs/1606.02147 (its initial block); Romera et al., ERFNet, IEEE T-ITS 2018,
https://doi.org/10.1109/TITS.2017.2750080 (every way down).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideDown
from nas.blocks.conv import Conv, ConvBlock


class ConvPool(nn.Module):
    """A 3 x 3 convolution with stride 2 beside 2 x 2 max-pooling of the first channels (ENet, https://arxiv.org/abs/1606.02147)."""

    def __init__(self, in_channels: int, out_channels: int, pooled: int) -> None:
        super().__init__()
        self.pooled = pooled
        self.conv = nn.Conv2d(in_channels, out_channels - pooled, 3, 2, padding=1, bias=False)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.finish = nn.Sequential(nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / 2, W / 2)."""
        both = torch.cat([self.conv(x), self.pool(x[:, : self.pooled])], dim=1)
        finished: torch.Tensor = self.finish(both)
        return finished


@dataclass(frozen=True)
class StridedConv(WideDown):
    """3 x 3 convolution with stride 2.

    Attributes:
        width: Output channels.
    """

    kind: ClassVar[str] = "strided_conv"
    module: ClassVar[type[nn.Module]] = ConvBlock

    def params(self, in_shape: Shape) -> int:
        """Kernel weights and the norm."""
        return Conv(self.width, 3, 2).params(in_shape)

    def macs(self, in_shape: Shape) -> int:
        """At the output's size."""
        return Conv(self.width, 3, 2).macs(in_shape)

    def extent(self) -> int:
        """The kernel."""
        return 3

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `ConvBlock`."""
        return Conv(self.width, 3, 2).arguments(in_shape)


@dataclass(frozen=True)
class ConvBesidePool(WideDown):
    """Strided convolution beside max-pooling; the published form up to half as many input as output channels.

    Attributes:
        width: Output channels, at least 2.
    """

    kind: ClassVar[str] = "conv_pool"
    module: ClassVar[type[nn.Module]] = ConvPool

    def pooled(self, channels: int) -> int:
        """Input channels that are pooled: all, but no more than half of the output's."""
        return min(channels, self.width // 2)

    def params(self, in_shape: Shape) -> int:
        """Weights of the convolved channels, and a norm for all."""
        return conv_params(in_shape[0], self.width - self.pooled(in_shape[0]), 3) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """The convolution at the output's size."""
        _, height, width = self.out_shape(in_shape)
        return conv_macs(in_shape[0], self.width - self.pooled(in_shape[0]), 3, height * width)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Convolved and pooled channels beside the input, then these and the output."""
        channels, height, width = self.out_shape(in_shape)
        return channels * height * width, 2 * channels * height * width

    def extent(self) -> int:
        """The convolution's kernel; the pooling's window lies inside."""
        return 3

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `ConvPool`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "pooled": self.pooled(in_shape[0])}
