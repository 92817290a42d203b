"""One coordinator a study on a database server: a lock of the server's own, held by a connection for as long as the coordinator lives.

Lock files do not reach as far as such a storage: coordinators of two homes, or of two machines, see different files and the same study. A
lock of the server's is tied to its connection and gone with it, however the process ends, so none is ever left behind. The reverse is
checked before the study's states are written: a coordinator whose connection was lost must not write to what may be another's by now.

PostgreSQL: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS, MySQL:
https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html. A pooler that hands out connections a transaction at a time cannot hold one.
"""

import contextlib
import hashlib
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from nas.errors import UserError
from nas.search.storage.database import readable_errors, shown_url
from nas.search.storage.drivers import POSTGRESQL, SERVERS

_OURS = (
    "l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = "
    "current_database()) AND CAST(l.classid AS bigint) * 4294967296 + CAST(l.objid AS bigint) = :key"
)


@dataclass(frozen=True)
class Dialect:
    """What is said to a server; `:key` is the lock's.

    Attributes:
        begin: Said first: tells others who holds the lock, and lets the server find out soon when this machine is gone.
        take: Gives 1 where the lock is ours now.
        held: Gives 1 while it is.
        holder: Gives who holds it.
    """

    begin: tuple[str, ...]
    take: str
    held: str
    holder: str


POSTGRESQL_WORDS = Dialect(
    begin=(
        "SELECT set_config('application_name', :who, false)",
        # A machine that lost its power says no goodbye: the server asks after a minute of silence, not after two hours.
        "SELECT set_config('tcp_keepalives_idle', '60', false), set_config('tcp_keepalives_interval', '10', false), "
        "set_config('tcp_keepalives_count', '3', false)",
    ),
    take="SELECT CAST(pg_try_advisory_lock(:key) AS int)",
    held=f"SELECT count(*) FROM pg_locks l WHERE l.pid = pg_backend_pid() AND {_OURS}",
    holder=f"SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE {_OURS}",
)
MYSQL_WORDS = Dialect(
    # The connection is silent between two rungs, which may take longer than the server's patience (8 hours unless set lower).
    begin=("SET SESSION wait_timeout = 604800",),
    take="SELECT GET_LOCK(:key, 0)",
    held="SELECT IS_USED_LOCK(:key) = CONNECTION_ID()",
    holder="SELECT CONCAT('connection ', ID, ' from ', HOST) FROM information_schema.PROCESSLIST WHERE ID = IS_USED_LOCK(:key)",
)


@dataclass(frozen=True)
class ServerLock:
    """A study's lock on a server.

    Attributes:
        study: Its name.
        url: Of the storage.
        connection: Holds the lock; nothing else goes through it.
        words: For its server.
        key: Of the lock.
    """

    study: str
    url: str
    connection: Connection
    words: Dialect
    key: int | str

    def take(self) -> None:
        """Takes the lock.

        Raises:
            UserError: Another process holds it.
        """
        who = f"process {os.getpid()} on {platform.node()}"
        for words in self.words.begin:
            self.connection.execute(text(words), {"who": who} if ":who" in words else {})
        if self._ask(self.words.take) != 1:
            holder = self._ask(self.words.holder) or "another process"
            raise UserError(f"the study {self.study} is being searched by {holder}: wait for it, or give another --study")

    def check(self) -> None:
        """Asks the server whether the lock is still ours.

        Raises:
            UserError: It is not; nothing must be written any more.
        """
        try:
            held = self._ask(self.words.held) == 1
        except SQLAlchemyError:
            held = False
        if not held:
            raise UserError(
                f"the connection to {shown_url(self.url)} that kept the study {self.study} for this process is lost (its server was "
                "restarted, or the network failed), so another may be searching it: nothing more is written. The same command goes on"
            )

    def _ask(self, words: str) -> Any:
        return self.connection.execute(text(words), {"key": self.key}).scalar()


@contextlib.contextmanager
def server_lock(study: str, url: str) -> Iterator[ServerLock]:
    """Holds a study of a database server for one coordinator.

    Raises:
        UserError: Another coordinator holds it, or the server cannot be reached or has no such locks.
    """
    parsed = make_url(url)
    server = SERVERS.get(parsed.get_backend_name())
    if server is None:
        raise UserError(f"the storage {shown_url(url)} cannot be used: one of SQLite, PostgreSQL or MySQL is needed")
    words = POSTGRESQL_WORDS if server is POSTGRESQL else MYSQL_WORDS
    with contextlib.ExitStack() as held:
        with readable_errors(url, ImportError, OSError):
            # Without transactions: a server may end a connection that idles in the middle of one.
            engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
            connection = held.enter_context(engine.connect())
            lock = ServerLock(study, url, connection, words, lock_key(study, parsed.database, server is POSTGRESQL))
            lock.take()
        yield lock


def lock_key(study: str, database: str | None, is_postgresql: bool) -> int | str:
    """The name of a study's lock: a number within the database for PostgreSQL, a text within the whole server for MySQL."""
    if is_postgresql:
        return int.from_bytes(hashlib.sha256(f"nas {study}".encode()).digest()[:8], "big") >> 1  # Below 2^63: it is signed there.
    return f"nas-{hashlib.sha256(f'{database}/{study}'.encode()).hexdigest()[:32]}"
