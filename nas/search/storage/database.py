"""The study's storage: opened with what SQLite needs to be quick and safe, and failing in words."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.exceptions import StorageInternalError
from optuna.storages._rdb import models
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from nas.errors import UserError
from nas.search.storage.quick import QuickStorage


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file.

    Raises:
        UserError: SQLAlchemy (before 2.1) cannot read the path back from a URL.
    """
    url = f"sqlite:///{path.as_posix().replace('%', '%25').replace('?', '%3F')}"
    if make_url(url).database != path.as_posix():
        raise UserError(f"this SQLAlchemy cannot hold the % or ? of {path} in a URL: give another --home or --study, or a --storage")
    return url


def shown_url(url: str) -> str:
    """The URL with its password hidden."""
    return make_url(url).render_as_string(hide_password=True)


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other databases.

    Raises:
        UserError: The URL cannot be read, or names a database in memory, which would be gone before anybody could look at it.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        shown = re.sub(r":[^:@/]*@", ":***@", url)
        raise UserError(
            f"--storage {shown!r} cannot be used: a URL such as sqlite:///study.db or postgresql://user@host/name is needed"
        ) from error
    if parsed.get_backend_name() != "sqlite":
        return None
    if parsed.database in (None, "", ":memory:"):
        raise UserError(
            f"--storage {url} cannot be used: a database in memory is gone when the search ends, give a file (sqlite:///study.db)"
        )
    return Path(str(parsed.database))


def open_storage(url: str) -> QuickStorage:
    """Opens, and makes where it is missing, an Optuna storage.

    SQLite runs in write-ahead mode, where a commit is one sequential write and readers such as the dashboard block nobody. On MySQL the
    columns of attributes are widened, once.

    Raises:
        UserError: It cannot be reached, its tables are of another Optuna, or a MySQL user may not alter them.
    """
    file = sqlite_file(url)
    with readable_errors(url, ImportError, OSError, RuntimeError):
        if file is None:
            # Between two rungs a connection may idle for longer than a firewall's or the server's patience: it is tried before it is used.
            storage = QuickStorage(url, engine_kwargs={"pool_pre_ping": True})
            _widen(storage.engine)
            return storage
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(file, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        storage = QuickStorage(url, engine_kwargs={"connect_args": {"timeout": 30}})
        event.listen(storage.engine, "connect", _less_waiting)
        storage.engine.dispose()  # The connections of the constructor were made without the listener.
        return storage


def close_storage(storage: QuickStorage) -> None:
    """Closes all connections; the last one folds SQLite's write-ahead log into the file."""
    storage.remove_session()
    storage.engine.dispose()


def _widen(engine: Engine) -> None:
    """On MySQL gives the attributes of trials and studies room for 16 MB, where Optuna's TEXT ends at 64 KB; others have no such end.

    The curve of a trial takes about 95 bytes for each epoch, set and fold: 100 epochs on 7 sets, or in 7 folds, are too much for a TEXT.
    """
    if engine.dialect.name not in ("mysql", "mariadb"):
        return
    tables = (models.TrialUserAttributeModel.__tablename__, models.StudyUserAttributeModel.__tablename__)
    narrow = (
        "SELECT table_name FROM information_schema.columns WHERE table_schema = DATABASE() AND data_type = 'text' "
        "AND column_name = 'value_json'"
    )
    with engine.begin() as connection:
        for table in connection.scalars(text(narrow)).all():
            if table in tables:
                connection.execute(text(f"ALTER TABLE {table} MODIFY value_json MEDIUMTEXT"))


def _less_waiting(connection: sqlite3.Connection, _: object) -> None:
    # With write-ahead logging NORMAL cannot corrupt the file; a power cut may take back the last commits, a killed process none.
    connection.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def readable_errors(url: str, *more: type[Exception]) -> Iterator[None]:
    """Turns what databases raise into one message with the URL, its password hidden.

    Args:
        url: Of the storage.
        more: Other exceptions that are the storage's fault here.
    """
    faults: tuple[type[Exception], ...] = (SQLAlchemyError, StorageInternalError, sqlite3.Error, *more)
    try:
        yield
    except faults as error:
        reason = (str(error.__cause__ or error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"the storage {shown_url(url)} cannot be used: {reason}. Check --storage, its server and the space on the disk"
        ) from error
