"""A process that draws: `python -m nas.data.draw_worker`, started by `crew.py` alone, pickles in and out over its standard streams.

It needs nothing of the script that began (no `if __name__ == "__main__"`, which `multiprocessing` would ask for), and it ends when its
parent does, because then its input ends. What it cannot do it says so and leaves to its parent, which then meets the same error itself.
"""

import os
import pickle
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from nas.data.drawing import Easel, Order
from nas.data.recipe import load_recipe


def main() -> None:
    """Reads an order, then chunks of jobs, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # A terminal sends Ctrl-C to the whole group; the parent alone decides what it means.
    # Whatever a library or a person's recipe prints must not get between the answers: they keep the real output.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read, args=(asked,), daemon=True).start()

    import cv2

    cv2.setNumThreads(1)
    try:
        easel = _easel(*asked.get())
    except Exception:
        return
    _answer(answers, True)
    while True:
        try:
            _answer(answers, easel.draw(asked.get()))
        except BrokenPipeError:
            return
        except Exception:
            _answer(answers, None)


def _easel(pickled: bytes, recipe_path: Path | None, sha256: str, folder: Path) -> Easel:
    """The easel for an order whose recipe, code that cannot be pickled, is loaded anew."""
    if recipe_path is None:
        # albumentations imports torch where there is one, and the built-in recipe has no use for it: a start takes 0.8 s of a core for 2.5,
        # and a process 50 MB for 175. To who imports it, it is not installed.
        sys.modules["torch"] = None  # type: ignore[assignment]
    recipe = load_recipe(recipe_path)
    import albumentations  # noqa: F401 - before it says that it is ready

    if recipe.sha256 != sha256:
        raise ValueError("the recipe has changed since")
    data, image_size, train_size, views, seed = pickle.loads(pickled)
    return Easel(Order(data, image_size, train_size, views, seed, recipe), folder)


def _read(asked: "queue.Queue[Any]") -> None:
    while True:
        try:
            asked.put(pickle.load(sys.stdin.buffer))
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(0)  # The parent is gone, or wants no more: half an image matters to nobody.


def _answer(answers: Any, value: object) -> None:
    pickle.dump(value, answers)
    answers.flush()


if __name__ == "__main__":
    main()
