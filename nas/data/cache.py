"""The folder of banks kept within a size: the least recently used go first, those that somebody works with stay."""

import contextlib
import os
import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from nas.data.bank import META, bank_bytes
from nas.data.dataset import DataSet
from nas.data.size import SizeChoice

USERS = "users"
"""Folder in a bank: one file a process that works with it."""

ELSEWHERE = 7 * 86_400
"""Seconds for which a user whose process cannot be asked, such as one on another machine, counts as alive."""


@contextlib.contextmanager
def using(banks: Sequence[Path]) -> Iterator[None]:
    """Marks banks as in use by this process, and as used now.

    Args:
        banks: Their folders.
    """
    marks = [path / USERS / f"{platform.node()}-{os.getpid()}" for path in banks]
    try:
        for mark in marks:
            mark.parent.mkdir(exist_ok=True)
            mark.touch()
            os.utime(mark.parents[1] / META)
        yield
    finally:
        for mark in marks:
            mark.unlink(missing_ok=True)


def trim(cache: Path, limit: int) -> list[Path]:
    """Removes banks until those that are left take no more than a number of bytes.

    Args:
        cache: The folder of banks; need not exist.
        limit: Bytes.

    Returns:
        The folders removed, least recently used first. Banks in use stay, even where they take more than the limit.
    """
    banks = sorted((path.parent for path in cache.glob(f"*/{META}")), key=lambda path: ((path / META).stat().st_mtime, path.name))
    sizes = {path: sum(file.stat().st_size for file in path.iterdir() if file.is_file()) for path in banks}
    total, removed = sum(sizes.values()), []
    for path in banks:
        if total <= limit:
            break
        if in_use(path):
            continue
        # Without its meta file it is no bank any more, so that nobody opens it while it goes.
        (path / META).unlink(missing_ok=True)
        shutil.rmtree(path, ignore_errors=True)
        total -= sizes[path]
        removed.append(path)
    return removed


def in_use(bank: Path) -> bool:
    """Whether a living process works with a bank."""
    return any(_alive(mark) for mark in (bank / USERS).glob("*"))


def _alive(mark: Path) -> bool:
    host, _, process = mark.name.rpartition("-")
    if host != platform.node() or os.name == "nt":  # On Windows signal 0 is no question, it ends the process.
        return time.time() - mark.stat().st_mtime < ELSEWHERE
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def views_that_fit(rounds: Sequence[DataSet], size: SizeChoice, wanted: int, limit: int) -> int:
    """How many views of each image the banks of a set may hold, at least one.

    Args:
        rounds: The set, or it once a fold, each with a bank of its own.
        size: Of use, and of training views.
        wanted: Views.
        limit: Bytes of all these banks together.
    """
    one, two = (sum(bank_bytes(data, size.image_size, size.train_size, views) for data in rounds) for views in (1, 2))
    return views_within(limit, wanted, image_bytes=two - one, fixed_bytes=2 * one - two)


def views_within(limit: int, views: int, image_bytes: int, fixed_bytes: int) -> int:
    """How many views of each image a bank may hold to stay within a size, at least one.

    Args:
        limit: Bytes.
        views: Wanted.
        image_bytes: Of one view of all training images.
        fixed_bytes: Of the validation images.
    """
    return max(1, min(views, (limit - fixed_bytes) // max(1, image_bytes)))
