"""Searches whose storage is a real PostgreSQL server: they run, are killed, go on, and keep each other out across homes."""

import os
import platform
import signal
import subprocess

import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState

from nas.errors import UserError
from nas.search import opened_study, run_search
from nas.search import run as run_room
from nas.search.finals.training import FinalRound
from nas.search.folder import study_folder
from nas.search.storage.database import close_storage, open_storage
from nas.search.storage.drivers import with_driver
from nas.search.storage.lock import locked
from nas.search.storage.server_lock import server_lock
from tests.search.postgres import postgres_server
from tests.search.test_study import lock_elsewhere
from tests.search.workers.test_processes import command, settings, until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="starts a server on a Unix socket")]


@pytest.fixture(scope="module")
def server():
    with postgres_server() as url:
        yield with_driver(url)


@pytest.fixture
def url(server):
    """The server, emptied of studies afterwards."""
    yield server
    storage = optuna.storages.RDBStorage(server)
    for summary in optuna.get_all_study_summaries(storage):
        optuna.delete_study(study_name=summary.study_name, storage=storage)
    storage.engine.dispose()


@pytest.fixture
def ask(server):
    """Asks the server, as its own user."""
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield lambda words: connection.execute(sqlalchemy.text(words)).scalars().all()
    engine.dispose()


def test_a_search_runs_and_goes_on(squares, tmp_path, url):
    assert run_search(settings(squares, tmp_path, storage=url, trials=2, workers=0)).trials == 2
    # From another home, as on another machine: all that is needed lies on the server.
    result = run_search(settings(squares, tmp_path / "other", storage=url, trials=4, workers=1))
    assert result.trials == 4
    with opened_study("s", url) as stored:
        assert [trial.number for trial in stored.trials()] == [0, 1, 2, 3]
    assert not (tmp_path / "studies" / "s" / "study.db").exists()


def test_a_killed_search_goes_on_and_keeps_others_out_while_it_lives(squares, tmp_path, url, ask):
    flags = ("--storage", url, "--trials", "500")
    process = subprocess.Popen(command(squares, tmp_path, *flags), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    complete = "SELECT number FROM trials WHERE state = 'COMPLETE'"
    until(lambda: ask("SELECT to_regclass('trials')")[0] is not None and ask(complete))
    second = subprocess.run(command(squares, tmp_path / "other", *flags), capture_output=True, text=True)
    assert second.returncode == 2
    assert f"the study s is being searched by process {process.pid} on {platform.node()}" in second.stderr
    assert "Traceback" not in second.stderr
    process.send_signal(signal.SIGKILL)
    process.wait()
    with opened_study("s", url) as stored:
        before = {trial.number: trial.values for trial in stored.trials() if trial.state == TrialState.COMPLETE}
    more = len(before) + 2
    done = subprocess.run(command(squares, tmp_path / "other", *flags[:2], "--trials", str(more)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with opened_study("s", url) as stored:
        after = stored.trials()
    assert {number: after[number].values for number in before} == before
    assert TrialState.RUNNING not in {trial.state for trial in after}


def test_the_lock_is_of_one_study(tmp_path, server):
    with server_lock("one", server) as held, server_lock("two", server):
        held.check()
        refused = lock_elsewhere(tmp_path, server)
        assert f"being searched by process {os.getpid()} on {platform.node()}" in refused.stderr
    assert lock_elsewhere(tmp_path, server).returncode == 0


def test_the_lock_of_a_killed_process_is_free_on_the_server(tmp_path, server):
    assert lock_elsewhere(tmp_path, server, "die").returncode == -signal.SIGKILL
    with locked(study_folder(tmp_path / "other", "one"), server) as still_held:
        still_held()


TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'process % on %'"


def test_a_lost_lock_stays_lost(server, ask):
    with server_lock("one", server) as held:
        assert ask(TERMINATE) == [True]
        for _ in range(2):  # A connection that opens itself again would not hold the lock.
            with pytest.raises(UserError, match="is lost"):
                held.check()


def test_a_connection_that_the_server_dropped_is_not_used(server, ask):
    storage = open_storage(server)
    try:
        study = optuna.create_study(storage=storage)
        ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '' AND pid <> pg_backend_pid()")
        assert study.ask().number == 0
    finally:
        close_storage(storage)


def test_no_final_value_is_written_once_the_lock_is_lost(squares, tmp_path, url, ask, monkeypatch):
    real = FinalRound._settle

    def settle(finals, *news):
        assert ask(TERMINATE) == [True]
        real(finals, *news)

    monkeypatch.setattr(FinalRound, "_settle", settle)
    with pytest.raises(UserError, match="is lost"):
        run_search(settings(squares, tmp_path, storage=url, trials=1, workers=0, warm_start="none", finalists=1, final_seeds=1))
    with opened_study("s", url) as stored:
        assert stored.final_entries() == {}


def test_nothing_is_written_once_the_lock_is_lost(squares, tmp_path, url, ask, monkeypatch):
    real, trained = run_room.Ledger.judge, []

    def judge(ledger, live, answer):
        trained.append(live.key)
        if len(trained) == 3:  # The first trial took two rungs.
            assert ask(TERMINATE) == [True]
        return real(ledger, live, answer)

    monkeypatch.setattr(run_room.Ledger, "judge", judge)
    with pytest.raises(UserError, match=r"postgresql.*kept the study s for this process is lost.*The same command goes on"):
        run_search(settings(squares, tmp_path, storage=url, workers=0, warm_start="none"))
    with opened_study("s", url) as stored:
        assert [trial.state for trial in stored.trials()] == [TrialState.COMPLETE, TrialState.RUNNING]
        assert len(stored.trials()[1].user_attrs.get("rungs", [])) == 0
    monkeypatch.undo()
    assert run_search(settings(squares, tmp_path, storage=url, trials=2, workers=0, warm_start="none")).trials == 2
