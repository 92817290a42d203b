"""One training in full, from its description to its checkpoints: what `python -m nas.train` runs, here or in a process of its own."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nas.data import Bank, open_bank
from nas.errors import UserError
from nas.evaluate.trained import TrainingRecord, write_record
from nas.machine import memory_in_words
from nas.model_code import ModelCode, NumClasses, load_model_code
from nas.python_file import digest_of
from nas.train.checkpoint import Progress, Row, load_progress, save_progress
from nas.train.fit import EpochMetrics, NoRoomToValidate, fit
from nas.train.log import Events, write_csv
from nas.train.recipe import Recipe
from nas.weights import fit_weights, read_weights

Told = Callable[[Row], None]
"""Is given the row of each epoch."""


@dataclass(frozen=True)
class Job:
    """One training: a network, what it sees and how.

    Attributes:
        name: What tells it from the others of its run, such as "CFD, seed 1"; empty for the only one.
        folder: Where its files go.
        model: Path of the model file, or `package.module:function`.
        digest: Of the model's source.
        banks: Folders of the banks it sees: one, or one for each head.
        joint: Whether the network has a head for each bank.
        recipe: How.
        patience: Epochs without a better validation after which it ends, with the next validation; None for never.
        device: Where.
        tensorboard: Whether TensorBoard's events are written.
        start: File of weights to start from; None for fresh ones.
        network: Digest of what the model builds for these banks.
        record: What lies beside its weights, for whoever measures or uses them; nothing is written without one.
    """

    name: str
    folder: Path
    model: str
    digest: str
    banks: tuple[Path, ...]
    joint: bool
    recipe: Recipe
    patience: int | None
    device: str
    tensorboard: bool = False
    start: Path | None = None
    network: str = ""
    record: TrainingRecord | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What its results depend on; a bank's name holds a hash of all that is in it."""
        return {
            "model": self.digest,
            "network": self.network,
            "views": [path.name for path in self.banks],
            "patience": self.patience,
            "device": self.device,
            "start": self.start_digest,
            **self.recipe.as_dict(),
        }

    @cached_property
    def start_digest(self) -> str | None:
        """Of the content of the weights that it starts from: others under the same path make another training."""
        if self.start is None:
            return None
        if not self.start.is_file():
            raise UserError(f"{self.start} is not there: give the file of weights to start from behind --weights, or leave it out")
        return digest_of(self.start.read_bytes())

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        paths = {"folder": str(self.folder), "banks": list(map(str, self.banks)), "start": str(self.start) if self.start else None}
        return asdict(self) | paths | {"recipe": self.recipe.as_dict()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Job":
        """What `to_dict` gave."""
        start, record = document["start"], document["record"]
        given = {
            "folder": Path(document["folder"]),
            "banks": tuple(map(Path, document["banks"])),
            "recipe": Recipe.from_dict(document["recipe"]),
            "start": Path(start) if start else None,
            "record": TrainingRecord.from_dict(record) if record else None,
        }
        return cls(**{**document, **given})


def run_job(job: Job, told: Told = lambda row: None) -> Progress:
    """Trains, or goes on with what a killed run left, to the same weights: to the bit on a CPU.

    Args:
        job: What.
        told: Is given the row of each epoch that this call trains.

    Returns:
        Where it stands at the end.

    Raises:
        UserError: The folder holds another training, the model cannot be built, or memory does not suffice.
        Diverged: The loss or a weight became infinite or not a number.
    """
    progress = load_progress(job.folder, job.identity)
    if job.record is not None:
        write_record(job.folder, job.record)  # Before there are weights: those of a training that is killed are measured as it was, too.
    if progress.history:
        write_csv(job.folder, progress.history)  # A kill between state and table would leave the table short for ever.
    if progress.stopped or progress.epoch >= job.recipe.epochs:
        return progress
    job.folder.mkdir(parents=True, exist_ok=True)
    banks = [open_bank(path) for path in job.banks]
    model = first_network(load_model_code(job.model), banks, job)
    events = Events(job.folder, progress.epoch) if job.tensorboard else None
    # A batch is part of what a training is, so that it has to begin anew with a smaller one.
    smaller = f"give a --batch-size below {job.recipe.batch_size} or a smaller --crop, and --restart"
    seen = "an image of the validation is too large here: give a smaller --image-size, and --restart"
    with closing(events) if events else nullcontext(), memory_in_words(smaller), memory_in_words(seen, NoRoomToValidate):
        for epoch in fit(model, banks, job.recipe, progress.state, device=job.device):
            row = row_of(epoch)
            progress.history.append(row)
            progress.state = epoch.state
            # Only a validation can say that there was no better one, and after the last epoch nothing is left to stop.
            waited = job.patience is not None and row["iou"] is not None and progress.waited >= job.patience
            progress.stopped = waited and progress.epoch < job.recipe.epochs
            save_progress(job.folder, progress, job.identity)
            write_csv(job.folder, progress.history)
            if events:
                events.write(row)
            told(row)
            if progress.stopped:
                break
    return progress


def first_network(code: ModelCode, banks: Sequence[Bank], job: Job) -> nn.Module:
    """The network with the weights that training starts from, which depend on the recipe's seed alone."""
    classes: NumClasses = tuple(bank.num_classes for bank in banks) if job.joint else banks[0].num_classes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.recipe.seed)
        model = code.build(banks[0].channels, classes)
    if job.start is not None:
        fit_weights(model, read_weights(job.start), str(job.start))
    return model


def row_of(epoch: EpochMetrics) -> Row:
    """The table's row of an epoch."""
    ious = {f"iou {name}": evaluation.mean_iou for name, evaluation in epoch.evaluations.items()}
    mean = math.fsum(ious.values()) / len(ious) if ious else None
    seconds = epoch.train_seconds + epoch.validate_seconds
    figures = {"epoch": epoch.epoch, "loss": epoch.loss, "learning_rate": epoch.learning_rate, "iou": mean, "seconds": round(seconds, 3)}
    return {**figures, **(ious if len(ious) > 1 else {})}
