"""What a training in full leaves in its folder: weights to use, a state to go on from, and its history; each file is whole or absent.

The state is written last. A kill in between leaves newer weights beside an older state, and going on trains that epoch again, to the same
bits.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nas.errors import UserError
from nas.evaluate.trained import RECORD
from nas.files import write_bytes
from nas.train.state import TrainState
from nas.weights import save_weights

BEST = "best.safetensors"
LAST = "last.safetensors"
STATE = "state.bin"
CSV = "log.csv"
EVENTS = "tensorboard"
ERRORS = "errors.log"
"""What a training's process wrote to the error stream, where several train at a time."""

Row = dict[str, Any]
"""One epoch: number, loss, learning rate, seconds, and where it was validated the IoU of each set and their mean."""


@dataclass
class Progress:
    """How far a training is.

    Attributes:
        state: After the last completed epoch; None before the first.
        history: One row an epoch.
        stopped: Whether it ended early, for want of progress.
    """

    state: TrainState | None = None
    history: list[Row] = field(default_factory=list)
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return len(self.history)

    @property
    def best(self) -> Row | None:
        """The row of the best validation so far, the first of equals; None before any."""
        validated = [row for row in self.history if row.get("iou") is not None]
        return max(validated, key=lambda row: (row["iou"], -row["epoch"])) if validated else None

    @property
    def waited(self) -> int:
        """Epochs since the best validation."""
        return self.epoch - self.best["epoch"] if self.best else 0


def save_progress(folder: Path, progress: Progress, identity: Mapping[str, Any]) -> None:
    """Writes the state after an epoch; where that is the best so far its averaged weights too.

    Args:
        folder: Of the training.
        progress: With a state.
        identity: What the training depends on; a training with another one does not go on from here.

    Raises:
        OSError: The disk is full; what was there before stays whole.
    """
    assert progress.state is not None
    if progress.best is not None and progress.best["epoch"] == progress.epoch:
        save_weights(folder / BEST, progress.state.ema)
    save_weights(folder / LAST, progress.state.ema)
    head = json.dumps({"identity": dict(identity), "history": progress.history, "stopped": progress.stopped})
    write_bytes(folder / STATE, head.encode() + b"\n" + progress.state.to_bytes())


def load_progress(folder: Path, identity: Mapping[str, Any]) -> Progress:
    """Where a training in a folder stands.

    Args:
        folder: Of the training; need not be there.
        identity: What the training depends on.

    Returns:
        The beginning where there is no state.

    Raises:
        UserError: The folder holds another training, or a broken state.
    """
    path = folder / STATE
    if not path.is_file():
        return Progress()
    try:
        head, _, content = path.read_bytes().partition(b"\n")
        document = json.loads(head)
        state = TrainState.from_bytes(content)
        own, history, stopped = document["identity"], document["history"], document["stopped"]
    # torch's reader of broken files raises nearly anything.
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path} cannot be read ({type(error).__name__}: {reason}): give --restart to begin anew") from error
    different = sorted(name for name in {**own, **identity} if own.get(name) != _as_json(identity.get(name)))
    if different:
        name = different[0]
        raise UserError(
            f"{folder} holds another training: {name} was {own.get(name)!r} there, and is {identity.get(name)!r} now. Give another --out, "
            f"the same {', '.join(different)}, or --restart to begin anew"
        )
    return Progress(state, history, stopped)


def forget(folder: Path) -> None:
    """Removes what a training left in its folder, so that it begins anew; whatever else lies there stays.

    The state goes first: without it nobody goes on from what a kill leaves of the rest.

    Args:
        folder: Of the training; need not be there.
    """
    for name in (STATE, BEST, LAST, CSV, ERRORS, RECORD):
        (folder / name).unlink(missing_ok=True)
    for path in (folder / EVENTS).glob("events.out.tfevents.*"):
        path.unlink()


def _as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))
