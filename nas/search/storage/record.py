"""What a study's storage is told of its trials: one row each, one event after the other, by the coordinator alone."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState

from nas.search.candidate import Candidate
from nas.search.display.pictures import Pictures
from nas.search.objectives import RUNGS
from nas.search.storage.notes import save_trial_note
from nas.search.study import StoredStudy


@dataclass(frozen=True)
class Recorder:
    """Writes trials.

    Attributes:
        stored: The study.
        distributions: Of the parameters.
        pictures: Draws architectures.
    """

    stored: StoredStudy
    distributions: Mapping[str, BaseDistribution]
    pictures: Pictures

    def start(self, candidate: Candidate, attrs: Mapping[str, Any], system_attrs: Mapping[str, Any], note: str) -> tuple[int, int]:
        """Inserts a RUNNING trial whole; returns its identity in the storage and its number in the study."""
        self.stored.still_held()
        template = FrozenTrial(
            number=-1,
            trial_id=-1,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=datetime.datetime.now(),
            datetime_complete=None,
            params=dict(candidate.params),
            distributions=dict(self.distributions),
            user_attrs={**candidate.user_attrs(), **attrs},
            # Optuna's and the dashboard's common place for constraint values; see `proposer.set_constraints`.
            system_attrs={**system_attrs, "constraints": list(candidate.violations), **self.pictures.keep(candidate)},
            intermediate_values={},
        )
        trial_id = self.stored.storage.create_new_trial(self.stored.id, template)
        self.note(trial_id, candidate, note)
        return trial_id, self.stored.storage.get_trial(trial_id).number

    def restart(self, trial_id: int) -> None:
        """WAITING -> RUNNING."""
        self.stored.still_held()
        self.stored.storage.set_trial_state_values(trial_id, TrialState.RUNNING)

    def reached(self, trial_id: int, rungs: Sequence[Mapping[str, Any]]) -> None:
        """The rungs that a trial has completed; the next run goes on from the last of them."""
        self.stored.still_held()
        self.stored.storage.set_trial_user_attr(trial_id, RUNGS, [dict(entry) for entry in rungs])

    def prune(self, trial_id: int, candidate: Candidate, note: str) -> None:
        """RUNNING -> PRUNED, without values: what it had reached is not what it would have become."""
        self.stored.still_held()
        self.note(trial_id, candidate, note)
        self.stored.storage.set_trial_state_values(trial_id, TrialState.PRUNED)

    def complete(self, trial_id: int, candidate: Candidate, values: Sequence[float], attrs: Mapping[str, Any], note: str) -> None:
        """RUNNING -> COMPLETE; the state comes last, so that a complete trial has all its attributes."""
        self.stored.still_held()
        for name, value in attrs.items():
            self.stored.storage.set_trial_user_attr(trial_id, name, value)
        self.note(trial_id, candidate, note)
        self.stored.storage.set_trial_state_values(trial_id, TrialState.COMPLETE, values)

    def fail(self, trial_id: int, candidate: Candidate, reason: str, note: str) -> None:
        """RUNNING -> FAIL, with the reason."""
        self.stored.still_held()
        self.stored.storage.set_trial_user_attr(trial_id, "reason", reason)
        self.note(trial_id, candidate, note)
        self.stored.storage.set_trial_state_values(trial_id, TrialState.FAIL)

    def put_back(self, trial_id: int) -> None:
        """RUNNING -> WAITING: the next run takes it up."""
        self.stored.still_held()
        self.stored.storage.set_trial_state_values(trial_id, TrialState.WAITING)

    def note(self, trial_id: int, candidate: Candidate, text: str) -> None:
        """The Markdown note that the dashboard shows beside a trial, with the drawing of its architecture."""
        text = f"{text}\n\n{self.pictures.shown(candidate, self.stored.id, trial_id)}"
        save_trial_note(self.stored.storage, self.stored.study, trial_id, text)
