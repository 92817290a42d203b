"""A worker process: `python -m nas.proxy.worker`, one JSON line in for each task, one out for how it did.

After a fault of the machine it ends: memory comes back whole only with the process, and a CUDA context never recovers from an error.

It talks over its standard streams, which gives three things on every system: it needs nothing of the script that started the search (no
`if __name__ == "__main__"` in a user's five lines), its environment can be set before it starts, and it ends by itself when its
coordinator dies, because then its input ends.
"""

import faulthandler
import json
import os
import queue
import sys
import threading
from typing import TextIO

KEPT = 384 * 2**20
"""Bytes, beyond what a worker holds at first, that it may keep from training to training.

A bargain: the default search held 1,964 MiB at most where workers kept all, 1,755 with this bound and 1,612 with 256 MiB, and spent 11, 19
and 26 s of its 830 in the system, which has to clear again what comes back (one search each, 2 cores)."""


def main() -> None:
    """Reads a `Workplace`, then tasks, until the input ends."""
    # Whatever a library prints must not get between the answers: they keep the real output, everybody else gets the error stream.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()

    # A crash in native code leaves its Python lines in workers.log, too.
    faulthandler.enable()
    import torch

    from nas.machine import give_memory_back, private_memory
    from nas.proxy.job import Task, Workplace

    torch.set_num_threads(1)
    train = Workplace.from_dict(json.loads(lines.get())).open()
    at_first = private_memory()
    _say(answers, {"ready": True})
    while True:
        answer = train(Task.from_dict(json.loads(lines.get())))
        _say(answers, answer.to_dict())
        if answer.fault is not None:
            os._exit(1)  # At once: a broken CUDA context may hang or crash what Python does at its end.
        give_memory_back(at_first + KEPT)


def _read(lines: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        lines.put(line.rstrip("\n"))
    # The coordinator is gone, or wants no more: nobody would read the answer of a training under way.
    os._exit(0)


def _say(answers: TextIO, document: object) -> None:
    print(json.dumps(document), file=answers, flush=True)


if __name__ == "__main__":
    main()
