"""Factorised convolution: k x 1, then 1 x k, instead of k x k.

Romera et al., ERFNet, IEEE T-ITS 2018, https://doi.org/10.1109/TITS.2017.2750080: half of its non-bottleneck-1D unit, without the residual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from nas.blocks.arithmetic import norm_params
from nas.blocks.base import Shape, WideBlock


class ColumnRowConv(nn.Sequential):
    """k x 1 convolution, ReLU, 1 x k convolution, batch normalisation, ReLU (ERFNet, https://doi.org/10.1109/TITS.2017.2750080)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, (kernel, 1), padding=(kernel // 2, 0)),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, (1, kernel), padding=(0, kernel // 2), bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


@dataclass(frozen=True)
class FactorisedConv(WideBlock):
    """Factorised convolution.

    Attributes:
        width: Output channels.
        kernel: Height of the first kernel and width of the second in pixels, odd.
    """

    kind: ClassVar[str] = "factorised"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"kernel": (3, 5)}
    module: ClassVar[type[nn.Module]] = ColumnRowConv

    kernel: int = 3

    def params(self, in_shape: Shape) -> int:
        """The column's weights and biases, the row's weights and its norm."""
        return self.kernel * self.width * (in_shape[0] + self.width) + self.width + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """Both convolutions at the input's size."""
        channels, height, width = in_shape
        return self.kernel * self.width * (channels + self.width) * height * width

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The first map beside the input, then both maps."""
        _, height, width = in_shape
        return self.width * height * width, 2 * self.width * height * width

    def extent(self) -> int:
        """The kernels."""
        return self.kernel

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `ColumnRowConv`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "kernel": self.kernel}
