"""k x k convolution, batch normalisation, ReLU: the block of U-Net and VGG.

Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, 2015, https://arxiv.org/abs/1505.04597
(with the batch normalisation that later versions add).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params, strided
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm


class ConvBlock(nn.Sequential):
    """k x k convolution, batch normalisation, ReLU (U-Net, https://arxiv.org/abs/1505.04597)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(*conv_norm(in_channels, out_channels, kernel, stride), nn.ReLU(inplace=True))


@dataclass(frozen=True)
class Conv(WideBlock):
    """k x k convolution.

    Attributes:
        width: Output channels.
        kernel: Height and width of the kernel in pixels, odd.
        stride: 1 or 2; the output's height and width are rounded up.
    """

    kind: ClassVar[str] = "conv"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"kernel": (3, 5)}
    module: ClassVar[type[nn.Module]] = ConvBlock

    kernel: int = 3
    stride: int = 1

    def params(self, in_shape: Shape) -> int:
        """Kernel weights and the normalisation's two per channel."""
        return conv_params(in_shape[0], self.width, self.kernel) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """One convolution at the output's size."""
        _, height, width = self.out_shape(in_shape)
        return conv_macs(in_shape[0], self.width, self.kernel, height * width)

    def out_shape(self, in_shape: Shape) -> Shape:
        """Width channels, size divided by the stride and rounded up."""
        return self.width, strided(in_shape[1], self.stride), strided(in_shape[2], self.stride)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The output beside the input."""
        channels, height, width = self.out_shape(in_shape)
        return channels * height * width, 0

    def extent(self) -> int:
        """The kernel."""
        return self.kernel

    def scale(self) -> float:
        """The stride."""
        return self.stride

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `ConvBlock`."""
        arguments = {"in_channels": in_shape[0], "out_channels": self.width, "kernel": self.kernel}
        return arguments if self.stride == 1 else {**arguments, "stride": self.stride}
