"""Ctrl-C and SIGTERM as a wish to end soon, instead of an exception in the middle of a write."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Wish:
    """Whether somebody wants an end."""

    to_end: bool = False


@contextmanager
def caught_signals() -> Iterator[Wish]:
    """While this lasts, Ctrl-C and SIGTERM set the wish; a second Ctrl-C raises `KeyboardInterrupt` as ever. Main thread only."""
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return

    def stop(number: int, frame: object) -> None:
        if wish.to_end:
            raise KeyboardInterrupt
        wish.to_end = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
