"""Studies: who may open them, and what is said to the others."""

import os
import platform
import signal
import subprocess
import sys

import optuna
import pytest

from nas.errors import UserError
from nas.search import opened_study, run_search
from nas.search.folder import study_folder
from nas.search.storage.lock import locked
from nas.search.study import ATTRIBUTE, SCHEMA
from tests.search.conftest import write_set

LOCK = """
import os, signal, sys
from pathlib import Path
from nas.search.storage.lock import locked
from nas.search.folder import study_folder
with locked(study_folder(Path(sys.argv[1]), "one"), sys.argv[2]):
    if sys.argv[3:] == ["die"]:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def lock_elsewhere(home, url, *more):
    return subprocess.run([sys.executable, "-c", LOCK, str(home), url, *more], capture_output=True, text=True)


def test_a_second_coordinator_is_refused_while_the_first_lives(tmp_path):
    url = f"sqlite:///{tmp_path}/shared.db"
    with locked(study_folder(tmp_path, "one"), url):
        done = lock_elsewhere(tmp_path / "other home", url)
        assert done.returncode == 1
        assert f"is being searched by process {os.getpid()} on {platform.node()}" in done.stderr
    assert lock_elsewhere(tmp_path / "other home", url).returncode == 0


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    assert lock_elsewhere(tmp_path, url, "die").returncode == -signal.SIGKILL
    with locked(study_folder(tmp_path, "one"), url) as still_held:
        still_held()


def test_a_study_of_another_program_is_refused(quick, tmp_path):
    (tmp_path / "studies" / "quick").mkdir(parents=True)
    url = f"sqlite:///{tmp_path}/studies/quick/study.db"
    optuna.create_study(study_name="quick", storage=url, directions=["maximize", "minimize"]).optimize(lambda trial: (0, 0), n_trials=1)
    with pytest.raises(UserError, match="not made by this program"):
        run_search(quick())


@pytest.mark.parametrize("theirs", [["maximize"], ["minimize", "minimize"]])
def test_an_empty_study_with_other_directions_is_left_alone(quick, tmp_path, theirs):
    (tmp_path / "studies" / "quick").mkdir(parents=True)
    study = optuna.create_study(study_name="quick", storage=f"sqlite:///{tmp_path}/studies/quick/study.db", directions=theirs)
    with pytest.raises(UserError, match="not made by this program"):
        run_search(quick())
    assert not study.user_attrs


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (SCHEMA + 1, r"made by a newer program \(version 9\.9 with schema \d+\).*update this program"),
        (SCHEMA - 1, r"made by an older program \(version 9\.9 with schema \d+\).*use that version for it"),
        ("?", "was not made by this program"),
    ],
)
def test_a_study_of_another_schema_is_refused(quick, schema, message):
    result = run_search(quick(trials=1))
    study = optuna.load_study(study_name="quick", storage=result.storage)
    study.set_user_attr(ATTRIBUTE, study.user_attrs[ATTRIBUTE] | {"schema": schema, "version": "9.9"})
    with pytest.raises(UserError, match=message):
        run_search(quick(trials=2))
    with pytest.raises(UserError, match=message), opened_study("quick", result.storage):
        pass


def test_an_unknown_study_names_those_there_are(finished):
    _, result = finished
    with pytest.raises(UserError, match="finished"), opened_study("other", result.storage):
        pass


@pytest.mark.parametrize(
    "url",
    ["postgresql://me:secret@127.0.0.1:1/x", "nonsense", "postgresql//me:secret@host/x", "sqlite:////proc/nowhere/study.db", "sqlite://"],
)
def test_a_storage_that_cannot_be_reached_is_explained(quick, url):
    with pytest.raises(UserError, match="cannot be used") as caught:
        run_search(quick(storage=url))
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_explained(quick, tmp_path):
    folder = tmp_path / "studies" / "quick"
    folder.mkdir(parents=True)
    (folder / "study.db").write_text("this is not a database, it only has its name " * 50)
    with pytest.raises(UserError, match="cannot be used"):
        run_search(quick())


def test_names_that_a_url_cannot_hold_are_kept_out_of_it(quick, tmp_path):
    data = write_set(tmp_path / "my ünï data #1 100%?x")
    result = run_search(quick(data=(str(data),), study=None, trials=1))
    assert result.study == "my-ünï-data-1-100-x-10000"
    assert (tmp_path / "studies" / result.study / "study.db").exists()
    odd = run_search(quick(home=tmp_path / "what? 100%41", study="a#1%41", trials=1))
    assert (tmp_path / "what? 100%41" / "studies" / "a#1%41" / "study.db").exists()
    assert odd.trials == 1
