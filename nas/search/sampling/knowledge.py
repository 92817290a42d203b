"""What trials have taught of accuracy: finished ones by their values, stopped ones by what their early rungs lead one to expect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from nas.search.candidate import Candidate
from nas.search.objectives import BREAK_EVEN
from nas.search.sampling.features import Features, features

SLOPE_WEIGHT = 0.02
"""How firmly a final accuracy is believed to follow an early one by 1:1, as a sum of squared early accuracies."""


@dataclass(frozen=True)
class Known:
    """A network that was trained, or is being trained.

    Attributes:
        candidate: The network.
        early: Accuracies by name after each rung before the last.
        final: Accuracies by name after the last rung; None where it did not reach it.
    """

    candidate: Candidate
    early: Sequence[Mapping[str, float]] = ()
    final: Mapping[str, float] | None = None

    @cached_property
    def features(self) -> Features:
        """Of the network; not every sampler asks for them."""
        return features(self.candidate)


@dataclass(frozen=True)
class Lesson:
    """An accuracy to learn from, with the variance that it has for being extrapolated."""

    known: Known
    value: float
    doubt: float


@dataclass
class Knowledge:
    """All networks of a study, by key of the genome."""

    trained: dict[str, Known] = field(default_factory=dict)
    in_training: dict[str, Known] = field(default_factory=dict)

    def expect(self, candidate: Candidate) -> None:
        """A network goes into training."""
        self.in_training[candidate.genome.key] = Known(candidate)

    def learn(self, candidate: Candidate, rungs: Sequence[Mapping[str, Any]], complete: bool) -> None:
        """A training has ended.

        Args:
            candidate: The network.
            rungs: The entries of the rungs that it has completed.
            complete: Whether the last rung is among them.
        """
        self.drop(candidate)
        early = [{**one, **one.get(BREAK_EVEN, {})} for one in (rungs[:-1] if complete else rungs)]
        final = dict(rungs[-1]) if complete and rungs else None
        if early or final:
            self.trained[candidate.genome.key] = Known(candidate, early, final)

    def drop(self, candidate: Candidate) -> None:
        """A training has failed, or goes on in another run."""
        self.in_training.pop(candidate.genome.key, None)

    @property
    def finished(self) -> list[Known]:
        """Those that were trained to the end."""
        return [one for one in self.trained.values() if one.final is not None]

    def lessons(self, name: str, limit: int) -> list[Lesson]:
        """The final accuracies of a name, measured or extrapolated from the last rung that was reached.

        Args:
            name: Of the accuracy.
            limit: Lessons at most: all of finished networks before any of stopped ones, the last ones first.
        """
        measured = [Lesson(one, float(one.final[name]), 0.0) for one in self.finished if one.final is not None]
        stopped = [one for one in self.trained.values() if one.final is None]
        lines = [self._line(name, rung) for rung in range(max((len(one.early) for one in stopped), default=0))]
        guessed = []
        for one in stopped:
            offset, slope, doubt = lines[len(one.early) - 1]
            guessed.append(Lesson(one, offset + slope * float(one.early[-1][name]), doubt))
        kept = measured[-limit:]
        return kept + guessed[len(guessed) - min(len(guessed), limit - len(kept)) :]

    def _line(self, name: str, rung: int) -> tuple[float, float, float]:
        """Offset, slope and variance of final accuracies over early ones: least squares, drawn towards a slope of 1."""
        pairs = [(one.early[rung][name], one.final[name]) for one in self.finished if one.final is not None and rung < len(one.early)]
        if len(pairs) < 3:
            return 0.0, 1.0, 0.01
        early, final = np.array(pairs, dtype=float).T
        middle, mean = early.mean(), final.mean()
        slope = (((early - middle) * (final - mean)).sum() + SLOPE_WEIGHT) / (((early - middle) ** 2).sum() + SLOPE_WEIGHT)
        left = final - mean - slope * (early - middle)
        return float(mean - slope * middle), float(slope), float((left**2).sum() / (len(pairs) - 2))
