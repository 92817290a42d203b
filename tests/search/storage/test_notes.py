"""Notes of trials, as the dashboard reads them."""

import optuna
import pytest
from optuna_dashboard import save_note
from optuna_dashboard._note import get_note_from_system_attrs

from nas.search.storage.database import close_storage, open_storage
from nas.search.storage.notes import save_trial_note


@pytest.fixture
def storage(tmp_path):
    opened = open_storage(f"sqlite:///{tmp_path}/study.db")
    yield opened
    close_storage(opened)


@pytest.fixture
def study(storage):
    return optuna.create_study(storage=storage)


@pytest.fixture
def write(storage, study):
    return lambda trial_id, text: save_trial_note(storage, study, trial_id, text)


def read(study, trial_id):
    return get_note_from_system_attrs(study._storage.get_study_system_attrs(study._study_id), trial_id)


def test_each_trial_has_its_own_and_a_new_one_replaces_it_whole(study, write):
    for trial_id in (1, 11):
        write(trial_id, f"trial {trial_id} " + "long " * 1_000)
    write(1, "short")
    assert read(study, 1) == {"version": 2, "body": "short"}
    assert read(study, 11) == {"version": 1, "body": "trial 11 " + "long " * 1_000}


def test_what_a_person_wrote_in_between_is_replaced_whole_too(study, write):
    trial = study.ask()
    write(trial._trial_id, "short")
    save_note(trial, "a person's " * 1_000)
    write(trial._trial_id, "short again")
    assert read(study, trial._trial_id) == {"version": 3, "body": "short again"}


def test_other_notes_are_not_read(storage, write, monkeypatch):
    write(1, "one")
    monkeypatch.setattr(type(storage), "get_study_system_attrs", lambda *_: pytest.fail("all attributes of the study were read"))
    write(2, "two")
