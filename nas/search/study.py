"""A study: its folder, its storage, and the settings it was begun with."""

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

import nas
from nas.errors import UserError
from nas.search.finals.values import CompleteRound, Finals, best_weights
from nas.search.folder import StudyFolder
from nas.search.objectives import directions
from nas.search.storage.database import close_storage, open_storage, readable_errors, shown_url, sqlite_file

SCHEMA = 6
"""Raised when the attributes of studies or trials change their meaning."""

ATTRIBUTE = "nas"
"""The study's user attribute with schema, version, settings and facts."""

FINALS = "finals"
"""The study's user attribute with the final trainings."""

ROUND = "final_round"
"""The study's user attribute with the last complete round of final trainings."""

FINGERPRINT = "data_fingerprint"
"""The setting of each set that changes with its content and its split."""


@dataclass(frozen=True)
class StoredStudy:
    """A study in a storage.

    Attributes:
        name: Its name.
        url: The storage's URL.
        storage: Where it lies.
        study: Optuna's handle.
        still_held: Raises a `UserError` once another coordinator may write to the study; asked before anything is written.
        place: Where its files may lie; None for where the last search kept them.
    """

    name: str
    url: str
    storage: RDBStorage
    study: optuna.Study
    still_held: Callable[[], None] = lambda: None
    place: StudyFolder | None = None

    @property
    def folder(self) -> StudyFolder:
        """Its files: where it was opened, for folders are moved and renamed; else where the last search kept them."""
        here = self.place
        if here is not None and here.name == self.name and here.config.is_file():
            return here
        return StudyFolder(Path(self.document["facts"]["space_copy"]).parent)

    @property
    def id(self) -> int:
        """The storage's number for the study."""
        return self.study._study_id

    def trials(self) -> list[FrozenTrial]:
        """All trials as they are now; those that have ended are read from the database once."""
        return self.study.get_trials(deepcopy=False)

    @property
    def document(self) -> dict[str, Any]:
        """Schema, version and settings, as they were when the study began, and the facts of the last search."""
        return dict(self.study.user_attrs[ATTRIBUTE])

    def final_entries(self) -> dict[str, list[dict[str, Any]]]:
        """Final trainings by key of the genome; kept with the study, since a finished trial takes no more attributes."""
        return dict(self.study.user_attrs.get(FINALS, {}))

    def complete_round(self) -> CompleteRound | None:
        """The last round of final trainings that was trained to its end; None before there is one."""
        document = self.study.user_attrs.get(ROUND)
        return None if document is None else CompleteRound(**document)

    def finals(self) -> Finals:
        """The final values, by the length and the seeds of the last complete round; none before there is one."""
        last = self.complete_round()
        return Finals() if last is None else last.finals(self.final_entries())

    def final_weights(self, key: str) -> Path | None:
        """The file of a genome's best final training: one as long as those of the last complete round, where there is one; None without."""
        last, entries = self.complete_round(), self.final_entries().get(key, [])
        alike = [entry for entry in entries if last is not None and entry["epochs"] == last.epochs]
        return best_weights(self.folder.weights, key, alike) or best_weights(self.folder.weights, key, entries)

    def set_round(self, done: CompleteRound) -> None:
        """Keeps what the last complete round was."""
        self.still_held()
        self.storage.set_study_user_attr(self.id, ROUND, asdict(done))

    def add_final(self, key: str, entry: Mapping[str, Any]) -> None:
        """Keeps a final training of a genome, in the place of an earlier one of the same length and seed."""
        self.still_held()
        known = self.final_entries()
        others = [one for one in known.get(key, []) if (one["seed"], one["epochs"]) != (entry["seed"], entry["epochs"])]
        self.storage.set_study_user_attr(self.id, FINALS, known | {key: [*others, dict(entry)]})

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of the objectives."""
        return tuple(self.document["settings"]["objectives"])


@contextlib.contextmanager
def opened_study(name: str, url: str, folder: StudyFolder | None = None) -> Iterator[StoredStudy]:
    """A study that exists, for reading.

    Args:
        name: Of the study.
        url: Of its storage.
        folder: Where its files may lie; None for beside an SQLite file.

    Raises:
        UserError: There is none of this name, or another program made it.
    """
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        beside = sorted(path.parent.name for path in file.parent.parent.glob(f"*/{file.name}"))
        raise UserError(f"no study {name!r}: there is no file {file}; studies beside it: {', '.join(beside) or 'none'}")
    storage = open_storage(url)
    try:
        with readable_errors(url):
            names = [summary.study_name for summary in optuna.get_all_study_summaries(storage, include_best_trial=False)]
            if name not in names:
                raise UserError(f"no study {name!r} in {shown_url(url)}; it has: {', '.join(names) or 'none'}")
            study = optuna.load_study(study_name=name, storage=storage)
            _check_schema(study)
            yield StoredStudy(name, url, storage, study, place=folder or (StudyFolder(file.parent) if file else None))
    finally:
        close_storage(storage)


@contextlib.contextmanager
def begun_study(
    name: str, url: str, settings: Mapping[str, Any], facts: Mapping[str, Any], still_held: Callable[[], None] = lambda: None
) -> Iterator[StoredStudy]:
    """The study of this name with these settings, new or continued.

    Raises:
        UserError: A study of this name has other settings, or another program made it.
    """
    storage = open_storage(url)
    try:
        with readable_errors(url):
            study = _create(name, storage, settings, facts)
            _check_schema(study)
            _check_settings(name, study.user_attrs[ATTRIBUTE], settings, facts)
            _refresh_facts(study, storage, facts)
            yield StoredStudy(name, url, storage, study, still_held)
    finally:
        close_storage(storage)


def _create(name: str, storage: RDBStorage, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> optuna.Study:
    objectives = tuple(settings["objectives"])
    with contextlib.suppress(optuna.exceptions.DuplicatedStudyError):
        storage.create_new_study(_directions_of_study(objectives), name)
    study = optuna.load_study(study_name=name, storage=storage)
    if not study.trials and _may_begin(study, objectives):
        # New, or left like this by a run that ended before its first trial: there is nothing that other settings could spoil.
        document = {"schema": SCHEMA, "version": nas.__version__, "settings": dict(settings), "facts": dict(facts)}
        storage.set_study_user_attr(study._study_id, ATTRIBUTE, document)
    if ATTRIBUTE in study.user_attrs and study.metric_names is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(study.user_attrs[ATTRIBUTE]["settings"]["objectives"]))
    return study


def _directions_of_study(objectives: Sequence[str]) -> list[StudyDirection]:
    """Optuna's directions of a study with such objectives."""
    return [StudyDirection.MAXIMIZE if one == "maximize" else StudyDirection.MINIMIZE for one in directions(objectives)]


