"""Drivers of database servers: which is taken, and what is said where there is none; and the words for MySQL, without its server."""

import re

import pytest

from nas.errors import UserError
from nas.search.storage import drivers
from nas.search.storage.drivers import with_driver
from nas.search.storage.server_lock import MYSQL_WORDS, ServerLock, lock_key, server_lock


@pytest.fixture
def installed(monkeypatch):
    """Chooses which modules there are."""
    there = set()
    monkeypatch.setattr(drivers, "find_spec", lambda name: name if name in there else None)
    return there


@pytest.mark.parametrize(
    ("module", "url", "taken"),
    [
        ("psycopg", "postgresql://me:s%40cret@host:5432/name?x=1", "postgresql+psycopg://me:s%40cret@host:5432/name?x=1"),
        ("psycopg2", "postgresql://me@host/name", "postgresql+psycopg2://me@host/name"),
        ("pymysql", "mysql://me@host/name", "mysql+pymysql://me@host/name"),
        ("pymysql", "mariadb://me@host/name", "mariadb+pymysql://me@host/name"),
        ("psycopg2", "postgresql+psycopg2://me@host/name", "postgresql+psycopg2://me@host/name"),
        ("psycopg", "sqlite:///study.db", "sqlite:///study.db"),
        ("psycopg", "nonsense", "nonsense"),
    ],
)
def test_the_driver_that_is_there_is_taken(installed, module, url, taken):
    installed.add(module)
    assert with_driver(url) == taken


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:secret@host/name", ["a driver for PostgreSQL", 'pip install "psycopg[binary]"']),
        ("postgresql+psycopg2://me:secret@host/name", ["the driver psycopg2", "leave +psycopg2 out of the URL"]),
        ("mysql://me:secret@host/name", ["a driver for MySQL", 'pip install "pymysql"']),
    ],
)
def test_a_missing_driver_is_named_with_what_installs_it(installed, url, words):
    with pytest.raises(UserError, match="cannot be used") as caught:
        with_driver(url)
    assert all(part in str(caught.value) for part in words)
    assert "secret" not in str(caught.value)


def test_another_kind_of_server_is_refused():
    with pytest.raises(UserError, match="one of SQLite, PostgreSQL or MySQL"), server_lock("one", "oracle://me@host/name"):
        pass


def test_keys_are_what_the_servers_take():
    assert 0 <= lock_key("one", "db", True) < 2**63
    assert lock_key("one", "db", True) != lock_key("two", "db", True)
    names = {lock_key(study, database, False) for study in ("one", "two") for database in ("db", "other")}
    assert len(names) == 4
    assert all(len(name) <= 64 for name in names)


class MySQL:
    """Stands for a connection: answers what MySQL's manual says it would, with a lock that somebody has or has not."""

    def __init__(self, taken):
        self.taken, self.said = taken, []

    def execute(self, words, given):
        self.said.append(str(words))
        assert set(re.findall(r":(\w+)", str(words))) == set(given)
        holder = "connection 17 from there:1234"
        answers = {"take": 0 if self.taken else 1, "held": 0 if self.taken else 1, "holder": holder}
        value = next((answers[name] for name in answers if getattr(MYSQL_WORDS, name) == str(words)), None)
        return type("Result", (), {"scalar": lambda self: value})()


def test_mysql_is_asked_for_its_lock():
    lock = ServerLock("one", "mysql://me@host/db", MySQL(taken=False), MYSQL_WORDS, lock_key("one", "db", False))
    lock.take()
    lock.check()
    assert lock.connection.said == [*MYSQL_WORDS.begin, MYSQL_WORDS.take, MYSQL_WORDS.held]
    other = ServerLock("one", "mysql://me@host/db", MySQL(taken=True), MYSQL_WORDS, lock_key("one", "db", False))
    with pytest.raises(UserError, match="searched by connection 17 from there:1234"):
        other.take()
    with pytest.raises(UserError, match="is lost"):
        other.check()
