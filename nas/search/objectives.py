"""What a search can be asked to raise or lower, by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nas.cost import Cost
from nas.evaluate import Evaluation

Evaluations = Mapping[str, Evaluation]
"""Name of a data set -> how a network did on it."""

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Objective:
    """One objective.

    Attributes:
        direction: As Optuna says it.
        value: From a candidate's evaluations and cost to the number.
    """

    direction: Direction
    value: Callable[[Evaluations, Cost], float]


def _mean(name: str, evaluations: Evaluations) -> float:
    return sum(evaluation.objective(name) for evaluation in evaluations.values()) / len(evaluations)


def _accuracy(name: str) -> Objective:
    return Objective("maximize", lambda evaluations, cost: _mean(name, evaluations))


def _cost(name: str) -> Objective:
    return Objective("minimize", lambda evaluations, cost: float(getattr(cost, name)))


OBJECTIVES: Mapping[str, Objective] = {
    "iou": _accuracy("iou"),
    "miou": _accuracy("miou"),
    "dice": _accuracy("dice"),
    "params": _cost("params"),
    "macs": _cost("macs"),
    "memory": _cost("memory"),
}


ACCURACIES = ("iou", "miou", "dice")
"""Those that training decides; every trial keeps all of them."""

RUNGS = "rungs"
"""User attribute of a trial: one entry for each rung that it has completed."""

BREAK_EVEN = "break_even"
"""Under which a trial keeps its accuracies at the break-even point, by which early rungs judge: `nas.evaluate.break_even` says why."""


def directions(names: Sequence[str]) -> list[Direction]:
    """Optuna's directions for the named objectives."""
    return [OBJECTIVES[name].direction for name in names]


def values(names: Sequence[str], evaluations: Evaluations, cost: Cost) -> list[float]:
    """The numbers of the named objectives."""
    return [OBJECTIVES[name].value(evaluations, cost) for name in names]


def to_minimise(names: Sequence[str], found: Sequence[float]) -> list[float]:
    """The same numbers with accuracies negated, as `nas.pareto` wants them."""
    return [-value if OBJECTIVES[name].direction == "maximize" else value for name, value in zip(names, found, strict=True)]


def accuracies(evaluations: Evaluations) -> dict[str, float]:
    """All accuracies by name, means over the sets."""
    return {name: _mean(name, evaluations) for name in ACCURACIES}


def at_break_even(evaluations: Evaluations) -> dict[str, float]:
    """All accuracies by name, at the break-even point; empty where that was not measured."""
    if any(evaluation.hits is None for evaluation in evaluations.values()):
        return {}
    return {name: sum(one.break_even(name) for one in evaluations.values()) / len(evaluations) for name in ACCURACIES}
