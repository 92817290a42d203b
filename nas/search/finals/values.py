"""Final values: accuracies of a finalist over fresh seeds, beside which a search value is a single lucky draw.

The best of many noisy values is higher than what it stands for (the winner's curse, see Thaler, Anomalies: The Winner's Curse, 1988,
https://doi.org/10.1257/jep.2.1.191), so what is handed over is chosen by means over seeds that the search did not use.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from nas.proxy.states import SUFFIX
from nas.search.objectives import ACCURACIES, OBJECTIVES, to_minimise

Entries = Mapping[str, Sequence[Mapping[str, Any]]]
"""Key of a genome -> its final trainings: seed, epochs (None for the recipe's), accuracies, IoU of each set, seconds."""


@dataclass(frozen=True)
class Final:
    """What a finalist reached.

    Attributes:
        entries: One a training, as in `Entries`.
    """

    entries: tuple[Mapping[str, Any], ...]

    def mean(self, name: str) -> float:
        """Mean of an accuracy over the seeds."""
        return fmean(entry[name] for entry in self.entries)

    def spread(self, name: str) -> float | None:
        """Standard deviation of an accuracy over the seeds; None for a single one, which says nothing of others."""
        return stdev(entry[name] for entry in self.entries) if len(self.entries) > 1 else None

    def minimised(self, objectives: Sequence[str], attrs: Mapping[str, Any]) -> list[float]:
        """The objectives to be minimised, with means for accuracies.

        Args:
            objectives: Names.
            attrs: User attributes of its trial, for the costs.
        """
        found = [self.mean(name) if name in ACCURACIES else float(attrs[name]) for name in objectives]
        assert all(name in OBJECTIVES for name in objectives)
        return to_minimise(objectives, found)


def with_spread(mean: float, spread: float | None) -> str:
    """A mean as text, with the standard deviation where there is one: a table has no number for it after a single seed."""
    return f"{mean:.4f}" if spread is None or math.isnan(spread) else f"{mean:.4f} +- {spread:.4f}"


def fresh(seeds: int) -> str:
    """How many seeds, as text."""
    return f"{seeds} fresh seed{'' if seeds == 1 else 's'}"


@dataclass(frozen=True)
class Finals:
    """The final values of a study, all of trainings of the same length with the same seeds: others do not compare.

    Attributes:
        values: Key of a genome -> its final value.
        finalists: Keys of the finalists of the last complete round. One of which a training failed has no value.
    """

    values: Mapping[str, Final] = field(default_factory=dict)
    finalists: frozenset[str] = frozenset()

    def get(self, key: str) -> Final | None:
        """The final value of a genome; None where it has none."""
        return self.values.get(key)


@dataclass(frozen=True)
class CompleteRound:
    """What a round of final trainings was, once all of them were trained: until then its values settle nothing.

    Attributes:
        finalists: Keys.
        seeds: Those that all finalists were trained with, but for finalists that failed.
        epochs: Of each training; None for the recipe's.
    """

    finalists: Sequence[str]
    seeds: Sequence[int]
    epochs: int | None

    def finals(self, stored: Entries) -> Finals:
        """The final values of whoever has all trainings of such a round, finalists of earlier rounds among them."""
        wanted = {(seed, self.epochs) for seed in self.seeds}
        own = {key: tuple(one for one in entries if (one["seed"], one["epochs"]) in wanted) for key, entries in stored.items()}
        values = {key: Final(entries) for key, entries in own.items() if len(entries) == len(wanted)}
        return Finals(values, frozenset(self.finalists))


def weights_file(folder: Path, key: str, seed: int, epochs: int | None) -> Path:
    """Where the training state of a finalist is kept, whose averaged weights are the trained network; epochs are None for the recipe's."""
    length = "" if epochs is None else f"-epochs{epochs}"
    return folder / f"{key}-seed{seed}{length}{SUFFIX}"


def best_weights(folder: Path, key: str, entries: Iterable[Mapping[str, Any]]) -> Path | None:
    """The file of the best by IoU of these trainings of a finalist that still has one; None where none has."""
    best_first = sorted(entries, key=lambda entry: -float(entry["iou"]))
    files = [weights_file(folder, key, entry["seed"], entry["epochs"]) for entry in best_first]
    return next((path for path in files if path.is_file()), None)
