"""Skip connections: how upsampled features meet the encoder's of the same level.

Concatenation: U-Net, https://arxiv.org/abs/1505.04597. Addition: FPN, https://arxiv.org/abs/1612.03144; LinkNet.
Gate: Oktay et al., Attention U-Net, 2018, https://arxiv.org/abs/1804.03999, without its projections.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params
from nas.blocks.base import Pair, Shape, Skip


def crop_like(x: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Cuts the row or column that upsampling adds where the finer level has an odd size."""
    return x[..., : reference.shape[-2], : reference.shape[-1]]


class AddJoin(nn.Module):
    """Adds upsampled features to the encoder's."""

    def forward(self, coarse: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Two (N, C, H, W) -> (N, C, H, W)."""
        return crop_like(coarse, skip) + skip


class ConcatJoin(nn.Module):
    """Puts upsampled features before the encoder's."""

    def forward(self, coarse: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """(N, A, H, W) and (N, B, H, W) -> (N, A + B, H, W)."""
        return torch.cat([crop_like(coarse, skip), skip], dim=1)


class GatedJoin(nn.Module):
    """Adds to upsampled features the encoder's, weighted pixel by pixel by a gate from both (https://arxiv.org/abs/1804.03999)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(channels, 1, 1)

    def forward(self, coarse: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Two (N, C, H, W) -> (N, C, H, W)."""
        coarse = crop_like(coarse, skip)
        gate = torch.sigmoid(self.gate(torch.relu(coarse + skip)))
        # One operation for coarse + gate * skip: no product in memory.
        return torch.addcmul(coarse, gate, skip)


@dataclass(frozen=True)
class AddSkip(Skip):
    """Addition; the upsampling projects to the skip's channels."""

    kind: ClassVar[str] = "add"
    module: ClassVar[type[nn.Module]] = AddJoin
    equal_channels: ClassVar[bool] = True

    def params(self, in_shape: Pair) -> int:
        """None."""
        return 0

    def macs(self, in_shape: Pair) -> int:
        """None: elementwise."""
        return 0

    def out_shape(self, in_shape: Pair) -> Shape:
        """The skip's."""
        return in_shape[1]

    def workspace(self, in_shape: Pair) -> tuple[int, int]:
        """The sum beside both inputs."""
        channels, height, width = in_shape[1]
        return channels * height * width, 0

    def arguments(self, in_shape: Pair) -> dict[str, Any]:
        """None."""
        return {}


@dataclass(frozen=True)
class ConcatSkip(Skip):
    """Concatenation."""

    kind: ClassVar[str] = "concat"
    module: ClassVar[type[nn.Module]] = ConcatJoin

    def params(self, in_shape: Pair) -> int:
        """None."""
        return 0

    def macs(self, in_shape: Pair) -> int:
        """None."""
        return 0

    def out_shape(self, in_shape: Pair) -> Shape:
        """The channels of both at the skip's size."""
        return in_shape[0][0] + in_shape[1][0], in_shape[1][1], in_shape[1][2]

    def workspace(self, in_shape: Pair) -> tuple[int, int]:
        """The result beside both inputs."""
        channels, height, width = self.out_shape(in_shape)
        return channels * height * width, 0

    def arguments(self, in_shape: Pair) -> dict[str, Any]:
        """None."""
        return {}


@dataclass(frozen=True)
class GatedSkip(Skip):
    """Addition of gated features; the upsampling projects to the skip's channels."""

    kind: ClassVar[str] = "gated"
    module: ClassVar[type[nn.Module]] = GatedJoin
    equal_channels: ClassVar[bool] = True

    def params(self, in_shape: Pair) -> int:
        """The gate's weights and bias."""
        return conv_params(in_shape[1][0], 1, 1, bias=True)

    def macs(self, in_shape: Pair) -> int:
        """The gate."""
        channels, height, width = in_shape[1]
        return conv_macs(channels, 1, 1, height * width)

    def out_shape(self, in_shape: Pair) -> Shape:
        """The skip's."""
        return in_shape[1]

    def workspace(self, in_shape: Pair) -> tuple[int, int]:
        """The sum and the gate, then the gate and the result, beside both inputs."""
        channels, height, width = in_shape[1]
        return (channels + 1) * height * width, 0

    def arguments(self, in_shape: Pair) -> dict[str, Any]:
        """Of `GatedJoin`."""
        return {"channels": in_shape[1][0]}
