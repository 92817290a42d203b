"""Learned upsampling by two: channels rearranged into pixels, or a transposed convolution per channel.

Pixel shuffle: Shi et al., Real-Time Single Image and Video Super-Resolution (ESPCN), CVPR 2016, https://arxiv.org/abs/1609.05158.
Transposed convolution as a learned interpolation: Long et al., Fully Convolutional Networks, CVPR 2015, https://arxiv.org/abs/1411.4038.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, Up
from nas.blocks.layers import conv_norm


class PixelShuffleUp(nn.Sequential):
    """1 x 1 convolution to four values a pixel, rearranged into 2 x 2 pixels, norm, ReLU (ESPCN, https://arxiv.org/abs/1609.05158)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, 4 * out_channels, 1, bias=False),
            nn.PixelShuffle(2),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class TransposedUp(nn.Sequential):
    """1 x 1 projection, then a transposed 4 x 4 filter per channel with stride 2, each with norm, ReLU (https://arxiv.org/abs/1411.4038)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            *conv_norm(in_channels, out_channels),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(out_channels, out_channels, 4, stride=2, padding=1, groups=out_channels, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


@dataclass(frozen=True)
class PixelShuffle(Up):
    """Four values a pixel rearranged into 2 x 2 pixels."""

    kind: ClassVar[str] = "pixel_shuffle"
    module: ClassVar[type[nn.Module]] = PixelShuffleUp
    learned: ClassVar[bool] = True

    def params(self, in_shape: Shape) -> int:
        """The convolution to four values, and the norm."""
        return conv_params(in_shape[0], 4 * self.width, 1) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """At the coarse size."""
        return conv_macs(in_shape[0], 4 * self.width, 1, in_shape[1] * in_shape[2])

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Four values a pixel beside the input, then those and the rearranged ones."""
        values = 4 * self.width * in_shape[1] * in_shape[2]
        return values, 2 * values

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `PixelShuffleUp`."""
        return {"in_channels": in_shape[0], "out_channels": self.width}


@dataclass(frozen=True)
class Transposed(Up):
    """1 x 1 projection and a transposed filter per channel."""

    kind: ClassVar[str] = "transposed"
    module: ClassVar[type[nn.Module]] = TransposedUp
    learned: ClassVar[bool] = True

    def params(self, in_shape: Shape) -> int:
        """The projection, sixteen weights a channel, two norms."""
        return conv_params(in_shape[0], self.width, 1) + 16 * self.width + 2 * norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """Both at the coarse size: a transposed convolution multiplies each input pixel with each weight."""
        return conv_macs(in_shape[0] + 16, self.width, 1, in_shape[1] * in_shape[2])

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The projection beside the input, then projection and output."""
        projected = self.width * in_shape[1] * in_shape[2]
        return projected, 5 * projected

    def extent(self) -> int:
        """Two of the kernel's four rows and columns meet an output pixel."""
        return 2

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `TransposedUp`."""
        return {"in_channels": in_shape[0], "out_channels": self.width}
