"""Channel split: half of the channels pass unchanged, the others are transformed, and a shuffle mixes both halves.

Ma et al., ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design, ECCV 2018, https://arxiv.org/abs/1807.11164

With equal channels this is the published unit. The paper sets other widths only in its strided unit, whose two branches both see the
whole input; one that cost more there than at equal channels would make costs fall when a width grows. So here the first half of the
output is always the input's first channels, repeated where it has too few, and the transformed half sees the rest, at least half of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params, norm_params
from nas.blocks.base import Shape, WideBlock
from nas.blocks.layers import conv_norm


class SplitUnit(nn.Module):
    """Transforms the last `seen` channels, passes the first ones on, and shuffles both (ShuffleNet V2, https://arxiv.org/abs/1807.11164)."""

    def __init__(self, in_channels: int, out_channels: int, seen: int, kernel: int = 3) -> None:
        super().__init__()
        half = out_channels // 2
        self.repeats, self.rest = divmod(half, in_channels)
        self.seen = seen
        self.transform = nn.Sequential(
            *conv_norm(seen, half),
            nn.ReLU(inplace=True),
            *conv_norm(half, half, kernel, groups=half),
            *conv_norm(half, half),
            nn.ReLU(inplace=True),
        )
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        passed = [x] * self.repeats + [x[:, : self.rest]]
        shuffled: torch.Tensor = self.shuffle(torch.cat([*passed, self.transform(x[:, -self.seen :])], dim=1))
        return shuffled


@dataclass(frozen=True)
class ChannelSplit(WideBlock):
    """Channel split.

    Attributes:
        width: Output channels, even.
        kernel: Height and width of the depthwise kernel in pixels, odd.
    """

    kind: ClassVar[str] = "channel_split"
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {"kernel": (3, 5)}
    module: ClassVar[type[nn.Module]] = SplitUnit
    width_multiple: ClassVar[int] = 2

    kernel: int = 3

    def seen(self, channels: int) -> int:
        """Input channels that are transformed: those that are not passed on, and at least half."""
        return max(channels - self.width // 2, (channels + 1) // 2)

    def params(self, in_shape: Shape) -> int:
        """Two 1 x 1 convolutions and the filter between them, with norms."""
        half = self.width // 2
        mixes = conv_params(self.seen(in_shape[0]), half, 1) + conv_params(half, half, 1)
        return mixes + conv_params(half, half, self.kernel, groups=half) + 3 * norm_params(half)

    def macs(self, in_shape: Shape) -> int:
        """All three at the input's size."""
        channels, height, width = in_shape
        half, pixels = self.width // 2, height * width
        mixes = conv_macs(self.seen(channels), half, 1, pixels) + conv_macs(half, half, 1, pixels)
        return mixes + conv_macs(half, half, self.kernel, pixels, groups=half)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The transformed half and both halves together beside the input; then these and the shuffled copy."""
        half, pixels = self.width // 2, in_shape[1] * in_shape[2]
        return 3 * half * pixels, 4 * half * pixels

    def extent(self) -> int:
        """The depthwise kernel."""
        return self.kernel

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `SplitUnit`."""
        return {"in_channels": in_shape[0], "out_channels": self.width, "seen": self.seen(in_shape[0]), "kernel": self.kernel}
