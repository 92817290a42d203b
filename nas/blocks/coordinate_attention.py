"""Coordinate attention: a gate per row and a gate per column, from features pooled along the other direction.

Hou et al., Coordinate Attention for Efficient Mobile Network Design, CVPR 2021, https://arxiv.org/abs/2103.02907
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Block, Shape

REDUCTION = 32
"""The published share of hidden channels, C / 32, above the floor."""


class CoordinateGate(nn.Module):
    """Gates each row and each column by features pooled along the other direction (https://arxiv.org/abs/2103.02907)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden), nn.Hardswish())
        self.rows = nn.Conv2d(hidden, channels, 1)
        self.columns = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        height, width = x.shape[-2:]
        rows = x.mean(3, keepdim=True)
        columns = x.mean(2, keepdim=True).transpose(2, 3)
        pooled = self.shared(torch.cat([rows, columns], dim=2))
        rows, columns = pooled.split([height, width], dim=2)
        return x * torch.sigmoid(self.rows(rows)) * torch.sigmoid(self.columns(columns.transpose(2, 3)))


@dataclass(frozen=True)
class CoordinateAttention(Block):
    """Coordinate attention; keeps the shape.

    Attributes:
        floor: Fewest hidden channels. The published 8 costs 440 parameters at 16 channels, so smaller floors are searched.
    """

    kind: ClassVar[str] = "coordinate_attention"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"floor": (2, 4, 8)}
    module: ClassVar[type[nn.Module]] = CoordinateGate

    floor: int = 8

    def hidden(self, channels: int) -> int:
        """Hidden channels."""
        return max(self.floor, channels // REDUCTION)

    def params(self, in_shape: Shape) -> int:
        """The shared reduction with bias and norm, and two expansions with bias."""
        channels, hidden = in_shape[0], self.hidden(in_shape[0])
        shared = conv_params(channels, hidden, 1, bias=True) + norm_params(hidden)
        return shared + 2 * conv_params(hidden, channels, 1, bias=True)

    def macs(self, in_shape: Shape) -> int:
        """On vectors of height plus width only."""
        channels, height, width = in_shape
        return 2 * conv_macs(channels, self.hidden(channels), 1, height + width)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Pooled vectors beside the input, then the gated rows; then rows and columns gated, and the columns' gate."""
        channels, height, width = in_shape
        hidden, pooled, image = self.hidden(channels), height + width, channels * height * width
        reading = max((channels + max(channels, hidden)) * pooled, hidden * pooled + channels * height + image)
        return reading, max(hidden * pooled + image + channels * width, 2 * image + channels * width)

    def sees_all(self) -> bool:
        """Each gate pools a whole row or column."""
        return True

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `CoordinateGate`."""
        return {"channels": in_shape[0], "hidden": self.hidden(in_shape[0])}
