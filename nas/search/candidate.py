"""A candidate: a draw made into a genome that fits the caps, before anything is trained."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas.blocks import Shape
from nas.cost import Budget, Cost, estimate
from nas.genome import Genome
from nas.receptive_field import ReceptiveField, receptive_field
from nas.space import SearchSpace
from nas.topology import NumClasses, walk

SHARE = "budget_share"
"""The gene that says how much of the parameter cap to fill, where parameters are themselves an objective."""


@dataclass(frozen=True)
class Candidate:
    """What may become a trial.

    Attributes:
        params: The sampler's parameters.
        genome: Scaled to the caps.
        cost: Exact.
        sees: What one pixel of the prediction can depend on.
        violations: cost / cap - 1 for each cap, at most 0.
        peer: Name of the hand-designed network that it is; empty for a draw.
    """

    params: Mapping[str, Any]
    genome: Genome
    cost: Cost
    sees: ReceptiveField
    violations: tuple[float, ...]
    peer: str = ""

    def user_attrs(self) -> dict[str, Any]:
        """What a trial carries from its start."""
        return {
            "key": self.genome.key,
            "genome": self.genome.to_json(),
            "params": self.cost.params,
            "macs": self.cost.macs,
            "memory": self.cost.memory,
            "receptive_field": self.sees.pixels,
            "sees_whole_image": self.sees.whole_image,
            **({"peer": self.peer} if self.peer else {}),
        }


@dataclass(frozen=True)
class Target:
    """What every candidate of a study must fit.

    Attributes:
        space: Where candidates come from.
        budget: Caps.
        in_shape: Channels, height and width of one image.
        num_classes: Logits, background included.
    """

    space: SearchSpace
    budget: Budget
    in_shape: Shape
    num_classes: NumClasses

    def candidate(self, params: Mapping[str, Any]) -> Candidate:
        """The candidate of a draw.

        Raises:
            Misfit: The narrowest form is over a cap.
        """
        genome = self.space.scale_to(self.space.decode(params), self._caps(params), self.in_shape, self.num_classes)
        return self.priced(params, genome)

    def sketch(self, params: Mapping[str, Any], drawn: Genome) -> Candidate:
        """Nearly the candidate of a draw, for those who compare many.

        Args:
            params: The draw.
            drawn: What the space makes of it, before scaling.

        Raises:
            Misfit: The narrowest form is over a cap.
        """
        genome = self.space.scale_to(drawn, self._caps(params), self.in_shape, self.num_classes, rough=True)
        return self.priced(params, genome)

    def _caps(self, params: Mapping[str, Any]) -> Budget:
        return self.budget.share(params[SHARE]) if SHARE in params else self.budget

    def priced(self, params: Mapping[str, Any], genome: Genome) -> Candidate:
        """The candidate of a genome that is scaled already."""
        cost = estimate(genome, self.in_shape, self.num_classes)
        sees = receptive_field(walk(genome, self.in_shape, self.num_classes))
        return Candidate(params, genome, cost, sees, self.budget.violations(cost))


def stored_genome(attrs: Mapping[str, Any]) -> str | None:
    """The genome's JSON in a trial's user attributes, if the trial is one of ours."""
    text = attrs.get("genome")
    return text if isinstance(text, str) and "key" in attrs and isinstance(json.loads(text), dict) else None
