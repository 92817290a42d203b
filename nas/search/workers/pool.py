"""Worker processes as seen by the coordinator: who is free, what came back, who died."""

import contextlib
import gc
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from nas.errors import UserError
from nas.machine import WORKER_ENVIRONMENT, import_path, one_thread
from nas.proxy.job import Answer, Task, Workplace


@dataclass(frozen=True)
class Event:
    """Something a worker did.

    Attributes:
        worker: Its number.
        answer: How its job ended; None where it got ready, or died.
        died: Whether it is gone.
    """

    worker: int
    answer: Answer | None = None
    died: bool = False


class Pool(Protocol):
    """Anything that does tasks: processes, this process, or, later, other machines."""

    def open(self, workplace: Workplace) -> None:
        """Says what is trained with; comes once, before anything else. Workers have been getting ready since the pool was made."""

    def submit(self, worker: int, task: Task) -> None:
        """Gives a free worker something to train."""

    def wait(self, seconds: float) -> Event | None:
        """The next event, or None after `seconds`."""

    def restart(self, worker: int) -> None:
        """Replaces a worker that died."""

    def close(self) -> None:
        """Ends all workers at once."""


@dataclass
class ProcessPool:
    """Single-threaded worker processes on this machine, which import what they need while banks are still drawn.

    Attributes:
        size: How many.
        log: File that takes what they write to their error stream.
    """

    size: int
    log: Path
    _workplace: Workplace | None = None
    _events: "queue.Queue[Event]" = field(default_factory=queue.Queue)
    _processes: "dict[int, subprocess.Popen[str]]" = field(default_factory=dict)

    def __post_init__(self) -> None:
        for worker in range(self.size):
            self.restart(worker)

    def open(self, workplace: Workplace) -> None:
        """See `Pool.open`."""
        self._workplace = workplace
        for worker in self._processes:
            self._send(worker, json.dumps(workplace.to_dict()))

    def restart(self, worker: int) -> None:
        """See `Pool.restart`."""
        environment = {**os.environ, **WORKER_ENVIRONMENT, **import_path()}
        with self.log.open("a", encoding="utf-8") as log, _interrupts_ignored():
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "nas.proxy.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
                encoding="utf-8",
            )
        self._processes[worker] = process
        threading.Thread(target=self._listen, args=(worker, process), daemon=True).start()
        if self._workplace is not None:
            self._send(worker, json.dumps(self._workplace.to_dict()))

    def submit(self, worker: int, task: Task) -> None:
        """See `Pool.submit`."""
        self._send(worker, json.dumps(task.to_dict()))

    def wait(self, seconds: float) -> Event | None:
        """See `Pool.wait`."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """See `Pool.close`."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        self._processes.clear()

    def _send(self, worker: int, line: str) -> None:
        process = self._processes[worker]
        assert process.stdin is not None
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except OSError:
            pass  # It died just now; the listener says so.

    def _listen(self, worker: int, process: "subprocess.Popen[str]") -> None:
        output: IO[str] | None = process.stdout
        assert output is not None
        try:
            for line in output:
                document = json.loads(line)
                self._events.put(Event(worker) if "ready" in document else Event(worker, Answer.from_dict(document)))
        except (ValueError, KeyError, TypeError):
            process.kill()  # It died in the middle of an answer.
        finally:
            process.wait()
            output.close()
            self._events.put(Event(worker, died=True))


class LocalPool:
    """One worker that is this process: for notebooks, debuggers and machines on which no process may be started.

    Args:
        log: File that takes what training writes to the error stream, as it does from worker processes.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._events = [Event(0)]
        self._task: Task | None = None
        self._device_lost = False

    def open(self, workplace: Workplace) -> None:
        """See `Pool.open`."""
        self._train = workplace.open()

    def submit(self, worker: int, task: Task) -> None:
        """See `Pool.submit`; the training itself is part of the next `wait`."""
        self._task = task

    def wait(self, seconds: float) -> Event | None:
        """See `Pool.wait`; takes as long as a training takes."""
        if self._events:
            return self._events.pop()
        if self._task is None:
            return None
        task, self._task = self._task, None
        # One thread, as in a worker: results depend on it in the last bit.
        with one_thread(), self._log.open("a", encoding="utf-8") as log, contextlib.redirect_stderr(log):
            answer = self._train(task)
        if answer.fault is not None:
            self._events.append(Event(0, died=True))  # As a worker process does.
            self._device_lost = answer.fault == "device"
        return Event(0, answer)

    def restart(self, worker: int) -> None:
        """Goes on in this process.

        Raises:
            UserError: It has lost the device.
        """
        if self._device_lost:
            raise UserError(
                "this process, the only worker, can no longer use the device: workers.log in the study's folder says why. The same command "
                "goes on in a new process; with --workers 1 or more a worker that loses the device is replaced"
            )
        gc.collect()
        self._events.append(Event(0))

    def close(self) -> None:
        """Nothing to end."""


@contextlib.contextmanager
def started_pool(workers: int, log: Path) -> Iterator[Pool]:
    """Processes, or this process for 0 workers; ended when this is left, however it is left."""
    pool: Pool = ProcessPool(workers, log) if workers else LocalPool(log)
    try:
        yield pool
    finally:
        pool.close()


class _interrupts_ignored:  # noqa: N801 - used as a function
    """Lets a child be born deaf to Ctrl-C, which a terminal sends to the whole group: the coordinator alone decides what it means."""

    def __enter__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)
