"""A PostgreSQL server of the tests' own, in a folder of its own, for as long as they run."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of an empty database; skips where no server can be started."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("the driver psycopg is not installed")
    programs = _programs()
    # Not pytest's folder: nobody else may enter that, and the server refuses to run as root. The path of a socket must be short, too.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        as_whom = _unprivileged(folder)
        data, log = folder / "data", folder / "log"
        start = ["start", "--wait", "--log", str(log), "-o", f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"]
        _run([programs / "initdb", "--pgdata", data, "--username=search", "--auth=trust", "--no-locale", "--encoding=UTF8"], as_whom)
        _run([programs / "pg_ctl", "--pgdata", data, *start], as_whom)
        try:
            yield f"postgresql://search@/postgres?host={folder}"
        finally:
            _run([programs / "pg_ctl", "--pgdata", data, "stop", "--mode=immediate"], as_whom)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The folder of initdb and pg_ctl, which Debian keeps off the PATH."""
    places = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    for place in [*places, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    pytest.skip("no PostgreSQL server is installed here")


def _unprivileged(folder: Path) -> dict:
    """For a server started by root, somebody else who owns the folder."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            folder.chmod(0o755)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no other user")


def _run(command: list, as_whom: dict) -> None:
    # To a file: the server would keep a pipe of pg_ctl's open, and its reader waiting.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run([*map(str, command)], stdout=said, stderr=said, cwd="/", **as_whom)
        said.seek(0)
        assert done.returncode == 0, said.read()
