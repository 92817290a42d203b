"""A search space: the operators and macro structures that may be built, as one frozen value.

The sampler sees a flat, fixed set of distributions; `decode` makes a genome of a draw, `scale_to` fits it to the caps, and `encode` goes
back. The three are the only way between parameters and networks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import log, log10
from typing import Any

from optuna.distributions import CategoricalDistribution

from nas.blocks import AnyOperator, Bilinear, Block, DomainRouter, Down, Shape, Skip, Up, vocabulary_with
from nas.cost import Budget
from nas.errors import UserError
from nas.genome import Genome
from nas.space.decode import attention_place, decode, decoder_levels
from nas.space.encode import encode, proportions, stage_names
from nas.space.genes import Distributions, OperatorGene, ValueGene, width_gene
from nas.space.scale import Proportions, scale_to
from nas.topology import NumClasses


@dataclass(frozen=True)
class SearchSpace:
    """What may be built: an encoder-decoder whose stages, widths and connections are genes.

    A stage is a way down, then one to several equal blocks, then perhaps attention. Ways down and up and the decoder's attention are
    chosen once for a network, blocks, widths and skips for every level.

    Attributes:
        blocks: Operators of which one stands, once or repeated, in every encoder stage and decoder level.
        downs: Ways to halve the size between encoder stages.
        skips: Ways to join a level's features in the decoder, None for not at all.
        ups: Ways to double the size in the decoder.
        attention: Operators after a stage's blocks, None for nothing.
        context: Operators after the coarsest encoder stage, None for nothing.
        router: Operators after the context, None for nothing.
        stem: The operator on the image; must have fields `stride` and `width`.
        stem_strides: Strides of the stem in pixels: 1, 2 or 4.
        levels: Numbers of encoder stages.
        depths: Numbers of blocks in a stage.
        predictions: Sizes at which the classes are predicted, as image size over size: 1, 2, 4 or 8. Empty for the stem's.
        max_stride: Image pixels between neighbours at the coarsest level; deeper encoders end there.
        growth: Width ratios from one level to the next coarser one (1 is flat, 2 is doubling), before the stages' own genes.
        width_ratio: Bounds of a stage's width relative to the others.
        reference_width: Mean channels of a decoded genome, before scaling. Twice this is the largest width that `encode` returns exactly.
        min_width: Fewest channels of a stage.
        shared: Genes of operators that have one value in the whole network.
        name: How the space is called; set by `load_space`.
        summary: What it is for, in a line: the first of its file's docstring; set by `load_space`.
    """

    blocks: tuple[type[Block], ...]
    downs: tuple[type[Down], ...]
    skips: tuple[type[Skip] | None, ...]
    stem: type[Block]
    ups: tuple[type[Up], ...] = (Bilinear,)
    attention: tuple[type[Block] | None, ...] = (None,)
    context: tuple[type[Block] | None, ...] = (None,)
    router: tuple[type[Block] | None, ...] = (None,)
    stem_strides: tuple[int, ...] = (1, 2)
    levels: tuple[int, ...] = (2, 3, 4)
    depths: tuple[int, ...] = (1,)
    predictions: tuple[int, ...] = ()
    max_stride: int = 32
    growth: tuple[float, ...] = (1.0,)
    width_ratio: tuple[float, float] = (0.5, 2.0)
    reference_width: int = 128
    min_width: int = 4
    shared: tuple[str, ...] = ("norm", "floor", "reach")
    name: str = "unnamed"
    summary: str = ""

    def __post_init__(self) -> None:
        for field in ("blocks", "downs", "skips", "ups", "attention", "context", "router", "stem_strides", "levels", "depths", "growth"):
            if not getattr(self, field):
                raise UserError(f"the space needs at least one entry in `{field}`")
        if min(self.levels) < 2:
            raise UserError(f"a space needs at least 2 levels, it lists {min(self.levels)}")
        for field, allowed in (("stem_strides", (1, 2, 4)), ("predictions", (1, 2, 4, 8))):
            if wrong := set(getattr(self, field)) - set(allowed):
                raise UserError(f"`{field}` of a space are of {allowed}, it lists {sorted(wrong)}")
        if min(self.depths) < 1:
            raise UserError(f"a stage needs at least one block, `depths` of the space lists {min(self.depths)}")
        if not 2 <= self.min_width <= self.reference_width:
            raise UserError(
                f"`min_width` of a space is at least 2, since some operators halve their width, and at most `reference_width` "
                f"({self.reference_width}), it is {self.min_width}"
            )
        if not 0 < self.width_ratio[0] <= self.width_ratio[1]:
            raise UserError(f"`width_ratio` of a space is its lowest ratio and its highest, both above 0, it is {self.width_ratio}")

    @cached_property
    def vocabulary(self) -> dict[str, type[AnyOperator]]:
        """Kind -> operator class: the built-in ones and the space's own."""
        return vocabulary_with(option for option in self._named if option is not None)

    @property
    def _named(self) -> tuple[type[AnyOperator] | None, ...]:
        return (*self.blocks, *self.downs, *self.skips, *self.ups, *self.attention, *self.context, *self.router, self.stem)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the operators that it builds with."""
        return tuple(dict.fromkeys(option.kind for option in self._named if option is not None))

    @cached_property
    def values(self) -> dict[str, ValueGene]:
        """The genes of the macro structure."""
        options: dict[str, tuple[Any, ...]] = {
            "stem_stride": self.stem_strides,
            "levels": self.levels,
            "growth": self.growth,
            "prediction": self.predictions or (0,),
        }
        options |= {f"{stage}_depth": self.depths for stage in self.stages if stage != "stem"}
        return {name: ValueGene(name, values) for name, values in options.items()}

    @cached_property
    def operators(self) -> dict[str, OperatorGene]:
        """The genes that choose operators, by place. The levels of the decoder share their operators' own genes."""
        found: list[OperatorGene] = []

        def place(name: str, options: tuple[type[AnyOperator] | None, ...], scope: str) -> None:
            found.append(OperatorGene(name, options, scope, self.shared))

        place("stem", (self.stem,), "stem")
        place("down", self.downs, "down")
        place("up", self.ups, "up")
        place("context", self.context, "context")
        place("router", self.router, "router")
        place("decoder_attention", self.attention, "decoder")
        for stage in self.stages:
            if stage.startswith("encoder"):
                place(f"{stage}_block", self.blocks, stage)
                place(f"{stage}_attention", self.attention, stage)
            elif stage != "stem":
                place(f"{stage}_block", self.blocks, "decoder")
            if stage.startswith("decoder"):
                place(f"{stage}_skip", self.skips, "decoder")
        return {gene.name: gene for gene in found}

    @cached_property
    def stage_genes(self) -> dict[str, tuple[OperatorGene, ValueGene, OperatorGene]]:
        """Stage -> the genes of its block, its depth and its attention."""
        return {
            stage: (self.operators[f"{stage}_block"], self.values[f"{stage}_depth"], self.operators[attention_place(stage)])
            for stage in self.stages
            if stage != "stem"
        }

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that have a width gene."""
        levels, finest = max(self.levels), min(self.predictions, default=max(self.stem_strides))
        finer = decoder_levels(max(self.stem_strides), 1, finest)
        return stage_names(levels, levels - 1 + finer)

    def distributions(self) -> Distributions:
        """Parameter name -> distribution, the same for every draw."""
        return dict(self._distributions)

    @cached_property
    def _distributions(self) -> Distributions:
        found: Distributions = {}
        for value in self.values.values():
            found |= value.distributions()
        found |= {f"{stage}_width": width_gene(self.width_ratio) for stage in self.stages}
        for operator in self.operators.values():
            found |= operator.distributions()
        return found

    @cached_property
    def log10_size(self) -> float:
        """Logarithm of the number of settings of all choices, widths apart; inactive genes make many of them the same network."""
        choices = (d for d in self._distributions.values() if isinstance(d, CategoricalDistribution))
        return sum(log10(len(choice.choices)) for choice in choices)

    def decode(self, params: Mapping[str, Any]) -> Genome:
        """A buildable genome at the reference width; inactive genes are dropped."""
        return decode(self, params)

    def scale_to(self, genome: Genome, budget: Budget, in_shape: Shape, num_classes: NumClasses, rough: bool = False) -> Genome:
        """The same structure with the widths that fill the tightest cap; `rough`: nearly, in a quarter of the time.

        Raises:
            Misfit: The narrowest form is over a cap.
        """
        low, high = self.width_ratio
        levels = len(genome.encoder)
        allowed = Proportions(lambda widths: proportions(self.growth, levels, widths)[1], log(high / low))
        return scale_to(genome, budget, in_shape, num_classes, self.min_width, allowed, rough)

    def encode(self, genome: Genome) -> dict[str, Any]:
        """Parameters whose decoded and scaled genome has the same structure, and widths within 1.

        Raises:
            UserError: The space does not offer an operator or value of the genome.
        """
        return encode(self, genome)


LEAST_SIDE = 8
"""Pixels of the shorter side at the coarsest level. On smaller maps a window sees nothing that pooling over the image does not."""


def sized(space: SearchSpace, height: int, width: int) -> SearchSpace:
    """The space for images of a size: no level whose maps are smaller than `LEAST_SIDE` pixels, beyond the two that every network has."""
    largest = max(1, min(height, width) // LEAST_SIDE)
    return replace(space, max_stride=min(space.max_stride, 2 ** (largest.bit_length() - 1)))


def routed(space: SearchSpace) -> SearchSpace:
    """The space with a router in every network, as one that serves several data sets at once needs it."""
    return replace(space, router=tuple(option for option in space.router if option is not None) or (DomainRouter,))


def with_router(space: SearchSpace, genome: Genome) -> Genome:
    """The genome, with the space's first router where the space wants one and the genome has none."""
    first = space.router[0]
    return genome if genome.router or first is None else replace(genome, router=(first(),))
