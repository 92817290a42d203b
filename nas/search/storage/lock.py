"""One coordinator a study: locks that the system, or the database server, lets go of when the process dies, however it dies."""

import contextlib
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from nas.errors import UserError
from nas.search.folder import StudyFolder
from nas.search.storage.database import readable_errors, sqlite_file
from nas.search.storage.server_lock import server_lock


@contextlib.contextmanager
def locked(folder: StudyFolder, url: str) -> Iterator[Callable[[], None]]:
    """Holds a study for one coordinator.

    A lock lies in the study's folder, and where others can find it who share the storage: beside an SQLite file, on a database server.

    Yields:
        What raises a `UserError` once the study is no longer held; a lock file is held as long as the process lives.

    Raises:
        UserError: Another process holds it.
    """
    file = sqlite_file(url)
    places = {folder.root.resolve() / ".lock"} | ({file.resolve().parent / f".{folder.name}.lock"} if file else set())
    with contextlib.ExitStack() as held:
        for place in sorted(places):
            held.enter_context(_file_lock(folder.name, place, url))
        yield held.enter_context(server_lock(folder.name, url)).check if file is None else _held


def _held() -> None:
    """Nothing takes a lock file away from a living process."""


@contextlib.contextmanager
def _file_lock(study: str, place: Path, url: str) -> Iterator[None]:
    with readable_errors(url, OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
    lock, holder = filelock.FileLock(place), place.with_suffix(".holder")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        who = holder.read_text(encoding="utf-8") if holder.exists() else "another process"
        raise UserError(f"the study {study} is being searched by {who}: wait for it, or give another --study") from None
    try:
        holder.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
