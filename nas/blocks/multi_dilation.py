"""Multi-dilation separable convolution: parallel depthwise 3 x 3 filters of several dilations, summed, then a 1 x 1 mix.

Alonso et al., MiniNet-v2, IEEE T-RO 2020, https://doi.org/10.1109/TRO.2020.2974099
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm


class MultiDilationConv(nn.Module):
    """Sum of depthwise 3 x 3 filters of several dilations, then a 1 x 1 mix (MiniNet-v2, https://doi.org/10.1109/TRO.2020.2974099).

    The input is added where it has as many channels as the output. Without `norm` the filters have no normalisation.
    """

    def __init__(self, in_channels: int, out_channels: int, dilations: tuple[int, ...], norm: bool = True) -> None:
        super().__init__()
        filters = [conv_norm(in_channels, in_channels, 3, dilation=dilation, groups=in_channels) for dilation in dilations]
        self.branches = nn.ModuleList(nn.Sequential(*(layers if norm else layers[:1]), nn.ReLU(inplace=True)) for layers in filters)
        self.mix = nn.Sequential(*conv_norm(in_channels, out_channels))
        self.residual = in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        total = self.branches[0](x)
        for branch in self.branches[1:]:
            total = total + branch(x)
        y = self.mix(total)
        return torch.relu(y + x if self.residual else y)


@dataclass(frozen=True)
class MultiDilation(WideBlock):
    """Multi-dilation separable convolution.

    Attributes:
        width: Output channels.
        dilations: Pixels between neighbouring taps, one depthwise branch each.
        norm: Whether the branches are normalised; the mix always is.
    """

    kind: ClassVar[str] = "multi_dilation"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "dilations": ((1, 2), (1, 4), (1, 8), (1, 2, 4), (1, 4, 8)),
        "norm": (True, False),
    }
    module: ClassVar[type[nn.Module]] = MultiDilationConv
    keeps_input: ClassVar[bool] = True

    dilations: tuple[int, ...] = (1, 2)
    norm: bool = True

    def params(self, in_shape: Shape) -> int:
        """One depthwise filter a branch, with the norm it has, then the mix with norm."""
        channels = in_shape[0]
        branch = conv_params(channels, channels, 3, groups=channels) + (norm_params(channels) if self.norm else 0)
        return len(self.dilations) * branch + conv_params(channels, self.width, 1) + norm_params(self.width)

    def macs(self, in_shape: Shape) -> int:
        """All branches and the mix at the input's size."""
        channels, height, width = in_shape
        branch = conv_macs(channels, channels, 3, height * width, groups=channels)
        return len(self.dilations) * branch + conv_macs(channels, self.width, 1, height * width)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """Two summands and their sum beside the input, or sum and output."""
        channels, pixels = in_shape[0], in_shape[1] * in_shape[2]
        return max(channels * (3 if len(self.dilations) > 1 else 1), channels + self.width) * pixels, 0

    def extent(self) -> int:
        """Of the widest branch."""
        return 1 + 2 * max(self.dilations)

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `MultiDilationConv`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "dilations": self.dilations, "norm": self.norm}
