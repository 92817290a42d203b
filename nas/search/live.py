"""A trial between its draw and its end: what the coordinator knows of it, and what a resumed search finds of it in the storage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nas.proxy.job import Task
from nas.proxy.states import state_file
from nas.proxy.training import ProxyResult
from nas.search.ladder import Standing
from nas.search.objectives import BREAK_EVEN, RUNGS, accuracies, at_break_even, to_minimise
from nas.search.proposer import Proposal

PRUNED = "pruned"
"""In the entry of a rung: the candidate was judged to be stopped. Stored with the rung, since a kill may come before the trial's end."""


@dataclass(eq=False)
class LiveTrial:
    """A trial in training.

    Attributes:
        trial_id: In the storage; None before its training starts.
        proposal: What is trained.
        guard: Why it is never stopped early; empty where it may be.
        completed: One entry for each completed rung: accuracies, before the last rung also those at the break-even point, seconds and its
            part of the curve, and `PRUNED` where it was judged to be stopped there.
        number: In the study, for messages.
    """

    trial_id: int | None
    proposal: Proposal
    guard: str = ""
    completed: list[dict[str, Any]] = field(default_factory=list)
    number: int | None = None

    @property
    def rung(self) -> int:
        """The one to train, from 0."""
        return len(self.completed)

    @property
    def key(self) -> str:
        """Of its genome."""
        return self.proposal.candidate.genome.key

    @property
    def name(self) -> str:
        """For messages; a trial gets its number only when its training has begun."""
        return f"trial {self.key}" if self.number is None else f"trial {self.number} {self.key}"

    @property
    def seconds(self) -> float:
        """Time in training and validation, over all rungs."""
        return float(sum(entry["seconds"] for entry in self.completed))

    @property
    def curve(self) -> list[Mapping[str, Any]]:
        """One entry an epoch and set, over all rungs."""
        return [point for entry in self.completed for point in entry["curve"]]

    def task(self, folder: Path, rungs: int) -> Task:
        """What to train next; states lie in `folder`."""
        resume = state_file(folder, self.key, self.rung - 1) if self.rung else None
        save = state_file(folder, self.key, self.rung) if self.rung < rungs - 1 else None
        return Task(self.proposal.candidate.genome.to_json(), self.rung, resume, save, label=f"{self.name} rung {self.rung}")

    def enter(self, result: ProxyResult) -> None:
        """Notes a completed rung."""
        known = {(point["set"], point.get("fold"), point["epoch"]) for point in self.curve}
        # A rung whose states were lost began from the beginning: epochs that are known already stay as they were.
        curve = [dict(point) for point in result.curve if (point["set"], point.get("fold"), point["epoch"]) not in known]
        early = at_break_even(result.evaluations)
        entry = {**accuracies(result.evaluations), **({BREAK_EVEN: early} if early else {}), "seconds": result.seconds, "curve": curve}
        self.completed.append(entry)

    def standing(self, objectives: Sequence[str]) -> Standing:
        """How it stands at the end of the last completed rung."""
        return _standing(objectives, self.completed[-1], self.proposal.candidate.user_attrs())


def stored_rungs(attrs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of a stored trial's completed rungs."""
    return list(attrs.get(RUNGS, ()))


def stored_standings(objectives: Sequence[str], attrs: Mapping[str, Any]) -> list[Standing]:
    """How a stored trial stood at the end of each rung that it has completed."""
    return [_standing(objectives, entry, attrs) for entry in stored_rungs(attrs)]


def _standing(objectives: Sequence[str], entry: Mapping[str, Any], attrs: Mapping[str, Any]) -> Standing:
    reached = {**entry, **entry.get(BREAK_EVEN, {})}
    found = [float(reached[name] if name in reached else attrs[name]) for name in objectives]
    return Standing(reached["iou"], tuple(to_minimise(objectives, found)))
