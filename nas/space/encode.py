"""From a genome back to a draw, so that known networks can start a search and stored ones can be compared with new ones."""

from collections.abc import Sequence
from math import exp, log, prod
from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution

from nas.blocks import AnyOperator, Down, WideBlock
from nas.errors import UserError
from nas.genome import Genome, Stage
from nas.space.decode import allowed_levels, attention_place, level_name

if TYPE_CHECKING:
    from nas.space.space import SearchSpace


def encode(space: "SearchSpace", genome: Genome) -> dict[str, Any]:
    """Parameters that decode to the genome's structure and proportions; inactive genes get their first option or the middle.

    Raises:
        UserError: The space does not offer a part of the genome.
    """
    found = _Found(space)
    levels = len(genome.encoder)
    stride = found.stem(genome.stem)
    found.value("levels", levels)
    if allowed_levels(levels, stride, space.max_stride) != levels:
        raise UserError(f"the space goes down to 1/{space.max_stride} of images of this size, the network goes further")
    found.prediction(stride, stride * 2 ** (levels - 1) // 2 ** len(genome.decoder))
    for level, stage in enumerate(genome.encoder, start=1):
        found.stage(f"encoder{level}", stage)
    found.operator("context", found.only(genome.context))
    found.operator("router", found.only(genome.router))
    for level, part in zip(range(levels - 1, -levels, -1), genome.decoder, strict=False):
        name = level_name(level)
        found.operator("up", part.up)
        if level > 0:
            found.operator(f"{name}_skip", part.skip)
        found.stage(name, part.blocks)
    return default_params(space) | found.params | _encode_widths(space, genome)


def default_params(space: "SearchSpace") -> dict[str, Any]:
    """The first option of every choice and the middle of every range."""
    return {name: _default(distribution) for name, distribution in space.distributions().items()}


def _default(distribution: object) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, FloatDistribution)
    return exp((log(distribution.low) + log(distribution.high)) / 2)


class _Found:
    """Parameters found so far; a gene that the whole network shares must be found the same everywhere."""

    def __init__(self, space: "SearchSpace") -> None:
        self.space = space
        self.params: dict[str, Any] = {}

    def take(self, params: dict[str, Any]) -> None:
        for name, value in params.items():
            if self.params.setdefault(name, value) != value:
                raise UserError(f"the space has one {name} for all places, the genome has both {self.params[name]!r} and {value!r}")

    def value(self, name: str, value: object) -> None:
        self.take(self.space.values[name].encode(value))

    def operator(self, place: str, operator: AnyOperator | None) -> None:
        if place not in self.space.operators:
            raise UserError(f"the space has no place {place!r}")
        self.take(self.space.operators[place].encode(operator))

    def only(self, operators: tuple[AnyOperator, ...]) -> AnyOperator | None:
        if len(operators) > 1:
            raise UserError(f"the space offers one operator at a place, the genome has {[operator.kind for operator in operators]}")
        return operators[0] if operators else None

    def stem(self, stem: Stage) -> int:
        """Takes the stem up; gives its stride."""
        strides = [int(block.scale()) for block in stem]
        if strides not in ([1], [2], [2, 2]) or len({block.kind for block in stem}) != 1:
            raise UserError(f"the space's stem is one block, or two alike for a stride of 4; the genome's is {[b.label() for b in stem]}")
        self.value("stem_stride", prod(strides))
        for block in stem:
            self.operator("stem", block)
        return prod(strides)

    def prediction(self, stem_stride: int, stride: int) -> None:
        if self.space.predictions:
            self.value("prediction", stride)
        elif stride != stem_stride:
            raise UserError(f"the space predicts at the stem's size, the genome at 1/{stride} of the image")

    def stage(self, name: str, stage: Stage) -> None:
        """A way down, equal blocks, attention."""
        downs = tuple(block for block in stage if isinstance(block, Down))
        wide = tuple(block for block in stage if isinstance(block, WideBlock) and not isinstance(block, Down))
        others = tuple(block for block in stage if not isinstance(block, Down | WideBlock))
        if not wide or any(block != wide[0] for block in wide) or (*downs, *wide, *others) != stage:
            labels = [block.label() for block in stage]
            raise UserError(f"the space's stages are a way down, equal blocks, attention; the genome's {name} is {labels}")
        if f"{name}_block" not in self.space.operators:
            raise UserError(f"the space has no stage {name}")
        if name.startswith("encoder") and name != "encoder1":
            self.operator("down", self.only(downs))
        self.operator(f"{name}_block", wide[0])
        self.value(f"{name}_depth", len(wide))
        self.operator(attention_place(name), self.only(others))


def _encode_widths(space: "SearchSpace", genome: Genome) -> dict[str, Any]:
    low, high = map(log, space.width_ratio)
    growth, found = proportions(space.growth, len(genome.encoder), genome.widths)
    shift = (low + high) / 2 - (max(found) + min(found)) / 2
    names = stage_names(len(genome.encoder), len(genome.decoder))
    ratios = {f"{name}_width": exp(min(high, max(low, value + shift))) for name, value in zip(names, found, strict=True)}
    return space.values["growth"].encode(growth) | ratios


def stage_names(levels: int, decoder: int) -> tuple[str, ...]:
    """Names of the stages that have a width, in the order of `Genome.widths`."""
    return ("stem", *(f"encoder{i}" for i in range(1, levels + 1)), *(level_name(levels - 1 - i) for i in range(decoder)))


def proportions(growths: tuple[float, ...], levels: int, widths: Sequence[int]) -> tuple[float, list[float]]:
    """The growth under which the stages' own factors have the narrowest range, and the logarithms of those factors.

    Args:
        growths: What may be chosen.
        levels: Encoder stages.
        widths: As `Genome.widths` has them.
    """
    level_of = (1, *range(1, levels + 1), *(max(1, levels - 1 - i) for i in range(len(widths) - levels - 1)))
    logs = [log(width) for width in widths]
    best: tuple[float, float, list[float]] | None = None
    for growth in growths:
        step = log(growth)
        factors = [width - level * step for width, level in zip(logs, level_of, strict=True)]
        spread = max(factors) - min(factors)
        if best is None or spread < best[0]:
            best = spread, growth, factors
    assert best is not None
    return best[1], best[2]
