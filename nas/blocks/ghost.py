"""Ghost convolution: half of the output from a 1 x 1 convolution, the other half by a filter on each channel of the first.

Han et al., GhostNet: More Features from Cheap Operations, CVPR 2020, https://arxiv.org/abs/1911.11907
(which at an odd width computes one channel more and cuts it off).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm


class GhostUnit(nn.Module):
    """A 1 x 1 convolution beside depthwise filters of its result (GhostNet, https://arxiv.org/abs/1911.11907)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.ghosts = out_channels // 2
        self.primary = nn.Sequential(*conv_norm(in_channels, out_channels - self.ghosts), nn.ReLU(inplace=True))
        self.cheap = nn.Sequential(*conv_norm(self.ghosts, self.ghosts, kernel, groups=self.ghosts), nn.ReLU(inplace=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        primary = self.primary(x)
        return torch.cat([primary, self.cheap(primary[:, : self.ghosts])], dim=1)


@dataclass(frozen=True)
class GhostConv(WideBlock):
    """Ghost convolution.

    Attributes:
        width: Output channels, at least 2.
        kernel: Height and width of the cheap depthwise kernel in pixels, odd.
    """

    kind: ClassVar[str] = "ghost"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"kernel": (3, 5)}
    module: ClassVar[type[nn.Module]] = GhostUnit

    kernel: int = 3

    def params(self, in_shape: Shape) -> int:
        """The 1 x 1 convolution, the filters, and a norm for every output channel."""
        ghosts = self.width // 2
        filters = conv_params(ghosts, ghosts, self.kernel, groups=ghosts)
        return conv_params(in_shape[0], self.width - ghosts, 1) + filters + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """Both at the input's size."""
        channels, height, width = in_shape
        ghosts, pixels = self.width // 2, height * width
        return conv_macs(channels, self.width - ghosts, 1, pixels) + conv_macs(ghosts, ghosts, self.kernel, pixels, groups=ghosts)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The primary half beside the input; then both halves and the output."""
        pixels = in_shape[1] * in_shape[2]
        return (self.width - self.width // 2) * pixels, 2 * self.width * pixels

    def extent(self) -> int:
        """The cheap kernel."""
        return self.kernel

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `GhostUnit`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "kernel": self.kernel}
