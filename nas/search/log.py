"""The search's log: one line for each event, in the study's folder."""

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EventLog:
    """A file of lines, each with its time.

    Attributes:
        path: The file; what earlier runs wrote stays.
        workers: The file with what worker processes write, tracebacks among it; for messages.
    """

    path: Path
    workers: Path

    def write(self, event: str) -> None:
        """Adds a line. Opened for each, so that nothing is lost when the process is killed, and the file may be moved."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {event}\n")
