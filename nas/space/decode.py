"""From a draw to a genome: takes the active genes and drops the others."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from nas.blocks import Block, Skip, Up
from nas.genome import DecoderLevel, Genome, Stage

if TYPE_CHECKING:
    from nas.space.space import SearchSpace


def decode(space: "SearchSpace", params: Mapping[str, Any]) -> Genome:
    """The genome of `params` at the space's reference width.

    Args:
        space: Where the parameters were drawn.
        params: A value for every distribution of the space.
    """
    levels: int = space.values["levels"].decode(params)
    widths = _Widths(space, params, levels)
    stem = space.stem(stride=space.values["stem_stride"].decode(params), width=widths.of("stem", 1))  # type: ignore[call-arg]
    encoder = tuple(_stage(space, params, f"encoder{i}", widths.of(f"encoder{i}", i)) for i in range(1, levels + 1))
    context = space.operators["context"].decode(params, widths.of(f"encoder{levels}", levels))
    decoder = tuple(_decoder_level(space, params, i, widths) for i in range(levels - 1, 0, -1))
    return Genome((stem,), encoder, () if context is None else (cast("Block", context),), decoder)


class _Widths:
    """Channels of a stage: reference width x growth, centred on the middle level, x the stage's own gene."""

    def __init__(self, space: "SearchSpace", params: Mapping[str, Any], levels: int) -> None:
        self.space, self.params = space, params
        self.growth: float = space.values["growth"].decode(params)
        self.middle = (levels + 1) / 2

    def of(self, stage: str, level: int) -> int:
        factor: float = self.growth ** (level - self.middle) * self.params[f"{stage}_width"]
        return max(self.space.min_width, round(self.space.reference_width * factor))


def _stage(space: "SearchSpace", params: Mapping[str, Any], name: str, width: int) -> Stage:
    places = (f"{name}_down", f"{name}_block", f"{name}_attention")
    chosen = (space.operators[place].decode(params, width) for place in places if place in space.operators)
    return tuple(cast("Block", operator) for operator in chosen if operator is not None)


def _decoder_level(space: "SearchSpace", params: Mapping[str, Any], level: int, widths: _Widths) -> DecoderLevel:
    name = f"decoder{level}"
    return DecoderLevel(
        up=cast("Up", space.operators[f"{name}_up"].decode(params)),
        skip=cast("Skip", space.operators[f"{name}_skip"].decode(params)),
        blocks=_stage(space, params, name, widths.of(name, level)),
    )
