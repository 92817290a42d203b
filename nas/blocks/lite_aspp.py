"""Lite reduced atrous spatial pyramid pooling: a 1 x 1 convolution gated channel by channel by the pooled image.

Howard et al., Searching for MobileNetV3, ICCV 2019, https://arxiv.org/abs/1905.02244
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm


class PooledGate(nn.Module):
    """1 x 1 convolution times a gate from the pooled image (LR-ASPP of MobileNetV3, https://arxiv.org/abs/1905.02244)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*conv_norm(in_channels, out_channels), nn.ReLU(inplace=True))
        # No normalisation on the pooled vector: with a batch of one image it has one value a channel.
        self.gate = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        gated: torch.Tensor = self.features(x) * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return gated


@dataclass(frozen=True)
class LiteASPP(WideBlock):
    """Lite reduced atrous spatial pyramid pooling.

    Attributes:
        width: Output channels.
    """

    kind: ClassVar[str] = "lite_aspp"
    module: ClassVar[type[nn.Module]] = PooledGate

    def params(self, in_shape: Shape) -> int:
        """The features with their norm, and the gate with bias."""
        channels = in_shape[0]
        return conv_params(channels, self.width, 1) + norm_params(self.width) + conv_params(channels, self.width, 1, bias=True)

    def macs(self, in_shape: Shape) -> int:
        """The features at the input's size, the gate on one pixel."""
        return conv_macs(in_shape[0], self.width, 1, in_shape[1] * in_shape[2] + 1)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Features and pooled vector beside the input; then features with the pooled vector, or with the result, and the gate."""
        channels, pixels = in_shape[0], in_shape[1] * in_shape[2]
        features = self.width * pixels
        return features + channels, features + max(channels, features) + self.width

    def sees_all(self) -> bool:
        """The gate pools the image."""
        return True

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `PooledGate`."""
        return {"in_channels": in_shape[0], "out_channels": self.width}
