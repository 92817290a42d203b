"""The history of a training as files: a CSV table, and TensorBoard's events where that is installed and wanted."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas.errors import UserError
from nas.files import write_text
from nas.train.checkpoint import CSV, EVENTS, Row


def write_csv(folder: Path, history: Sequence[Row]) -> None:
    """Writes the table anew: one line an epoch, so that a training that went on after a kill has each epoch once."""
    columns = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in history)
    write_text(folder / CSV, text.getvalue())


class Events:
    """TensorBoard events of one training.

    Args:
        folder: Of the training.
        done: Epochs that are written already; what a killed run wrote beyond them is dropped.

    Raises:
        UserError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path, done: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError('--tensorboard needs the package tensorboard: pip install "nas-tiny-segmentation[tensorboard]"') from error
        self._writer: Any = SummaryWriter(str(folder / EVENTS), purge_step=done + 1)

    def write(self, row: Row) -> None:
        """Adds an epoch."""
        for name, value in row.items():
            if name != "epoch" and isinstance(value, int | float):
                self._writer.add_scalar(name, value, row["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()
