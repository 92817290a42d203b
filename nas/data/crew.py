"""Several that draw one bank: threads, each of which hands its work to a process of its own where there is much of it.

Python runs one thread at a time, and below 300 pixels a side most of a view is Python: two threads drew 0.3 to 0.6 of the views that two
processes drew. A process takes a second to start, so the threads begin, and go on until their processes are ready. Whatever a process
cannot do (it was killed, a file is broken) its thread does again, so that an error is raised here as if there were no processes.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.lib.format import open_memmap

from nas.data.drawing import Counts, Easel, Job, Order
from nas.data.views import check_recipe
from nas.machine import import_path

WORTH = 3.0
"""Seconds of a core ahead of each hand from which processes are started: a start takes 0.8 of them, 2.5 with a recipe of one's own."""

FIRST_LOOK = 0.5
"""Seconds of a core after which it is first guessed how many it will take. Not of the clock: where other programs keep the cores busy,
processes would be started for little work, and make it less."""

MOST_IN_CHUNK = 16
"""Images handed over at once: asking and answering takes 0.1 ms, so a few would do."""


def draw_arrays(order: Order, folder: Path, progress: Callable[[float], None], hands: int) -> Counts:
    """Writes the arrays of a bank.

    Args:
        order: What is wanted.
        folder: Where the files go; it exists.
        progress: Told the share done, 0..1, after every few images.
        hands: How many draw at a time; the bytes do not depend on it.

    Returns:
        How often each mask value occurs in the training views, 256 numbers.

    Raises:
        UserError: A file cannot be read, or the recipe gives what cannot be trained on.
    """
    if not order.recipe.built_in:
        check_recipe(order.recipe, order.data, order.image_size, order.train_size)
    for name, shape in order.shapes.items():
        array = open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape)
        _reserve(folder / f"{name}.npy", array.offset + array.nbytes)
    jobs, pixels, done = order.jobs, np.zeros(256, dtype=np.int64), 0
    chunks = _chunks(jobs, hands)
    with _one_opencv_thread(), _Crew(order, folder, hands) as crew:
        for chunk, counts in zip(chunks, crew.draw(chunks), strict=True):
            pixels += counts
            done += len(chunk)
            crew.look(done, len(jobs))
            progress(done / len(jobs))
    for name in order.shapes:
        _store(folder / f"{name}.npy")
    return pixels


class _Crew:
    """Hands that draw an order, and the processes they may come to have."""

    def __init__(self, order: Order, folder: Path, hands: int) -> None:
        self._order, self._folder, self._hands = order, folder, hands
        self._own = threading.local()
        self._ready: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._began: float | None = None
        self._looking, self._closed = hands > 1, False
        self._pool = ThreadPoolExecutor(hands)

    def __enter__(self) -> "_Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for process in self._processes:
            process.kill()
        self._pool.shutdown(cancel_futures=True)
        for process in self._processes:
            _finish(process)

    def draw(self, chunks: Sequence[Sequence[Job]]) -> Iterator[Counts]:
        """The counts of each chunk, in order, as they are done."""
        return self._pool.map(self._draw, chunks)

    def look(self, done: int, total: int) -> None:
        """Starts processes once enough is done to see that enough is left."""
        if not self._looking or self._began is None:
            return
        spent = time.process_time() - self._began
        if spent >= min(FIRST_LOOK, WORTH) and spent / done * (total - done) / self._hands > WORTH:
            self._looking = False
            self._start()

    def _draw(self, chunk: Sequence[Job]) -> Counts:
        if (process := self._process()) is not None:
            counts = _asked(process, chunk)
            if counts is not None:
                return counts
            if self._closed:
                raise RuntimeError("drawing was given up")
            if process.poll() is not None:
                self._own.process = None
        if not hasattr(self._own, "easel"):
            import albumentations  # noqa: F401 - 1.3 s that say nothing about how long drawing takes

            self._own.easel = Easel(self._order, self._folder)
            self._began = self._began or time.process_time()
        drawn: Counts = self._own.easel.draw(chunk)
        return drawn

    def _process(self) -> "subprocess.Popen[bytes] | None":
        """This thread's process; None where it has none yet, or none any more."""
        if getattr(self._own, "process", None) is None:
            with contextlib.suppress(queue.Empty):
                self._own.process = self._ready.get_nowait()
        return getattr(self._own, "process", None)

    def _start(self) -> None:
        order = self._order
        recipe = None if order.recipe.built_in else order.recipe.path
        try:
            pickled = pickle.dumps((order.data, order.image_size, order.train_size, order.views, order.seed))
        except (pickle.PicklingError, AttributeError, TypeError):
            return  # A data set of somebody's own, made of things that cannot travel: the threads go on.
        brief = pickle.dumps((pickled, recipe, order.recipe.sha256, self._folder.resolve()))
        for _ in range(self._hands):
            with contextlib.suppress(OSError):  # No process may be started here, or no more: the threads go on.
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "nas.data.draw_worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env={**os.environ, "OMP_NUM_THREADS": "1", **import_path()},
                )
                self._processes.append(process)
                threading.Thread(target=self._await, args=(process, brief), daemon=True).start()

    def _await(self, process: "subprocess.Popen[bytes]", brief: bytes) -> None:
        if _told(process, brief) is True:
            self._ready.put(process)


def _asked(process: "subprocess.Popen[bytes]", chunk: Sequence[Job]) -> Counts | None:
    """A process's answer to a chunk; None where it cannot do it or died, which has then been noticed."""
    counts: Counts | None = _told(process, pickle.dumps(chunk))
    return counts


def _told(process: "subprocess.Popen[bytes]", message: bytes) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(message)
        process.stdin.flush()
        return pickle.load(process.stdout)
    except (OSError, ValueError, EOFError, pickle.UnpicklingError):
        process.kill()
        process.wait()
        return None


def _finish(process: "subprocess.Popen[bytes]") -> None:
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            stream.close() if stream is not None else None


def _chunks(jobs: Sequence[Job], hands: int) -> list[Sequence[Job]]:
    """Jobs a few at a time, so many times more than hands that none waits long for the last one."""
    size = max(1, min(MOST_IN_CHUNK, len(jobs) // (16 * hands)))
    return [jobs[first : first + size] for first in range(0, len(jobs), size)]


@contextlib.contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Without threads of OpenCV's own, which would only get in each other's way where all cores draw."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _reserve(file: Path, size: int) -> None:
    """Claims a file's place on the disk: writing to a mapped file on a full disk would kill the process without a word."""
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as handle:
            os.posix_fallocate(handle.fileno(), 0, size)


def _store(file: Path) -> None:
    """Waits until a file is on the disk: a bank is named when it is whole, and has to be so after a power cut too."""
    with file.open("r+b") as handle:
        os.fsync(handle.fileno())