def _refresh_facts(study: optuna.Study, storage: RDBStorage, facts: Mapping[str, Any]) -> None:
    """Keeps where things are now: data and the study's folder may have moved, or the search goes on from another machine."""
    document, now = study.user_attrs[ATTRIBUTE], json.loads(json.dumps(facts))
    if document["facts"] != now:
        storage.set_study_user_attr(study._study_id, ATTRIBUTE, document | {"facts": now})


def _may_begin(study: optuna.Study, objectives: tuple[str, ...]) -> bool:
    """Whether a study without trials takes these settings: the names and directions of its objectives are fixed for good."""
    document = study.user_attrs.get(ATTRIBUTE)
    if document is None:  # Of a run that was killed at once; or of another program, whose directions are its own.
        return study.directions == _directions_of_study(objectives)
    return document.get("schema") == SCHEMA and tuple(document["settings"]["objectives"]) == objectives


def _check_schema(study: optuna.Study) -> None:
    document = study.user_attrs.get(ATTRIBUTE)
    if not isinstance(document, dict) or not isinstance(document.get("schema"), int):
        raise UserError(
            f"the study {study.study_name} was not made by this program (it lacks the attribute {ATTRIBUTE!r}): give another --study"
        )
    if document["schema"] == SCHEMA:
        return
    theirs, ours = f"version {document.get('version')} with schema {document['schema']}", f"version {nas.__version__} with schema {SCHEMA}"
    if document["schema"] > SCHEMA:
        raise UserError(
            f"the study {study.study_name} was made by a newer program ({theirs}) than this one ({ours}): update this program, or give "
            "another --study"
        )
    raise UserError(
        f"the study {study.study_name} was made by an older program ({theirs}), and what its trials hold means something else in this one "
        f"({ours}): use that version for it, or give another --study and begin anew"
    )


def _check_settings(name: str, document: Mapping[str, Any], wanted: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Compares as JSON, since that is how the stored ones came back."""
    stored, now = _flat(document["settings"]), _flat(json.loads(json.dumps(wanted)))
    keys = sorted({*stored, *now}, key=lambda key: (": " in key, key))  # what holds for all sets comes first
    splits = [{one["name"]: one["split"] for one in known["sets"]} for known in (document["facts"], facts)]
    different = [_difference(key, stored.get(key), now.get(key), *splits) for key in keys if stored.get(key) != now.get(key)]
    if different:
        raise UserError(
            f"the study {name} was begun with other settings: {'; '.join(different)}. Give those again, or another --study for the new ones"
        )


def _difference(key: str, before: Any, now: Any, splits_before: Mapping[str, str], splits_now: Mapping[str, str]) -> str:
    """One setting that is not what it was; of a fingerprint, which says nothing to a person, what stands behind it."""
    name = key.removesuffix(f": {FINGERPRINT}")
    if name == key or None in (before, now):
        return f"{key} is {_said(before)}, now {_said(now)}"
    if splits_before.get(name) != splits_now.get(name):
        return f"{name}: its split is {splits_before.get(name)!r}, now {splits_now.get(name)!r}"
    return f"{name}: its images, masks, classes or split have changed since (fingerprint {before}, now {now})"


def _said(value: Any) -> str:
    return "not set" if value is None else repr(value)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of each set beside the others, called by set and setting."""
    found = {key: value for key, value in settings.items() if key != "sets"}
    for name, own in settings.get("sets", {}).items():
        found |= {f"{name}: {key}": value for key, value in own.items()}
    return found
