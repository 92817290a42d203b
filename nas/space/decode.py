"""From a draw to a genome: takes the active genes and drops the others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log2
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
    stride: int = space.values["stem_stride"].decode(params)
    levels = allowed_levels(space.values["levels"].decode(params), stride, space.max_stride)
    depth = decoder_levels(stride, levels, space.values["prediction"].decode(params))
    make = _Maker(space, params, levels)
    context, router = make.operator("context", levels), make.operator("router", levels)
    return Genome(
        stem=_stem(make, stride),
        encoder=tuple(make.stage(f"encoder{i}", i, down=i > 1) for i in range(1, levels + 1)),
        context=() if context is None else (cast("Block", context),),
        decoder=tuple(make.decoder_level(level) for level in range(levels - 1, levels - 1 - depth, -1)),
        router=() if router is None else (cast("Block", router),),
    )


def allowed_levels(wanted: int, stem_stride: int, max_stride: int) -> int:
    """As many encoder stages as wanted, or as lead to the space's largest stride, and 2 at least."""
    return max(2, min(wanted, 1 + int(log2(max_stride / stem_stride))))


def decoder_levels(stem_stride: int, levels: int, prediction: int) -> int:
    """Steps from the coarsest level to the one that predicts; a prediction coarser than that is made there."""
    coarsest = stem_stride * 2 ** (levels - 1)
    return max(0, int(log2(coarsest / (prediction or stem_stride))))


def level_name(level: int) -> str:
    """Name of the genes of a decoder level: levels below 1 are finer than the stem."""
    return f"decoder{level}" if level > 0 else f"fine{1 - level}"


@dataclass(frozen=True)
class _Maker:
    """Makes operators and stages of a draw.

    Channels of a stage: reference width x growth, centred on the middle level, x the stage's own gene.
    """

    space: "SearchSpace"
    params: Mapping[str, Any]
    levels: int

    def width(self, stage: str, level: int) -> int:
        growth: float = self.space.values["growth"].decode(self.params)
        factor: float = growth ** (max(1, level) - (self.levels + 1) / 2) * self.params[f"{stage}_width"]
        return max(self.space.min_width, round(self.space.reference_width * factor))

    def operator(self, place: str, level: int) -> Any:
        """At the width of the encoder's stage."""
        return self.space.operators[place].decode(self.params, self.width(f"encoder{level}", level))

    def stage(self, name: str, level: int, *, down: bool) -> Stage:
        block, depth, attention = self.space.stage_genes[name]
        width = self.width(name, level)
        found: list[Any] = [self.space.operators["down"].decode(self.params, width)] if down else []
        found += [block.decode(self.params, width)] * depth.decode(self.params)
        gate = attention.decode(self.params)
        return tuple(found if gate is None else [*found, gate])

    def decoder_level(self, level: int) -> DecoderLevel:
        genes, name = self.space.operators, level_name(level)
        skip = genes[f"{name}_skip"].decode(self.params) if level > 0 else None
        return DecoderLevel(cast("Up", genes["up"].decode(self.params)), cast("Skip | None", skip), self.stage(name, level, down=False))


def attention_place(stage: str) -> str:
    """Where a stage's attention is chosen: each encoder stage for itself, the decoder once."""
    return f"{stage}_attention" if stage.startswith("encoder") else "decoder_attention"


def _stem(make: _Maker, stride: int) -> Stage:
    """One operator, or two of stride 2 for a stride of 4."""
    block: Any = make.space.operators["stem"].decode(make.params, make.width("stem", 1))
    strides = {1: (1,), 2: (2,), 4: (2, 2)}[stride]
    return tuple(replace(block, stride=part) for part in strides)
