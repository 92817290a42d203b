"""From a genome back to a draw, so that known networks can start a search and stored ones can be compared with new ones."""

from math import exp, log
from typing import TYPE_CHECKING, Any

from optuna.distributions import CategoricalDistribution, FloatDistribution

from nas.blocks import AnyOperator, Down, WideBlock
from nas.errors import UserError
from nas.genome import Genome, Stage

if TYPE_CHECKING:
    from nas.space.space import SearchSpace


def encode(space: "SearchSpace", genome: Genome) -> dict[str, Any]:
    """Parameters that decode to the genome's structure and proportions; inactive genes get their first option or the middle.

    Raises:
        UserError: The space does not offer a part of the genome.
    """
    params = default_params(space)
    levels = len(genome.encoder)
    stem, *others = genome.stem
    if others or not isinstance(stem, space.stem):
        raise UserError(f"the space's stem is one {space.stem.kind}, the genome's is {[block.kind for block in genome.stem]}")
    params |= space.values["levels"].encode(levels)
    params |= space.values["stem_stride"].encode(getattr(stem, "stride", 1))
    for level, stage in enumerate(genome.encoder, start=1):
        params |= _encode_stage(space, f"encoder{level}", stage)
    params |= space.operators["context"].encode(_only(genome.context))
    for level, part in zip(range(levels - 1, 0, -1), genome.decoder, strict=True):
        params |= space.operators[f"decoder{level}_up"].encode(part.up)
        params |= space.operators[f"decoder{level}_skip"].encode(part.skip)
        params |= _encode_stage(space, f"decoder{level}", part.blocks)
    return params | _encode_widths(space, genome)


def default_params(space: "SearchSpace") -> dict[str, Any]:
    """The first option of every choice and the middle of every range."""
    return {name: _default(distribution) for name, distribution in space.distributions().items()}


def _default(distribution: object) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, FloatDistribution)
    return exp((log(distribution.low) + log(distribution.high)) / 2)


def _only(operators: tuple[AnyOperator, ...]) -> AnyOperator | None:
    if len(operators) > 1:
        raise UserError(f"the space offers one operator at a place, the genome has {[operator.kind for operator in operators]}")
    return operators[0] if operators else None


def _encode_stage(space: "SearchSpace", name: str, stage: Stage) -> dict[str, Any]:
    downs = tuple(block for block in stage if isinstance(block, Down))
    wide = tuple(block for block in stage if isinstance(block, WideBlock))
    others = tuple(block for block in stage if not isinstance(block, Down | WideBlock))
    params = space.operators[f"{name}_block"].encode(_only(wide)) | space.operators[f"{name}_attention"].encode(_only(others))
    if f"{name}_down" in space.operators:
        params |= space.operators[f"{name}_down"].encode(_only(downs))
    return params


def _encode_widths(space: "SearchSpace", genome: Genome) -> dict[str, Any]:
    low, high = map(log, space.width_ratio)
    growth, found = proportions(space.growth, genome)
    shift = (low + high) / 2 - (max(found) + min(found)) / 2
    names = stage_names(len(genome.encoder))
    ratios = {f"{name}_width": exp(min(high, max(low, value + shift))) for name, value in zip(names, found, strict=True)}
    return space.values["growth"].encode(growth) | ratios


def stage_names(levels: int) -> tuple[str, ...]:
    """Names of the stages that have a width, in the order of `Genome.widths`."""
    return ("stem", *(f"encoder{i}" for i in range(1, levels + 1)), *(f"decoder{i}" for i in range(levels - 1, 0, -1)))


def proportions(growths: tuple[float, ...], genome: Genome) -> tuple[float, list[float]]:
    """The growth under which the stages' own factors have the narrowest range, and the logarithms of those factors."""
    levels = len(genome.encoder)
    level_of = (1, *range(1, levels + 1), *range(levels - 1, 0, -1))

    def factors(growth: float) -> list[float]:
        return [log(width) - level * log(growth) for width, level in zip(genome.widths, level_of, strict=True)]

    found = {growth: factors(growth) for growth in growths}
    return min(found.items(), key=lambda item: max(item[1]) - min(item[1]))
