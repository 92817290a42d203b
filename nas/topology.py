"""The wiring: which operator receives what, in which order. The only place that knows it.

Cost, network and exported file all read the steps that `walk` yields, so they cannot disagree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from nas.blocks import AnyOperator, Block, Head, Pair, Resize, Shape, Skip
from nas.errors import UserError
from nas.genome import DecoderLevel, Genome

IMAGE = "image"
"""Name of the value that enters the network."""

NumClasses = int | tuple[int, ...]
"""Logits, background included; a tuple gives one head a data set."""


class Step(NamedTuple):
    """One operator where it stands.

    Attributes:
        stage: Name of the stage it belongs to; the stage's last step gives the value of that name.
        operator: What acts.
        sources: Names of the values that enter a stage's first step; empty for the others, which follow the step before them.
        in_shape: Shape received, a pair for skips.
        out_shape: Shape given.
    """

    stage: str
    operator: AnyOperator
    sources: tuple[str, ...]
    in_shape: Shape | Pair
    out_shape: Shape

    def params(self) -> int:
        """Learnable parameters."""
        return self.operator.params(self.in_shape)  # type: ignore[arg-type]

    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.operator.macs(self.in_shape)  # type: ignore[arg-type]


class _Walker:
    """Collects steps and remembers the shape of every named value."""

    def __init__(self, in_shape: Shape) -> None:
        self.shapes: dict[str, Shape] = {IMAGE: in_shape}
        self.steps: list[Step] = []
        self.stride = 1.0  # Image pixels between neighbours of the latest value.

    def stage(self, name: str, blocks: Sequence[Block], source: str) -> str:
        shape = self.shapes[source]
        sources: tuple[str, ...] = (source,)
        for block in blocks:
            out_shape = block.out_shape(shape)
            self.stride *= block.scale()
            self.steps.append(Step(name, block, sources, shape, out_shape))
            shape, sources = out_shape, ()
        if not blocks:
            return source
        self.shapes[name] = shape
        return name

    def join(self, name: str, skip: Skip, coarse: str, fine: str) -> str:
        pair = self.shapes[coarse], self.shapes[fine]
        self.shapes[name] = skip.out_shape(pair)
        self.steps.append(Step(name, skip, (coarse, fine), pair, self.shapes[name]))
        return name


def walk(genome: Genome, in_shape: Shape, num_classes: NumClasses) -> tuple[Step, ...]:
    """All operators in execution order with the shapes they receive.

    Levels are numbered from fine (1, at the stem's size) to coarse; `encoder2` is the encoder's stage at level 2, `up1` brings features to
    level 1, `join1` is the skip there and `decoder1` what follows. `fineup1` and `fine1` go one step finer than the stem's size, `fineup2`
    and `fine2` two. Heads are `head`, or `head1`, `head2`, ... for several data sets.

    Args:
        genome: What to walk.
        in_shape: Channels, height and width of one image.
        num_classes: Logits, or one number a data set.

    Raises:
        UserError: The genome's parts do not fit together.
    """
    walker = _Walker(in_shape)
    value = walker.stage("stem", genome.stem, IMAGE)
    encoded = []
    for level, stage in enumerate(genome.encoder, start=1):
        value = walker.stage(f"encoder{level}", stage, value)
        encoded.append(value)
    value = walker.stage("context", genome.context, value)
    value = walker.stage("router", genome.router, value)
    for level, part in zip(range(len(encoded) - 1, -len(genome.decoder), -1), genome.decoder, strict=False):
        value = _decode(walker, part, level, value, encoded[level - 1] if level > 0 else None)
    if walker.stride < 1:
        raise UserError(f"a genome predicts at {1 / walker.stride:g} times the image's size: give it fewer decoder levels")
    factor = int(walker.stride)
    for name, classes in head_names(num_classes):
        tail: tuple[Block, ...] = (Head(classes), Resize(factor)) if factor > 1 else (Head(classes),)
        walker.stage(name, tail, value)
    return tuple(walker.steps)


def _decode(walker: _Walker, part: DecoderLevel, level: int, coarse: str, fine: str | None) -> str:
    """One decoder level; `fine` is the encoder's value there, None at levels finer than the stem."""
    up_name, name = (f"up{level}", f"decoder{level}") if fine else (f"fineup{1 - level}", f"fine{1 - level}")
    if part.skip and fine is None:
        raise UserError(f"a genome has a skip at {name}, finer than its stem, where the encoder has no features: give it none there")
    up = part.up
    if part.skip and part.skip.equal_channels and fine:
        up = replace(up, width=walker.shapes[fine][0])
    elif up.learned:
        up = replace(up, width=part.width)
    value = walker.stage(up_name, (up,), coarse)
    if part.skip and fine:
        value = walker.join(f"join{level}", part.skip, value, fine)
    return walker.stage(name, part.blocks, value)


def head_names(num_classes: NumClasses) -> tuple[tuple[str, int], ...]:
    """Name of each head's stage with its number of logits."""
    if isinstance(num_classes, int):
        return (("head", num_classes),)
    return tuple((f"head{i}", classes) for i, classes in enumerate(num_classes, start=1))


def by_stage(steps: Sequence[Step]) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The steps of each stage together, in execution order."""
    for name, members in groupby(steps, key=lambda step: step.stage):
        yield name, tuple(members)
