"""Final values: accuracies of a finalist over fresh seeds, beside which a search value is a single lucky draw.

The best of many noisy values is higher than what it stands for (the winner's curse, see Thaler, Anomalies: The Winner's Curse, 1988,
https://doi.org/10.1257/jep.2.1.191), so what is handed over is chosen by means over seeds that the search did not use.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from nas.proxy.states import SUFFIX
from nas.search.objectives import ACCURACIES, OBJECTIVES, to_minimise

Finals = Mapping[str, "Final"]
"""Key of a genome -> its final value."""


@dataclass(frozen=True)
class Final:
    """What a finalist reached.

    Attributes:
        entries: One a training: seed, epochs (None for the recipe's), accuracies, IoU of each set, seconds.
    """

    entries: tuple[Mapping[str, Any], ...]

    def mean(self, name: str) -> float:
        """Mean of an accuracy over the seeds."""
        return fmean(entry[name] for entry in self.entries)

    def spread(self, name: str) -> float:
        """Standard deviation of an accuracy over the seeds; 0 for a single one."""
        return stdev(entry[name] for entry in self.entries) if len(self.entries) > 1 else 0.0

    @property
    def best_seed(self) -> int:
        """Of the training with the highest IoU, whose weights are kept."""
        return int(max(self.entries, key=lambda entry: entry["iou"])["seed"])

    def minimised(self, objectives: Sequence[str], attrs: Mapping[str, Any]) -> list[float]:
        """The objectives to be minimised, with means for accuracies.

        Args:
            objectives: Names.
            attrs: User attributes of its trial, for the costs.
        """
        found = [self.mean(name) if name in ACCURACIES else float(attrs[name]) for name in objectives]
        assert all(name in OBJECTIVES for name in objectives)
        return to_minimise(objectives, found)


def finals_of(stored: Mapping[str, Iterable[Mapping[str, Any]]]) -> Finals:
    """The final values of what `StoredStudy.final_entries` gives."""
    return {key: Final(tuple(entries)) for key, entries in stored.items() if entries}


def weights_file(folder: Path, key: str, seed: int) -> Path:
    """Where the training state of a finalist is kept, whose averaged weights are the trained network."""
    return folder / f"{key}-seed{seed}{SUFFIX}"
