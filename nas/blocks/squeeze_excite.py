"""Squeeze and excitation: a gate per channel, from the mean of all channels.

Hu et al., Squeeze-and-Excitation Networks, CVPR 2018, https://arxiv.org/abs/1709.01507
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params
from nas.blocks.base import Block, Shape

SQUEEZE = 16
"""The published share of hidden channels, C / 16, above the floor."""


class ChannelGate(nn.Module):
    """Gates each channel by a small network on the means of all channels (https://arxiv.org/abs/1709.01507)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        gate: torch.Tensor = self.gate(x.mean((2, 3), keepdim=True))
        return x * gate


@dataclass(frozen=True)
class SqueezeExcite(Block):
    """Squeeze and excitation; keeps the shape.

    Attributes:
        floor: Fewest hidden channels. Below 128 channels the published share alone would leave fewer than 8.
    """

    kind: ClassVar[str] = "squeeze_excite"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"floor": (2, 4, 8)}
    module: ClassVar[type[nn.Module]] = ChannelGate

    floor: int = 4

    def hidden(self, channels: int) -> int:
        """Hidden channels."""
        return max(self.floor, channels // SQUEEZE)

    def params(self, in_shape: Shape) -> int:
        """The reduction and the expansion, both with bias."""
        channels, hidden = in_shape[0], self.hidden(in_shape[0])
        return conv_params(channels, hidden, 1, bias=True) + conv_params(hidden, channels, 1, bias=True)

    def macs(self, in_shape: Shape) -> int:
        """On one pixel."""
        channels, hidden = in_shape[0], self.hidden(in_shape[0])
        return conv_macs(channels, hidden, 1, 1) + conv_macs(hidden, channels, 1, 1)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The means and the hidden vector beside the input, then the gate and the output."""
        channels, height, width = in_shape
        return channels + max(self.hidden(channels), channels * height * width), 0

    def sees_all(self) -> bool:
        """The means are of the whole image."""
        return True

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `ChannelGate`."""
        return {"channels": in_shape[0], "hidden": self.hidden(in_shape[0])}
