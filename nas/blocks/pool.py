"""2 x 2 max-pooling: U-Net's way down, without parameters (https://arxiv.org/abs/1505.04597)."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from nas.blocks.base import Down, Shape


@dataclass(frozen=True)
class MaxPool(Down):
    """2 x 2 max-pooling."""

    kind: ClassVar[str] = "max_pool"
    module: ClassVar[type[nn.Module]] = nn.MaxPool2d

    def params(self, in_shape: Shape) -> int:
        """None."""
        return 0

    def macs(self, in_shape: Shape) -> int:
        """None by the convention."""
        return 0

    def extent(self) -> int:
        """The window."""
        return 2

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `torch.nn.MaxPool2d`; rounding up keeps the last row and column of odd sizes."""
        return {"kernel_size": 2, "ceil_mode": True}
