"""The cheapest genome of a space, for the message that nothing fits."""

from typing import TYPE_CHECKING

from optuna.distributions import CategoricalDistribution

from nas.blocks import Shape
from nas.cost import Cost, estimate
from nas.genome import Genome
from nas.space.encode import default_params
from nas.topology import NumClasses

if TYPE_CHECKING:
    from nas.space.space import SearchSpace


def smallest(space: "SearchSpace", by: str, in_shape: Shape, num_classes: NumClasses) -> tuple[Genome, Cost]:
    """The genome with the least of one cost, all widths at their minimum.

    Found by descent over single genes until none lowers the cost. At fixed widths each place's cost is its own, so this is the minimum
    for parameters; for memory, a peak, it is an upper bound of it.

    Args:
        space: Where to look.
        by: "params", "macs" or "memory".
        in_shape: Channels, height and width of one image.
        num_classes: Logits, or one number a data set.
    """
    distributions = space.distributions()
    params = default_params(space)

    def costed(candidate: dict[str, object]) -> tuple[int, Genome]:
        genome = space.decode(candidate)
        genome = genome.with_widths([space.min_width] * len(genome.widths))
        return getattr(estimate(genome, in_shape, num_classes), by), genome

    best, genome = costed(params)
    improved = True
    while improved:
        improved = False
        for name, distribution in distributions.items():
            for choice in distribution.choices if isinstance(distribution, CategoricalDistribution) else ():
                value, candidate = costed({**params, name: choice})
                if value < best:
                    best, genome, params, improved = value, candidate, {**params, name: choice}, True
    return genome, estimate(genome, in_shape, num_classes)
