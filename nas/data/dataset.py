"""What a data set is: named items in three splits, classes, and a way to read an item as image and mask.

Everything above sees this and no layout. Opening a set lists its files and reads no more than it must; what is wrong with them is
kept for `check_data`, which reports all of it at once.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from nas.data.bands import RGB, read_image
from nas.data.images import Bytes, read_binary, read_size
from nas.errors import UserError

VOID = 255
"""Mask value of pixels that belong to no class: left out of loss and metric."""

SPLITS = ("train", "val", "test")

Counts = NDArray[np.int64]
"""How often each value of a mask occurs."""


@dataclass(frozen=True)
class Item:
    """One picture of a data set.

    Attributes:
        name: Unique within its set and free of suffixes, such as "train/0005".
        image: The image's file; None where it is drawn.
        mask: The file that the mask is read from; None where it is drawn, or missing (an offence that `check_data` reports).
        seed: What the picture is drawn from, where it is drawn.
    """

    name: str
    image: Path | None = None
    mask: Path | None = None
    seed: tuple[int, ...] | None = None


@dataclass(frozen=True)
class DataSet(ABC):
    """Images and masks of one kind.

    Attributes:
        name: Short, such as "CFD".
        classes: Names of the classes by index, background first.
        splits: The items of "train", "val" and "test"; test may be empty.
        split_source: Where the splits come from, in words.
        layout: Name of the layout that was recognised.
        location: The resolved path, or the specification of a built-in set.
        problems: What was found wrong while opening, one sentence each; `check_data` reports it.
        own_split: Whether the set itself says which images train and which validate, or keeps like ones together; False where its names
            were dealt by hash one by one, so that `stratify` may deal them anew.
        own_test: Whether the set itself says which images test, or has none; False where these were dealt too.
        channels: Channels that its images are read with.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[Item, ...]]
    split_source: str
    layout: str
    location: str
    problems: tuple[str, ...] = ()
    own_split: bool = True
    own_test: bool = True
    channels: int = RGB

    @property
    def num_classes(self) -> int:
        """Number of classes, the background included."""
        return len(self.classes)

    @abstractmethod
    def read_image(self, item: Item) -> Bytes:
        """The image of an item: `H x W x channels`, three of them RGB; raises `BadFileError`, a `UserError`, where it cannot be read."""

    @abstractmethod
    def read_mask(self, item: Item) -> Bytes:
        """The mask of an item: `H x W`, class index or `VOID`; raises `BadFileError`, a `UserError`, where it cannot be read."""

    @abstractmethod
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with the content, the splits or the classes."""

    def read(self, item: Item) -> tuple[Bytes, Bytes]:
        """Reads an item.

        Args:
            item: One of this set's items.

        Returns:
            The image (`H x W x channels`, 0..255) and the mask (`H x W`, class index or `VOID`).

        Raises:
            UserError: If a file is missing or cannot be read.
        """
        return self.read_image(item), self.read_mask(item)

    def mask_size(self, item: Item) -> tuple[int, int]:
        """Height and width of an item's mask, with no more read than that takes; raises as `read_mask` does."""
        height, width = self.read_mask(item).shape
        return height, width

    def foreground_share(self, item: Item) -> float:
        """Share of foreground among an item's pixels that are not void, 0..1; raises as `read_mask` does."""
        return share_of(np.bincount(self.read_mask(item).ravel(), minlength=256)[:VOID])

    def mask_place(self, item: Item) -> str:
        """Where an item's mask lies, for messages."""
        return str(item.mask)


@dataclass(frozen=True)
class FileDataSet(DataSet):
    """A data set of image files; a layout adds how its masks are read."""

    def read_image(self, item: Item) -> Bytes:
        """See `DataSet.read_image`."""
        if item.image is None:
            raise UserError(f"item {item.name!r} of {self.name} has no image file")
        return read_image(item.image, self.channels)

    def read_mask(self, item: Item) -> Bytes:
        """See `DataSet.read_mask`."""
        if item.mask is None:
            raise UserError(f"item {item.name!r} of {self.name} has no mask file")
        return self.read_mask_file(item.mask)

    def mask_size(self, item: Item) -> tuple[int, int]:
        """See `DataSet.mask_size`; of an image file, its header says it."""
        if item.mask is None:
            raise UserError(f"item {item.name!r} of {self.name} has no mask file")
        return read_size(item.mask)

    @abstractmethod
    def read_mask_file(self, path: Path) -> Bytes:
        """The mask in one of this set's mask files, as `read_mask` gives it."""

    def fingerprint(self) -> str:
        """See `DataSet.fingerprint`."""
        return self._digest

    def mask_digest(self, item: Item) -> str:
        """A hash that changes with the item's mask."""
        return _file_digest(item.mask)

    @cached_property
    def _digest(self) -> str:
        channels = f" {self.channels} channels" if self.channels != RGB else ""
        digest = hashlib.blake2b(f"{self.layout} {self.classes}{channels}".encode(), digest_size=8)
        with ThreadPoolExecutor(8) as pool:
            for split in SPLITS:
                for line in pool.map(self._item_digest, self.splits[split]):
                    digest.update(f"{split} {line}\n".encode())
        return digest.hexdigest()

    def _item_digest(self, item: Item) -> str:
        return f"{item.name} {_file_digest(item.image)} {self.mask_digest(item)}"


@final
@dataclass(frozen=True)
class BinaryFileDataSet(FileDataSet):
    """A data set of image files whose masks are foreground or not, in whatever grey values."""

    def read_mask_file(self, path: Path) -> Bytes:
        """See `FileDataSet.read_mask_file`, and `read_binary`."""
        return read_binary(path)


def share_of(counts: Counts) -> float:
    """Share of foreground, 0..1, from how often each class occurs, background first; 0 where nothing does."""
    return float(counts[1:].sum() / max(1, counts.sum()))


def class_names(count: int) -> tuple[str, ...]:
    """Names for `count` classes that nobody named: "background", "class 1", ..."""
    return ("background", *(f"class {number}" for number in range(1, count)))


def _file_digest(path: Path | None) -> str:
    """Hash of a file's content; a word where there is none to read."""
    if path is None:
        return "none"
    try:
        content = path.read_bytes()
    except OSError:
        return "unreadable"
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def all_items(data: DataSet, splits: Iterable[str] = SPLITS) -> list[tuple[str, Item]]:
    """Every item of the given splits, each with the name of its split."""
    return [(split, item) for split in splits for item in data.splits[split]]
