"""A process that does one training in full: `python -m nas.train.worker`, one JSON job in, one JSON line out for each epoch and the end.

It ends when its parent does, because then its input ends; what was trained so far is in its folder.
"""

import json
import os
import signal
import sys
import threading
from typing import TextIO


def main() -> None:
    """Reads a job, trains, says how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # A terminal sends Ctrl-C to the whole group; the parent alone decides what it means.
    # Whatever a library or a person's model prints must not get between the answers: they keep the real output.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()

    import torch

    from nas.errors import UserError, in_words
    from nas.train.fit import Diverged
    from nas.train.job import Job, run_job

    torch.set_num_threads(1)
    try:
        run_job(Job.from_dict(json.loads(line)), lambda row: _say(answers, row))
    except (UserError, Diverged, OSError) as error:
        _say(answers, {"ended": in_words(error)})
    else:
        _say(answers, {"ended": ""})


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def _say(answers: TextIO, document: object) -> None:
    print(json.dumps(document), file=answers, flush=True)


if __name__ == "__main__":
    main()
