"""Random draws of a search space, uniform and without a sampler's memory."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution

from nas.blocks import Shape
from nas.cost import Budget
from nas.errors import UserError
from nas.genome import Genome
from nas.space.scale import Misfit
from nas.space.space import SearchSpace
from nas.topology import NumClasses

MAX_MISFITS = 1_000
"""Draws over the caps in a row, after which there is no hope for another."""


def random_params(space: SearchSpace, draw: random.Random) -> dict[str, Any]:
    """A draw of every gene, uniform over choices and over the logarithm of widths."""
    params: dict[str, Any] = {}
    for name, distribution in space.distributions().items():
        if isinstance(distribution, CategoricalDistribution):
            params[name] = draw.choice(distribution.choices)
        else:
            assert isinstance(distribution, FloatDistribution), f"gene {name} is neither a choice nor a width"
            params[name] = distribution.low * (distribution.high / distribution.low) ** draw.random()
    return params


@dataclass
class ScaledDraws:
    """Random genomes that fit, without end.

    Attributes:
        space: What is drawn from.
        budget: Caps that the genomes are scaled to.
        in_shape: Channels, height and width of the image.
        num_classes: Logits.
        seed: Of the draws.
        misfits: Draws so far whose narrowest form is over the caps.
    """

    space: SearchSpace
    budget: Budget
    in_shape: Shape
    num_classes: NumClasses
    seed: int = 0
    misfits: int = 0

    def __iter__(self) -> Iterator[Genome]:
        """Draws.

        Raises:
            UserError: 1,000 draws in a row do not fit.
        """
        draw, in_a_row = random.Random(self.seed), 0
        while True:
            decoded = self.space.decode(random_params(self.space, draw))
            try:
                genome = self.space.scale_to(decoded, self.budget, self.in_shape, self.num_classes)
            except Misfit as misfit:
                self.misfits, in_a_row = self.misfits + 1, in_a_row + 1
                if in_a_row >= MAX_MISFITS:
                    raise UserError(f"{MAX_MISFITS:,} draws in a row do not fit: raise the caps. The last: {misfit}") from misfit
            else:
                in_a_row = 0
                yield genome
