"""What a training in full writes down beside its weights before its first epoch, for whoever measures or uses these later."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nas.files import write_json

RECORD = "training.json"
"""Its file's name."""


@dataclass(frozen=True)
class TrainedSet:
    """One data set of a training.

    Attributes:
        name: Of the set.
        domain: Name of the head that learns it; None for a network with one.
        location: Where it lay.
        split: Where its split comes from, in words.
        channels: Of its images.
        classes: By index, background first.
        image_size: Height and width of use.
        train_size: Of training views.
        views: Of each training image.
        train: Names of the images that were trained on.
        val: Names of those that the best epoch was chosen by.
    """

    name: str
    domain: str | None
    location: str
    split: str
    channels: int
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    train_size: tuple[int, int]
    views: int
    train: tuple[str, ...]
    val: tuple[str, ...]

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "TrainedSet":
        """What `asdict` gave, by way of JSON."""
        height, width = document["image_size"]
        lists = {name: tuple(document[name]) for name in ("classes", "train_size", "train", "val")}
        return cls(**{**document, **lists, "channels": int(document["channels"]), "image_size": (int(height), int(width))})


@dataclass(frozen=True)
class TrainingRecord:
    """One training.

    Attributes:
        model: As given: a path, or `package.module:function`.
        digest: Of the model's source.
        weights: Names of the files of weights that it writes into the record's folder; other files there are none of it.
        sets: What it trains on: one data set, or one for each head.
        before: What the weights that it starts from were trained on, as far as that is known.
    """

    model: str
    digest: str
    weights: tuple[str, ...]
    sets: tuple[TrainedSet, ...]
    before: tuple[TrainedSet, ...] = ()

    @property
    def seen(self) -> tuple[TrainedSet, ...]:
        """All that its weights have learned from."""
        return self.sets + self.before

    def set_of(self, name: str | None = None) -> TrainedSet:
        """The set of a name, or of the head of that name; the first where there is none."""
        return next((one for one in self.sets if (one.domain or one.name) == name), self.sets[0])

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "TrainingRecord":
        """What `asdict` gave, by way of JSON."""
        sets = {name: tuple(map(TrainedSet.from_dict, document[name])) for name in ("sets", "before")}
        return cls(**{**document, **sets, "weights": tuple(document["weights"])})


def write_record(folder: Path, record: TrainingRecord) -> None:
    """Writes the record of a training into its folder, which is made where it is missing."""
    write_json(folder / RECORD, asdict(record))


def read_record(weights: Path) -> TrainingRecord | None:
    """The record of the training that made a file of weights; None where there is none beside it, or one of other weights."""
    path = weights.resolve()
    record = record_in(path.parent)
    return record if record is not None and path.name in record.weights else None


def record_in(folder: Path) -> TrainingRecord | None:
    """The record of the training in a folder, of whatever weights; None where there is none that this program can read."""
    try:
        record = TrainingRecord.from_dict(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return record if record.sets else None
