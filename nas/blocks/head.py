"""The prediction: a 1 x 1 convolution to logits, and their bilinear resize to the input. Not genes; the topology adds them."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

from nas.blocks.arithmetic import conv_macs, conv_params
from nas.blocks.base import Block, Shape


@dataclass(frozen=True)
class Head(Block):
    """1 x 1 convolution with bias to one logit a class.

    Attributes:
        num_classes: Logits, background included.
    """

    kind: ClassVar[str] = "head"
    module: ClassVar[type[nn.Module]] = nn.Conv2d

    num_classes: int = 2

    def params(self, in_shape: Shape) -> int:
        """Weights and biases."""
        return conv_params(in_shape[0], self.num_classes, 1, bias=True)

    def macs(self, in_shape: Shape) -> int:
        """At the size of the prediction."""
        return conv_macs(in_shape[0], self.num_classes, 1, in_shape[1] * in_shape[2])

    def out_shape(self, in_shape: Shape) -> Shape:
        """One channel a class."""
        return self.num_classes, in_shape[1], in_shape[2]

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The logits beside the input."""
        return self.num_classes * in_shape[1] * in_shape[2], 0

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `torch.nn.Conv2d`."""
        return {"in_channels": in_shape[0], "out_channels": self.num_classes, "kernel_size": 1}


@dataclass(frozen=True)
class Resize(Block):
    """Bilinear enlargement of the logits; rows and columns beyond the input are cropped by the network.

    Attributes:
        factor: Input size over the size of the prediction.
    """

    kind: ClassVar[str] = "resize"
    module: ClassVar[type[nn.Module]] = nn.Upsample

    factor: int = 2

    def params(self, in_shape: Shape) -> int:
        """None."""
        return 0

    def macs(self, in_shape: Shape) -> int:
        """None by the convention."""
        return 0

    def out_shape(self, in_shape: Shape) -> Shape:
        """`factor` times the size."""
        return in_shape[0], self.factor * in_shape[1], self.factor * in_shape[2]

    def extent(self) -> int:
        """Neighbours between which it interpolates."""
        return 2

    def scale(self) -> float:
        """`factor` times the size."""
        return 1 / self.factor

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The enlarged logits beside the small ones."""
        channels, height, width = self.out_shape(in_shape)
        return channels * height * width, 0

    def arguments(self, in_shape: Shape) -> dict[str, Any]:
        """Of `torch.nn.Upsample`."""
        return {"scale_factor": float(self.factor), "mode": "bilinear", "align_corners": False}
