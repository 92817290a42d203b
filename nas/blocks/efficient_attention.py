"""Efficient channel attention: a gate per channel, from the means of the neighbouring channels alone.

Wang et al., ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks, CVPR 2020, https://arxiv.org/abs/1910.03151
(where the number of neighbours follows from the number of channels; here it is searched).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.base import Block, Shape


class NeighbourGate(nn.Module):
    """Gates each channel by a 1D convolution over the means of neighbouring channels (https://arxiv.org/abs/1910.03151)."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(1, 1, reach, padding=reach // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        gate = torch.sigmoid(self.mix(x.mean((2, 3)).unsqueeze(1)))
        return x * gate.transpose(1, 2).unsqueeze(3)


@dataclass(frozen=True)
class ECA(Block):
    """Efficient channel attention; keeps the shape, and costs `reach` parameters at any number of channels.

    Attributes:
        reach: Channels that share a gate, odd.
    """

    kind: ClassVar[str] = "eca"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"reach": (3, 5)}
    module: ClassVar[type[nn.Module]] = NeighbourGate

    reach: int = 3

    def params(self, in_shape: Shape) -> int:
        """One kernel for all channels."""
        return self.reach

    def macs(self, in_shape: Shape) -> int:
        """The kernel at each channel's mean."""
        return self.reach * in_shape[0]

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The gate and the output beside the input; the means and their mix before it are no more."""
        channels, height, width = in_shape
        return channels + channels * height * width, 0

    def sees_all(self) -> bool:
        """The means are of the whole image."""
        return True

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `NeighbourGate`."""
        return {"reach": self.reach}
