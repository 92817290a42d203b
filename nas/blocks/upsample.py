"""Bilinear upsampling by two, after a 1 x 1 projection where the skip needs other channels.

Projecting at the coarse level costs a quarter of projecting after the upsampling, and equals it: both are linear and the
upsampling acts on each channel alone. FPN's lateral connections (https://arxiv.org/abs/1612.03144) project the other side.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, Up
from nas.blocks.layers import conv_norm


class BilinearUp(nn.Module):
    """Doubles height and width bilinearly, after a 1 x 1 projection where `out_channels` is given."""

    def __init__(self, in_channels: int, out_channels: int = 0) -> None:
        super().__init__()
        self.project = nn.Sequential(*conv_norm(in_channels, out_channels)) if out_channels else nn.Identity()
        self.enlarge = nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels or in_channels, 2 H, 2 W)."""
        larger: torch.Tensor = self.enlarge(self.project(x))
        return larger


@dataclass(frozen=True)
class Bilinear(Up):
    """Bilinear upsampling by two."""

    kind: ClassVar[str] = "bilinear"
    module: ClassVar[type[nn.Module]] = BilinearUp

    def params(self, in_shape: Shape) -> int:
        """The projection and its norm."""
        return conv_params(in_shape[0], self.width, 1) + norm_params(self.width) if self.width else 0

    def macs(self, in_shape: Shape) -> int:
        """The projection at the coarse size."""
        return conv_macs(in_shape[0], self.width, 1, in_shape[1] * in_shape[2]) if self.width else 0

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The output beside the input, or the projection beside the input and then projection and output."""
        pixels = in_shape[1] * in_shape[2]
        return (self.width * pixels, 5 * self.width * pixels) if self.width else (4 * in_shape[0] * pixels, 0)

    def extent(self) -> int:
        """Neighbours between which it interpolates."""
        return 2

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `BilinearUp`."""
        return {"in_channels": in_shape[0], "out_channels": self.width} if self.width else {"in_channels": in_shape[0]}
