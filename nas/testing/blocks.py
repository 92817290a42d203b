"""What every operator of a vocabulary promises.

Parameters and MACs are those of the module it builds; the module gives the shape it says; it trains on a batch of one image, and a
gradient reaches every parameter; its JSON gives it back; its module can stand in a file of its own.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from nas.blocks import AnyOperator, Block, Down, Shape, Skip, Up, WideBlock, WideDown, vocabulary_with
from nas.blocks.base import from_dict
from nas.evaluate.activations import measured_peak
from nas.testing.genomes import counted_macs

SHAPES: tuple[Shape, ...] = ((4, 16, 16), (6, 17, 23), (12, 8, 6))
"""Shapes that a block is tried on: square, odd, and with more channels than its output."""

WINDOW_CHANNELS = 6
WINDOW_TRIES = 4
"""Random weights that the window is looked for with: a ReLU may hide parts of it once."""


def block_variants(cls: type[AnyOperator]) -> Iterator[AnyOperator]:
    """The operator with every combination of its genes, and widths below, at and above the input's."""
    names = list(cls.genes)
    widths = (5,) if issubclass(cls, Up) and cls.learned else (4, 6, 9) if issubclass(cls, WideBlock) else (None,)
    for chosen in itertools.product(*(cls.genes[name] for name in names)):
        for width in widths:
            values: dict[str, Any] = dict(zip(names, chosen, strict=True))
            yield cls(**values) if width is None else cls(**values | {"width": width * _multiple(cls)})
    if issubclass(cls, Up) and not cls.learned:
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
    if isinstance(operator, Block | Up):
        _check_window(operator)


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
    _check_workspace(operator, in_shape, inputs, where)
    if isinstance(operator, Down):
        channels = operator.width if isinstance(operator, WideDown) else in_shape[0]
        halves = (channels, *(-(-size // 2) for size in in_shape[1:]))
        assert expected == halves, f"{where}: a way down gives {halves}, the size halved and rounded up, not {expected}"
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


def _check_workspace(operator: AnyOperator, in_shape: Any, inputs: Sequence[torch.Tensor], where: str) -> None:
    """Against the referee: the peak where the input is held by a skip, and where it is freed after its last use."""
    reading, after = operator.workspace(in_shape)
    entered = sum(tensor.numel() for tensor in inputs)
    module = operator.build(in_shape)
    held, freed = (measured_peak(module, inputs, hold_inputs=hold) for hold in (True, False))
    says = (entered + max(reading, after), max(entered + reading, after))
    assert says[0] == held, f"{where}: says that {says[0]} elements are alive at the peak while its input is held, {held} are"
    most = freed + entered if operator.keeps_input else freed
    assert freed <= says[1] <= most, f"{where}: says that {says[1]} elements are alive at the peak, {freed} are"


def _check_window(operator: Block | Up) -> None:
    """Follows gradients from single output pixels back to the input: they reach as far as `extent` says, and not farther."""
    size = 16 if operator.sees_all() else 3 * operator.extent() + 13
    shape = (WINDOW_CHANNELS, size, size)
    side = 0
    for _ in range(WINDOW_TRIES):
        module = operator.build(shape).eval()
        x = torch.randn(1, *shape, requires_grad=True)
        y = module(x)
        for row, column in itertools.product((y.shape[-2] // 2, y.shape[-2] // 2 + 1), (y.shape[-1] // 2, y.shape[-1] // 2 + 1)):
            (gradient,) = torch.autograd.grad((y[0, :, row, column] * torch.randn(y.shape[1])).sum(), x, retain_graph=True)
            seen = gradient.abs().sum((0, 1)).nonzero()
            side = max(side, int((seen.max(0).values - seen.min(0).values).max()) + 1 if len(seen) else 0)
    expected = size if operator.sees_all() else operator.extent()
    what = "the whole image" if operator.sees_all() else f"{expected} pixels"
    assert side == expected, f"{operator}: says that an output pixel sees {what} along a side, it sees {side} of {size}"
