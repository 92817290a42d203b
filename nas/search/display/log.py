"""The search's log: one line for each event, in the study's folder and, where a person asked for it, on the terminal."""

import contextlib
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nas.search.display.progress import Progress, Silence


@dataclass(frozen=True)
class EventLog:
    """A file of lines, each with its time.

    Attributes:
        path: The file; what earlier runs wrote stays.
        workers: The file with what worker processes write, tracebacks among it; for messages.
        progress: Is told of events, too, and says those that it was made to say.
    """

    path: Path
    workers: Path
    progress: Progress = field(default_factory=Silence)

    def write(self, event: str, news: bool = False) -> None:
        """Adds a line. The file is opened for each, so that nothing is lost when the process is killed, and it may be moved.

        Args:
            event: What happened.
            news: Whether every person wants to know, rather than those who follow every event.
        """
        event = " ".join(part.strip() for part in event.splitlines() if part.strip())
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {event}\n")
        (self.progress.say if news else self.progress.event)(event)


@contextlib.contextmanager
def logged_errors(log: EventLog) -> Iterator[None]:
    """Writes down what ends a search before its time."""
    try:
        yield
    except BaseException as error:
        log.write(f"search ends with {type(error).__name__}{f': {error}' if str(error) else ''}")
        raise


def command_line(secret: str | None = None, shown: str = "", words: Sequence[str] = ()) -> str:
    """What started this process, as it would be typed.

    Args:
        secret: A text that is not to be shown, such as a URL with a password; None for none.
        shown: What is shown in its place.
        words: Of the command; by default those of this process.
    """
    given = words or sys.orig_argv
    return shlex.join(word.replace(secret, shown) if secret else word for word in given)
