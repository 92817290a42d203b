"""The dashboard's notes, written at a cost that does not grow with the study.

The dashboard keeps the notes of all trials as system attributes of the study, and its `save_note` reads and decodes all of them, twice,
for the version and the length of the one note that it replaces: with 3,000 trials 75 times as long as what is done here.
"""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session


@dataclass(frozen=True)
class OneNote:
    """A storage as `save_note` sees it, with the attributes of one trial's note alone.

    Attributes:
        storage: The whole.
        trial_id: Whose note.
    """

    storage: RDBStorage
    trial_id: int

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Version and parts of the note, as they are now: a person may have edited it in the dashboard."""
        kept = models.StudySystemAttributeModel
        with _create_scoped_session(self.storage.scoped_session) as session:
            rows = session.query(kept.key, kept.value_json).filter(
                kept.study_id == study_id, kept.key.startswith(f"dashboard:{self.trial_id}:note")
            )
            return {key: json.loads(value) for key, value in rows}

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """As in the whole."""
        self.storage.set_study_system_attr(study_id, key, value)


def save_trial_note(storage: RDBStorage, study: optuna.Study, trial_id: int, text: str) -> None:
    """Puts a Markdown note beside a trial, in place of the one there."""
    from optuna_dashboard import save_note  # Takes a second, for scikit-learn's sake; the first note is written while workers train.

    # `save_note` asks a trial for these three only; making a real `Trial` would make Optuna's sampler draw for it.
    handle: Any = SimpleNamespace(storage=OneNote(storage, trial_id), study=study, _trial_id=trial_id)
    save_note(handle, text)
