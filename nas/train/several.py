"""Several trainings in full at a time, each in a process of its own that ends when this one does."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import IO

from nas.errors import UserError, in_words
from nas.machine import WORKER_ENVIRONMENT, import_path
from nas.train.checkpoint import ERRORS, Progress, Row, load_progress
from nas.train.job import Job, Told, run_job


def run_jobs(jobs: Sequence[Job], workers: int, told: Told = lambda row: None) -> list[Progress]:
    """Runs trainings, here where one at a time is wanted, else in processes.

    Args:
        jobs: What.
        workers: At a time.
        told: Is given the row of each epoch of each of them.

    Returns:
        Where each stands at the end.

    Raises:
        UserError: Some of them failed, each is named; the others were run to their ends.
        Diverged: As for `run_job`, where trainings run here.
    """
    if workers == 1:
        return [run_job(job, told) for job in jobs]
    failures: list[str] = []
    waiting: SimpleQueue[Job] = SimpleQueue()
    for job in jobs:
        waiting.put(job)
    lock = threading.Lock()

    def tell(row: Row) -> None:
        with lock:
            told(row)

    def work() -> None:
        with contextlib.suppress(Empty):  # Not `while not waiting.empty()`: two hands may see the last one, and one would wait for ever.
            while True:
                job = waiting.get_nowait()
                try:
                    failure = _run_in_process(job, tell, running)
                # Whatever it is, a thread that ends with it would leave its job, and those that wait, without a word.
                except Exception as error:
                    failure = in_words(error)
                if failure:
                    failures.append(f"{job.name}: {failure}")

    running: set[subprocess.Popen[str]] = set()
    hands = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    try:
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
    finally:
        for process in list(running):
            process.kill()
    if failures:
        raise UserError("\n".join(failures))
    return [load_progress(job.folder, job.identity) for job in jobs]


def _run_in_process(job: Job, told: Told, running: "set[subprocess.Popen[str]]") -> str:
    """Runs one; gives what went wrong, in words, or ""."""
    job.folder.mkdir(parents=True, exist_ok=True)
    errors = job.folder / ERRORS
    with errors.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nas.train.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            env={**os.environ, **WORKER_ENVIRONMENT, **import_path()},
            text=True,
            encoding="utf-8",
        )
    running.add(process)
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # It has ended already, and so have its answers.
            process.stdin.write(json.dumps(job.to_dict()) + "\n")
            process.stdin.flush()
        failure = _listen(process.stdout, told)
    except BaseException:
        process.kill()
        raise
    finally:
        process.wait()
        running.discard(process)
    if failure is not None:
        return failure
    return f"its process ended with {process.returncode}; {errors} may say why. The same command goes on from its last epoch"


def _listen(answers: IO[str] | None, told: Told) -> str | None:
    """Passes rows on; gives the failure that ended it, "" where none did, None where it ended without a word."""
    assert answers is not None
    for line in answers:
        document = json.loads(line)
        if "ended" in document:
            return str(document["ended"])
        told(document)
    return None
