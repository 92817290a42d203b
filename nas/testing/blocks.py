"""What every operator of a vocabulary promises.

Parameters and MACs are those of the module it builds; the module gives the shape it says; it trains on a batch of one image, and a
gradient reaches every parameter; its JSON gives it back; its module can stand in a file of its own.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from nas.blocks import AnyOperator, Down, Shape, Skip, Up, WideBlock, vocabulary_with
from nas.blocks.base import from_dict
from nas.testing.genomes import counted_macs

SHAPES: tuple[Shape, ...] = ((4, 16, 16), (6, 17, 23), (12, 8, 6))
"""Shapes that a block is tried on: square, odd, and with more channels than its output."""


def block_variants(cls: type[AnyOperator]) -> Iterator[AnyOperator]:
    """The operator with every combination of its genes, and widths below, at and above the input's."""
    names = list(cls.genes)
    widths = (4, 6, 9) if issubclass(cls, WideBlock) else (None,)
    for chosen in itertools.product(*(cls.genes[name] for name in names)):
        for width in widths:
            values: dict[str, Any] = dict(zip(names, chosen, strict=True))
            yield cls(**values) if width is None else cls(**values | {"width": width * _multiple(cls)})
    if issubclass(cls, Up):
        yield cls(width=5)


def _multiple(cls: type[AnyOperator]) -> int:
    return cls.width_multiple if issubclass(cls, WideBlock) else 1


def check_operator(operator: AnyOperator) -> None:
    """Sends one operator through all promises.

    Raises:
        AssertionError: A promise is broken; the message says which, for which operator and shape.
    """
    vocabulary = vocabulary_with([type(operator)])
    rebuilt = from_dict(operator.to_dict(), vocabulary)
    written = operator.to_dict()
    assert rebuilt.to_dict() == written, f"{operator}: its JSON gives back {rebuilt}"
    assert hash(operator) is not None, f"{operator} must be hashable: use tuples for fields with several values"
    assert operator.label(), f"{operator} needs a label"
    for shape in SHAPES:
        _check_at(operator, _inputs(operator, shape))


def _inputs(operator: AnyOperator, shape: Shape) -> Any:
    """The shape itself, or for a skip the pair of an upsampled and an encoder's shape, cropping included."""
    if not isinstance(operator, Skip):
        return shape
    channels, height, width = shape
    coarse = channels if operator.equal_channels else channels + 3
    return ((coarse, height + height % 2, width + width % 2), shape)


def _check_at(operator: AnyOperator, in_shape: Any) -> None:
    where = f"{operator} at {in_shape}"
    module = operator.build(in_shape)
    shapes = in_shape if isinstance(operator, Skip) else (in_shape,)
    inputs = [torch.randn(1, *shape) for shape in shapes]
    module.train()
    output = module(*inputs)
    expected = operator.out_shape(in_shape)
    assert tuple(output.shape[1:]) == expected, f"{where}: says it gives {expected}, gives {tuple(output.shape[1:])}"
    params = sum(parameter.numel() for parameter in module.parameters())
    assert operator.params(in_shape) == params, f"{where}: says {operator.params(in_shape)} parameters, its module has {params}"
    seen = counted_macs(module, *inputs)
    assert operator.macs(in_shape) == seen, f"{where}: says {operator.macs(in_shape)} MACs, its module does {seen}"
    _check_gradients(where, module, output)
    _check_workspace(operator, in_shape, where)
    if isinstance(operator, Down):
        halves = tuple(-(-size // 2) for size in in_shape[1:])
        assert expected == (in_shape[0], *halves), f"{where}: a way down keeps the channels and halves the size rounded up, not {expected}"
    if isinstance(operator, Up):
        doubled = (operator.width or in_shape[0], 2 * in_shape[1], 2 * in_shape[2])
        assert expected == doubled, f"{where}: a way up gives {doubled}, not {expected}"


def _check_gradients(where: str, module: nn.Module, output: torch.Tensor) -> None:
    parameters = dict(module.named_parameters())
    if not parameters:
        return
    torch.autograd.backward((output * torch.randn_like(output)).sum())
    idle = [name for name, parameter in parameters.items() if parameter.grad is None]
    assert not idle, f"{where}: no gradient reaches {idle}"
    broken = [name for name, parameter in parameters.items() if parameter.grad is not None and not parameter.grad.isfinite().all()]
    assert not broken, f"{where}: the gradient of {broken} is not finite"


def _check_workspace(operator: AnyOperator, in_shape: Any, where: str) -> None:
    channels, height, width = operator.out_shape(in_shape)
    reading, after = operator.workspace(in_shape)
    output = channels * height * width
    assert max(reading, after) >= output, f"{where}: its workspace {reading}, {after} does not hold its output of {output} elements"
