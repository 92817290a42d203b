"""Searches whose storage is a real MariaDB server, which speaks MySQL: they run, keep each other out, and have room for long curves."""

import os
import signal

import optuna
import pytest
import sqlalchemy

from nas.errors import UserError
from nas.search import opened_study, run_search
from nas.search.folder import study_folder
from nas.search.storage.database import close_storage, open_storage
from nas.search.storage.drivers import with_driver
from nas.search.storage.lock import locked
from nas.search.storage.server_lock import server_lock
from tests.search.mariadb import mariadb_server
from tests.search.test_study import lock_elsewhere
from tests.search.workers.test_processes import settings

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="starts a server on a Unix socket")]

LONG = [{"iou": 0.5, "curve": [{"set": "squares", "epoch": epoch, "loss": 0.123456, "iou": 1 / 3} for epoch in range(3_000)]}]
"""Rungs of 190 KB, about what 5 sets take in 400 epochs."""


@pytest.fixture(scope="module")
def server():
    with mariadb_server() as url:
        yield with_driver(url)


@pytest.fixture
def ask(server):
    """Tells the server something, as its own user."""
    engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield lambda words: connection.execute(sqlalchemy.text(words))
    engine.dispose()


def test_a_search_runs_and_goes_on(squares, tmp_path, server):
    assert run_search(settings(squares, tmp_path, storage=server, trials=2, workers=0)).trials == 2
    assert run_search(settings(squares, tmp_path / "other", storage=server, trials=4, workers=1)).trials == 4
    with opened_study("s", server) as stored:
        assert [trial.number for trial in stored.trials()] == [0, 1, 2, 3]


def keeps(url, study):
    """Whether a study and a trial of it keep attributes of a long search."""
    storage = open_storage(url)
    try:
        made = optuna.create_study(storage=storage, study_name=study, load_if_exists=True)
        trial = made.ask()
        trial.set_user_attr("rungs", LONG)
        made.set_user_attr("finals", LONG)
        return made.trials[trial.number].user_attrs["rungs"] == made.user_attrs["finals"] == LONG
    finally:
        close_storage(storage)


def test_a_long_curve_has_room(server):
    assert keeps(server, "long")


def test_tables_that_were_made_without_room_get_it_and_keep_what_they_hold(server, ask):
    for table in ("trial_user_attributes", "study_user_attributes"):
        ask(f"DELETE FROM {table} WHERE LENGTH(value_json) > 65535")
    before = optuna.storages.RDBStorage(server)
    for table in ("trial_user_attributes", "study_user_attributes"):
        ask(f"ALTER TABLE {table} MODIFY value_json TEXT")
    optuna.create_study(storage=before, study_name="old").set_user_attr("kept", "é" * 100)
    before.engine.dispose()
    assert keeps(server, "old")
    assert optuna.load_study(storage=server, study_name="old").user_attrs["kept"] == "é" * 100


def test_the_lock_is_of_one_study(tmp_path, server):
    with server_lock("one", server) as held, server_lock("two", server):
        held.check()
        refused = lock_elsewhere(tmp_path, server)
        assert "being searched by connection" in refused.stderr
    assert lock_elsewhere(tmp_path, server).returncode == 0


def test_the_lock_of_a_killed_process_is_free_on_the_server(tmp_path, server):
    assert lock_elsewhere(tmp_path, server, "die").returncode == -signal.SIGKILL
    with locked(study_folder(tmp_path / "other", "one"), server) as still_held:
        still_held()


def test_a_lost_lock_stays_lost(server, ask):
    with server_lock("one", server) as held:
        ask(f"KILL {held.connection.scalar(sqlalchemy.text('SELECT CONNECTION_ID()'))}")
        for _ in range(2):  # A connection that opens itself again would not hold the lock.
            with pytest.raises(UserError, match="is lost"):
                held.check()
