"""How good a front is as one number: the hypervolume of accuracies and logarithms of costs, with a reference fixed for a study."""

from collections.abc import Mapping, Sequence
from itertools import islice
from math import log10

from optuna.trial import FrozenTrial, TrialState

from nas.errors import UserError
from nas.pareto import hypervolume, non_dominated
from nas.search.candidate import Target
from nas.search.display.front import COSTS
from nas.space import ScaledDraws

DRAWS = 100
"""Random genomes among which the largest cost is looked for where no cap says it."""


def reference_costs(target: Target, objectives: Sequence[str]) -> dict[str, float]:
    """For each objective that is a cost the corner of the hypervolume: its cap, else the largest of `DRAWS` random genomes.

    A function of the target alone: the same in every run of a study.
    """
    caps = {name: float(cap) for name, cap in target.budget.caps().items()}
    wanted = [name for name in objectives if name in COSTS and name not in caps]
    if not wanted:
        return {name: caps[name] for name in objectives if name in caps}
    draws = ScaledDraws(target.space, target.budget, target.in_shape, target.num_classes)
    try:
        costs = [target.priced({}, genome).cost for genome in islice(draws, DRAWS)]
    except UserError:
        return {}
    return {name: caps.get(name) or float(max(getattr(cost, name) for cost in costs)) for name in objectives if name in COSTS}


def scaled(objectives: Sequence[str], values: Sequence[float]) -> list[float]:
    """Objective values to be minimised: accuracies negated, costs as decimal logarithms."""
    return [log10(max(value, 1.0)) if name in COSTS else -value for name, value in zip(objectives, values, strict=True)]


def volumes(trials: Sequence[FrozenTrial], objectives: Sequence[str], corner: Mapping[str, float]) -> list[tuple[int, float]]:
    """Hypervolume after each trained trial, in the order in which they ended.

    Args:
        trials: Of a study.
        objectives: Names.
        corner: What `reference_costs` gave; accuracies have 0.

    Returns:
        Number of trained trials so far, stopped ones included, and the volume; empty without a corner.
    """
    if any(name in COSTS and name not in corner for name in objectives):
        return []
    reference = [log10(corner[name]) if name in COSTS else 0.0 for name in objectives]
    ended = [
        (one.datetime_complete, one) for one in trials if one.state in (TrialState.COMPLETE, TrialState.PRUNED) and one.datetime_complete
    ]
    front: list[list[float]] = []
    found, volume = [], 0.0
    for number, (_, trial) in enumerate(sorted(ended, key=lambda pair: (pair[0], pair[1].number)), start=1):
        if trial.state == TrialState.COMPLETE:
            points = [*front, scaled(objectives, trial.values)]
            front = [point for point, keep in zip(points, non_dominated(points), strict=True) if keep]
            volume = hypervolume(front, reference)
        found.append((number, volume))
    return found
