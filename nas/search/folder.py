"""Where a study keeps its files."""

from dataclasses import dataclass
from pathlib import Path

from nas.search.storage.database import sqlite_url
from nas.search.storage.drivers import with_driver


@dataclass(frozen=True)
class StudyFolder:
    """Where a study keeps its files.

    Attributes:
        root: `studies/<name>/`.
    """

    root: Path

    @property
    def name(self) -> str:
        """The study's name."""
        return self.root.name

    @property
    def config(self) -> Path:
        """All settings, the split, versions, commit and machine."""
        return self.root / "config.json"

    @property
    def front(self) -> Path:
        """The front as a table."""
        return self.root / "front.csv"

    @property
    def artifacts(self) -> Path:
        """What the dashboard shows beside trials."""
        return self.root / "artifacts"

    @property
    def best(self) -> Path:
        """The best genome, ready to train."""
        return self.root / "best"

    @property
    def space(self) -> Path:
        """A copy of the space file, for the day on which the original is gone."""
        return self.root / "space.py"

    @property
    def transforms(self) -> Path:
        """A copy of the file that drew the training views."""
        return self.root / "transforms.py"

    @property
    def log(self) -> Path:
        """One line for each event of the search."""
        return self.root / "search.log"

    @property
    def workers_log(self) -> Path:
        """What workers write to their standard error."""
        return self.root / "workers.log"

    @property
    def states(self) -> Path:
        """Training states of the trials under way."""
        return self.root / "states"

    @property
    def weights(self) -> Path:
        """Trained states of the finalists."""
        return self.root / "finals"

    def storage_url(self, given: str | None) -> str:
        """The storage asked for, with a driver that is installed, or SQLite in this folder."""
        return with_driver(given) if given else sqlite_url(self.root / "study.db")


def study_folder(home: Path, name: str) -> StudyFolder:
    """The folder of a study, which need not exist."""
    return StudyFolder(home / "studies" / name)
