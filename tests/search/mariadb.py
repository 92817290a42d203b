"""A MariaDB server of the tests' own, in a folder of its own, for as long as they run; it speaks MySQL."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 60
"""Seconds for the server to start."""


@contextlib.contextmanager
def mariadb_server() -> Iterator[str]:
    """The URL of an empty database; skips where no server can be started."""
    if importlib.util.find_spec("pymysql") is None:
        pytest.skip("the driver pymysql is not installed")
    server, install = _program("mariadbd"), _program("mariadb-install-db")
    folder = Path(tempfile.mkdtemp(prefix="my-"))  # The path of a socket must be short.
    try:
        me = ["--user=root"] if os.geteuid() == 0 else []
        where = ["--no-defaults", f"--datadir={folder / 'data'}"]
        with (folder / "log").open("w") as log:
            own = ["--auth-root-authentication-method=normal", "--skip-test-db"]
            subprocess.run([install, *where, *own, *me], stdout=log, stderr=log, check=True)
            network = [f"--socket={folder / 'socket'}", "--skip-networking", f"--pid-file={folder / 'pid'}"]
            quick = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
            process = subprocess.Popen([server, *where, *network, *quick, *me], stdout=log, stderr=log)
        try:
            _create(folder, process)
            yield f"mysql://root@localhost/search?unix_socket={folder / 'socket'}"
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """A program's path; Debian keeps servers off the PATH of most users."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        pytest.skip("no MariaDB server is installed here")
    return found


def _create(folder: Path, process: subprocess.Popen) -> None:
    """Makes the database as soon as the server answers."""
    import pymysql

    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection = pymysql.connect(unix_socket=str(folder / "socket"), user="root")
            break
        except pymysql.err.OperationalError:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE search")
