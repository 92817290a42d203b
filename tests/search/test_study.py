"""Studies: who may open them, and what is said to the others."""

import subprocess
import sys

import optuna
import pytest

from nas.errors import UserError
from nas.search import opened_study, run_search
from nas.search.study import ATTRIBUTE, locked, study_folder
from tests.search.conftest import write_set


def test_a_second_coordinator_is_refused_while_the_first_lives(tmp_path):
    url = f"sqlite:///{tmp_path}/shared.db"
    other = tmp_path / "other home"
    code = (
        f"from pathlib import Path; from nas.search.study import *\nwith locked(study_folder(Path({str(other)!r}), 'one'), {url!r}): pass"
    )
    with locked(study_folder(tmp_path, "one"), url):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 1
        assert "is being searched by process" in done.stderr
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    code = (
        f"from pathlib import Path; from nas.search.study import *; import os, signal\n"
        f"with locked(study_folder(Path({str(tmp_path)!r}), 'one'), 'sqlite:///{tmp_path}/x.db'): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode != 0
    with locked(study_folder(tmp_path, "one"), f"sqlite:///{tmp_path}/x.db"):
        pass


def test_a_study_of_another_program_is_refused(quick, tmp_path):
    (tmp_path / "studies" / "quick").mkdir(parents=True)
    url = f"sqlite:///{tmp_path}/studies/quick/study.db"
    optuna.create_study(study_name="quick", storage=url, directions=["maximize", "minimize"]).optimize(lambda trial: (0, 0), n_trials=1)
    with pytest.raises(UserError, match="not made by this program"):
        run_search(quick())


def test_a_study_of_another_schema_is_refused(quick):
    result = run_search(quick(trials=1))
    study = optuna.load_study(study_name="quick", storage=result.storage)
    study.set_user_attr(ATTRIBUTE, study.user_attrs[ATTRIBUTE] | {"schema": 99, "version": "9.9"})
    with pytest.raises(UserError, match=r"schema 99 \(made by version 9.9\)"):
        run_search(quick(trials=2))


def test_an_unknown_study_names_those_there_are(finished):
    _, result = finished
    with pytest.raises(UserError, match="finished"), opened_study("other", result.storage):
        pass


@pytest.mark.parametrize("url", ["postgresql://me:secret@127.0.0.1:1/x", "nonsense", "sqlite:////proc/nowhere/study.db", "sqlite://"])
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
