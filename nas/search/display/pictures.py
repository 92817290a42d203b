"""The drawing of each trial's architecture: an artifact that the dashboard lists with the trial and shows in its note."""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.drawing import drawing
from nas.files import write_text
from nas.search.candidate import Candidate, Target

NAME = "architecture.svg"


@dataclass(frozen=True)
class Pictures:
    """Draws candidates.

    Attributes:
        folder: Of artifacts.
        target: What candidates are drawn for.
    """

    folder: Path
    target: Target

    def keep(self, candidate: Candidate) -> dict[str, Any]:
        """Draws a candidate; returns the system attribute by which Optuna and its dashboard know an artifact of a trial."""
        identity = _identity(candidate)
        write_text(self.folder / identity, drawing(candidate.genome, self.target.in_shape, self.target.num_classes))
        meta = {"artifact_id": identity, "filename": NAME, "mimetype": "image/svg+xml", "encoding": None}
        return {f"artifacts:{identity}": json.dumps(meta)}

    @staticmethod
    def shown(candidate: Candidate, study_id: int, trial_id: int) -> str:
        """The line of a note that shows the drawing where the dashboard has the folder of artifacts."""
        return f"![The architecture: start the dashboard with --artifact-dir](/artifacts/{study_id}/{trial_id}/{_identity(candidate)})"


def _identity(candidate: Candidate) -> str:
    """The same in every run of a study, so that one that goes on finds what it has drawn."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, candidate.genome.key))
