"""What every operator of the vocabulary answers: the abstract bases of blocks, upsamplings and skips.

An operator is a frozen value: its fields are genes, and its answers depend on the shape it receives. The module that it builds is
plain torch, takes plain arguments and stands word for word in an exported model file.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from math import prod
from typing import Any, ClassVar, Generic, Self, TypeVar

from torch import nn

from nas.errors import UserError

Shape = tuple[int, int, int]
"""Channels, height, width."""

Pair = tuple[Shape, Shape]
"""What a skip receives: the shape from the coarser level, then the shape of the encoder's features."""

S = TypeVar("S", Shape, Pair)


@dataclass(frozen=True)
class Operator(ABC, Generic[S]):
    """An operator of a genome, asked four questions with the shape it receives: `params`, `macs`, `out_shape`, `build`.

    Class attributes:
        kind: The word for it in a genome's JSON; unique in a vocabulary.
        genes: Field name -> the values a search may choose from.
        module: The plain torch module that `build` makes with `arguments(in_shape)`.
        keeps_input: Whether `workspace` counts the input to the end although some of its forms do not read it there. A residual that
            exists only where channels are equal would otherwise make memory fall when a width grows; scaling needs costs that never fall.
    """

    kind: ClassVar[str]
    genes: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    module: ClassVar[type[nn.Module]]
    keeps_input: ClassVar[bool] = False

    @abstractmethod
    def params(self, in_shape: S) -> int:
        """Learnable parameters, raw `nn.Parameter`s included; fixed kernels are buffers and count 0."""

    @abstractmethod
    def macs(self, in_shape: S) -> int:
        """Multiply-accumulates of one image, by the convention of `nas.cost`."""

    @abstractmethod
    def out_shape(self, in_shape: S) -> Shape:
        """Shape of the result."""

    @abstractmethod
    def workspace(self, in_shape: S) -> tuple[int, int]:
        """Peak number of live elements beside the input, by the convention of `nas.cost`.

        Two figures, because the input may be freed on the way: the peak while the input is still read, and the peak after its last
        use, in the order in which the module computes. The output counts in both as soon as it exists. An output that overwrites the
        input (an activation alone) has no elements beside it.
        """

    def extent(self) -> int:
        """Side in input pixels of the window that one output pixel sees, pooling over the whole image apart."""
        return 1

    def scale(self) -> float:
        """Height of the input over height of the output."""
        return 1

    def sees_all(self) -> bool:
        """Whether every output pixel depends on the whole input, through global pooling."""
        return False

    @abstractmethod
    def arguments(self, in_shape: S) -> dict[str, Any]:
        """Keyword arguments of `module`; plain literals, since an exported file writes them out."""

    def build(self, in_shape: S) -> nn.Module:
        """A fresh module with PyTorch's default initialisation."""
        return self.module(**self.arguments(in_shape))

    def label(self) -> str:
        """One short phrase for trees, notes and docstrings."""
        genes = [f"{name} {_words(getattr(self, name))}" for name in self.genes]
        return " ".join([self.kind.replace("_", " "), ", ".join(genes)]).strip()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the kind and all fields."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class Block(Operator[Shape]):
    """An operator with one input. Keeps height and width unless `scale` says otherwise, and the channels unless it is a `WideBlock`.

    Class attributes:
        takes_domain: Whether the module's `forward` accepts `domain`, the index of the data set an image comes from.
    """

    takes_domain: ClassVar[bool] = False

    def out_shape(self, in_shape: Shape) -> Shape:
        """Unchanged."""
        return in_shape


@dataclass(frozen=True)
class WideBlock(Block):
    """A block that sets the number of channels.

    Attributes:
        width: Output channels; any integer that `width_multiple` divides.
    """

    width_multiple: ClassVar[int] = 1
    width: int = 16

    def with_width(self, width: int) -> Self:
        """The same operator with other output channels."""
        return replace(self, width=width)

    def out_shape(self, in_shape: Shape) -> Shape:
        """Width channels at the input's size."""
        return self.width, in_shape[1], in_shape[2]

    def label(self) -> str:
        """One short phrase, the output channels last."""
        return f"{super().label()} -> {self.width}"


@dataclass(frozen=True)
class Down(Block):
    """Halves height and width (rounded up); keeps the number of channels unless it is a `WideDown`."""

    def scale(self) -> float:
        """Half the size."""
        return 2

    def out_shape(self, in_shape: Shape) -> Shape:
        """Half the size, rounded up."""
        return in_shape[0], -(-in_shape[1] // 2), -(-in_shape[2] // 2)

    def workspace(self, in_shape: Shape) -> tuple[int, int]:
        """The output beside the input, as one convolution or pooling has it."""
        return prod(self.out_shape(in_shape)), 0


@dataclass(frozen=True)
class WideDown(WideBlock, Down):
    """A way down that sets the number of channels, to its stage's width."""

    def out_shape(self, in_shape: Shape) -> Shape:
        """Width channels, half the size, rounded up."""
        return self.width, -(-in_shape[1] // 2), -(-in_shape[2] // 2)


@dataclass(frozen=True)
class Up(Block):
    """Doubles height and width.

    Class attributes:
        learned: Whether it sets the number of channels at every place: to the skip's where that must be equal, else to its level's width.

    Attributes:
        width: Output channels, or 0 to keep the input's (never with `learned`). Set by the topology where the skip needs equal channels.
    """

    learned: ClassVar[bool] = False
    width: int = 0

    def scale(self) -> float:
        """Twice the size."""
        return 0.5

    def out_shape(self, in_shape: Shape) -> Shape:
        """Twice the size."""
        return self.width or in_shape[0], 2 * in_shape[1], 2 * in_shape[2]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the width is the topology's, not a gene."""
        return {"kind": self.kind, **{k: v for k, v in asdict(self).items() if k != "width"}}


@dataclass(frozen=True)
class Skip(Operator[Pair]):
    """Joins upsampled features with the encoder's; the former may be larger by one row or column and are cropped.

    Class attributes:
        equal_channels: Whether both inputs must have the same number of channels.
    """

    equal_channels: ClassVar[bool] = False


AnyOperator = Operator[Shape] | Operator[Pair]


def from_dict(document: Mapping[str, Any], vocabulary: Mapping[str, type[AnyOperator]]) -> AnyOperator:
    """The operator that `to_dict` described.

    Raises:
        UserError: The kind is not in the vocabulary, or a field is not one of the kind's.
    """
    kind = str(document.get("kind"))
    if kind not in vocabulary:
        raise UserError(
            f"a genome names the block {kind!r}, which is not in the vocabulary ({', '.join(sorted(vocabulary))}): "
            "load it with the search space it came from"
        )
    cls = vocabulary[kind]
    names = _field_names(cls)
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items() if k != "kind"}
    if unknown := sorted(set(values) - names):
        raise UserError(f"a genome gives the block {kind!r} the fields {unknown}; it has {sorted(names)}")
    return cls(**values)


@cache
def _field_names(cls: type[AnyOperator]) -> frozenset[str]:
    return frozenset(field.name for field in fields(cls))


def _words(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
