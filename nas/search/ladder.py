"""The ladder: candidates train in stages, the rungs, and after each only the promising go on.

Asynchronous successive halving in the form that decides at once (Li et al., A System for Massively Parallel Hyperparameter Tuning,
MLSys 2020, https://arxiv.org/abs/1810.05934), with candidates ranked by non-domination on all objectives (Schmucker et al.,
Multi-objective Asynchronous Successive Halving, 2021, https://arxiv.org/abs/2106.12639).
"""

from dataclasses import dataclass, field
from math import ceil

from nas.pareto import fronts
from nas.proxy.rungs import ETA

FLOOR = 0.5
"""Share of the best accuracy so far below which hypervolume does not save a candidate: the cheapest network is always non-dominated."""


@dataclass(frozen=True)
class Standing:
    """How a candidate stands at the end of a rung.

    Attributes:
        accuracy: Validation IoU so far, 0..1.
        values: Objectives so far, to be minimised; costs are exact at every rung.
    """

    accuracy: float
    values: tuple[float, ...]


@dataclass
class Ladder:
    """Who was seen at which rung, and who goes on.

    Attributes:
        rungs: Their number; at the last nobody is asked.
        prune: Whether anybody is stopped.
        finished: Standings of those that reached the end.
    """

    rungs: int
    prune: bool = True
    finished: list[Standing] = field(default_factory=list)
    _seen: list[list[Standing]] = field(init=False)

    def __post_init__(self) -> None:
        self._seen = [[] for _ in range(self.rungs)]

    def enter(self, rung: int, standing: Standing) -> None:
        """Notes a candidate at the end of a rung, counted from 0."""
        if rung == self.rungs - 1:
            self.finished.append(standing)
        else:
            self._seen[rung].append(standing)

    def goes_on(self, rung: int, standing: Standing, guarded: bool = False) -> bool:
        """Whether a candidate that was noted at this rung is trained further.

        Args:
            rung: The one that it has completed, not the last.
            standing: How it stands there.
            guarded: Whether it is spared whatever its standing.
        """
        return not self.prune or guarded or self._among_the_best(rung, standing) or self._adds_to_the_front(standing)

    def _among_the_best(self, rung: int, standing: Standing) -> bool:
        """By front, and within a front by accuracy, among the best third of those seen here, itself included."""
        seen = self._seen[rung]
        order: list[int] = fronts([one.values for one in seen]).tolist()
        own = order[seen.index(standing)]
        better = sum(front < own or (front == own and one.accuracy > standing.accuracy) for front, one in zip(order, seen, strict=True))
        return better < ceil(len(seen) / ETA)

    def _adds_to_the_front(self, standing: Standing) -> bool:
        """Whether it would add hypervolume to the finished trials, and is no junk: no finished one is as good in everything."""
        if not self.finished or standing.accuracy < FLOOR * max(one.accuracy for one in self.finished):
            return False
        return not any(all(theirs <= own for theirs, own in zip(one.values, standing.values, strict=True)) for one in self.finished)
