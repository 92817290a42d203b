"""A search space: the operators and macro structures that may be built, as one frozen value.

The sampler sees a flat, fixed set of distributions; `decode` makes a genome of a draw, `scale_to` fits it to the caps, and `encode` goes
back. The three are the only way between parameters and networks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Any

from nas.blocks import AnyOperator, Bilinear, Block, Down, Shape, Skip, Up, vocabulary_with
from nas.cost import Budget
from nas.errors import UserError
from nas.genome import Genome
from nas.space.decode import decode
from nas.space.encode import encode, proportions, stage_names
from nas.space.genes import Distributions, OperatorGene, ValueGene, width_gene
from nas.space.scale import Proportions, scale_to
from nas.topology import NumClasses


@dataclass(frozen=True)
class SearchSpace:
    """What may be built: an encoder-decoder whose stages, widths and connections are genes.

    Attributes:
        blocks: Operators of which one stands in every encoder stage and decoder level.
        downs: Ways to halve the size between encoder stages.
        skips: Ways to join a level's features in the decoder.
        ups: Ways to double the size in the decoder.
        attention: Operators after a stage's block, None for nothing.
        context: Operators after the coarsest encoder stage, None for nothing.
        stem: The operator on the image; must have genes or fields `stride` and `width`.
        stem_strides: Strides of the stem in pixels.
        levels: Numbers of encoder stages.
        growth: Width ratios from one level to the next coarser one (1 is flat, 2 is doubling), before the stages' own genes.
        width_ratio: Bounds of a stage's width relative to the others.
        reference_width: Mean channels of a decoded genome, before scaling. Twice this is the largest width that `encode` returns exactly.
        min_width: Fewest channels of a stage.
        name: How the space is called; set by `load_space`.
    """

    blocks: tuple[type[Block], ...]
    downs: tuple[type[Down], ...]
    skips: tuple[type[Skip], ...]
    stem: type[Block]
    ups: tuple[type[Up], ...] = (Bilinear,)
    attention: tuple[type[Block] | None, ...] = (None,)
    context: tuple[type[Block] | None, ...] = (None,)
    stem_strides: tuple[int, ...] = (1, 2)
    levels: tuple[int, ...] = (2, 3, 4)
    growth: tuple[float, ...] = (1.0,)
    width_ratio: tuple[float, float] = (0.5, 2.0)
    reference_width: int = 128
    min_width: int = 4
    name: str = "unnamed"

    def __post_init__(self) -> None:
        for field in ("blocks", "downs", "skips", "ups", "attention", "context", "stem_strides", "levels", "growth"):
            if not getattr(self, field):
                raise UserError(f"the space needs at least one entry in `{field}`")
        if min(self.levels) < 2:
            raise UserError(f"a space needs at least 2 levels, it lists {min(self.levels)}")

    @cached_property
    def vocabulary(self) -> dict[str, type[AnyOperator]]:
        """Kind -> operator class: the built-in ones and the space's own."""
        named = (*self.blocks, *self.downs, *self.skips, *self.ups, *self.attention, *self.context, self.stem)
        return vocabulary_with(option for option in named if option is not None)

    @cached_property
    def values(self) -> dict[str, ValueGene]:
        """The genes of the macro structure."""
        options = {"stem_stride": self.stem_strides, "levels": self.levels, "growth": self.growth}
        return {name: ValueGene(name, values) for name, values in options.items()}

    @cached_property
    def operators(self) -> dict[str, OperatorGene]:
        """The genes that choose operators, by place."""
        places: dict[str, tuple[type[AnyOperator] | None, ...]] = {}
        for level in range(1, max(self.levels) + 1):
            places |= {f"encoder{level}_block": self.blocks, f"encoder{level}_attention": self.attention}
            if level > 1:
                places[f"encoder{level}_down"] = self.downs
        places["context"] = self.context
        for level in range(1, max(self.levels)):
            places |= {f"decoder{level}_up": self.ups, f"decoder{level}_skip": self.skips}
            places |= {f"decoder{level}_block": self.blocks, f"decoder{level}_attention": self.attention}
        return {name: OperatorGene(name, options) for name, options in places.items()}

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that have a width gene."""
        return stage_names(max(self.levels))

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

    def decode(self, params: Mapping[str, Any]) -> Genome:
        """A buildable genome at the reference width; inactive genes are dropped."""
        return decode(self, params)

    def scale_to(self, genome: Genome, budget: Budget, in_shape: Shape, num_classes: NumClasses) -> Genome:
        """The same structure with the widths that fill the tightest cap.

        Raises:
            Misfit: The narrowest form is over a cap.
        """
        low, high = self.width_ratio
        return scale_to(
            genome, budget, in_shape, num_classes, self.min_width, Proportions(lambda g: proportions(self.growth, g)[1], log(high / low))
        )

    def encode(self, genome: Genome) -> dict[str, Any]:
        """Parameters whose decoded and scaled genome has the same structure, and widths within 1.

        Raises:
            UserError: The space does not offer an operator or value of the genome.
        """
        return encode(self, genome)
