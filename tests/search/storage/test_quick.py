"""The quick storage leaves the rows that Optuna's own leaves."""

import datetime
import sqlite3

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from nas.search.storage.quick import QuickStorage
from nas.space import load_space

TABLES = ("trials", "trial_params", "trial_user_attributes", "trial_system_attributes")


@pytest.fixture
def template():
    distributions = load_space("tiny_unet").distributions()
    params = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask(distributions).params
    now = datetime.datetime(2026, 1, 1)
    attrs = {"user_attrs": {"key": "abc"}, "system_attrs": {"constraints": [-0.5]}, "intermediate_values": {}}
    times = {"datetime_start": now, "datetime_complete": None}
    return FrozenTrial(
        number=-1, trial_id=-1, state=TrialState.RUNNING, value=None, params=params, distributions=distributions, **times, **attrs
    )


def rows(cls, path, template):
    storage = cls(f"sqlite:///{path}")
    study = storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "s")
    for _ in range(2):
        storage.set_trial_state_values(storage.create_new_trial(study, template), TrialState.COMPLETE, [0.5])
    storage.remove_session()
    storage.engine.dispose()
    found = []
    with sqlite3.connect(path) as connection:
        for table in TABLES:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "datetime_complete"]
            found.append(sorted(connection.execute(f"SELECT {', '.join(columns)} FROM {table}"), key=repr))
    return found


def test_the_same_rows(tmp_path, template):
    ours, theirs = rows(QuickStorage, tmp_path / "ours.db", template), rows(RDBStorage, tmp_path / "theirs.db", template)
    assert ours == theirs
    assert len(ours[1]) == 2 * len(template.params)


def test_the_method_that_is_replaced_is_still_called(tmp_path, template, monkeypatch):
    calls = []
    plain = QuickStorage._set_trial_param_without_commit
    monkeypatch.setattr(QuickStorage, "_set_trial_param_without_commit", lambda *given: (calls.append(given), plain(*given)))
    storage = QuickStorage(f"sqlite:///{tmp_path / 'a.db'}")
    storage.create_new_trial(storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "s"), template)
    assert len(calls) == len(template.params)


def test_one_parameter_that_is_set_is_compared(tmp_path, template):
    storage = QuickStorage(f"sqlite:///{tmp_path / 'a.db'}")
    study = storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "s")
    done = storage.create_new_trial(study, template)
    storage.set_trial_state_values(done, TrialState.COMPLETE, [0.5])
    name = next(iter(template.params))
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        storage.set_trial_param(done, name, 0.0, template.distributions[name])
    with pytest.raises(ValueError, match="different distribution kind"):
        storage.set_trial_param(storage.create_new_trial(study), name, 0.0, optuna.distributions.FloatDistribution(0, 1))
