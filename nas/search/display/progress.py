"""Tells a person how far a search is: a bar on a terminal, plain lines elsewhere, nothing for a library's caller."""

import sys
import time
from typing import Protocol, TextIO

from tqdm import tqdm

LINE_EVERY = 30.0
"""Seconds between plain lines at least."""


class Progress(Protocol):
    """Anything that can be told of a search's progress."""

    def say(self, text: str) -> None:
        """One line of news."""

    def event(self, text: str) -> None:
        """One line of the search's log."""

    def begin(self, done: int, total: int) -> None:
        """The search starts with `done` of `total` trials."""

    def update(self, done: int, best: float, front: int) -> None:
        """`done` trials, the best validation IoU so far, and the number of trials on the front."""

    def end(self) -> None:
        """The search is over."""


class Silence:
    """Says nothing."""

    def say(self, text: str) -> None:
        """See `Progress.say`."""

    def event(self, text: str) -> None:
        """See `Progress.event`."""

    def begin(self, done: int, total: int) -> None:
        """See `Progress.begin`."""

    def update(self, done: int, best: float, front: int) -> None:
        """See `Progress.update`."""

    def end(self) -> None:
        """See `Progress.end`."""


class Bar(Silence):
    """A progress bar.

    Args:
        verbose: Whether every event is said.
    """

    def __init__(self, verbose: bool = False) -> None:
        self._verbose = verbose

    def say(self, text: str) -> None:
        """Above the bar."""
        tqdm.write(text)

    def event(self, text: str) -> None:
        """Above the bar, for those who asked."""
        if self._verbose:
            self.say(text)

    def begin(self, done: int, total: int) -> None:
        """Draws the bar."""
        self._bar = tqdm(total=total, initial=done, unit="trial", dynamic_ncols=True, smoothing=0.1)

    def update(self, done: int, best: float, front: int) -> None:
        """Trials done, rate and time left are tqdm's own."""
        self._bar.set_postfix_str(f"best IoU {best:.3f}, front {front}", refresh=False)
        self._bar.update(done - self._bar.n)

    def end(self) -> None:
        """Leaves the bar as it is."""
        self._bar.close()


class Lines(Silence):
    """A line now and then, for logs and pipes.

    Args:
        output: Where to.
        verbose: Whether every event is said.
    """

    def __init__(self, output: TextIO, verbose: bool = False) -> None:
        self._output = output
        self._verbose = verbose

    def event(self, text: str) -> None:
        """As it is, for those who asked."""
        if self._verbose:
            self.say(text)

    def say(self, text: str) -> None:
        """As it is."""
        print(text, file=self._output, flush=True)

    def begin(self, done: int, total: int) -> None:
        """Remembers when the search began."""
        self._first, self._total, self._began = done, total, time.monotonic()
        self._said = self._began

    def update(self, done: int, best: float, front: int) -> None:
        """At most every 30 seconds, and for the last trial."""
        now = time.monotonic()
        if done < self._total and now - self._said < LINE_EVERY:
            return
        self._said = now
        rate = (done - self._first) / max(now - self._began, 1e-9)
        left = (self._total - done) / rate if rate else float("inf")
        self.say(f"{done}/{self._total} trials, best IoU {best:.3f}, front {front}, {60 * rate:.1f} trials a minute, {duration(left)} left")


def for_terminal(output: TextIO = sys.stdout, quiet: bool = False, verbose: bool = False) -> Progress:
    """A bar where a person looks on, lines where not, nothing where that was asked for."""
    if quiet:
        return Silence()
    return Bar(verbose) if output.isatty() and sys.stderr.isatty() else Lines(output, verbose)


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds == float("inf"):
        return "unknown time"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
