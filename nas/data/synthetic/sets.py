"""The built-in data sets: five kinds of drawn pictures, each a set of its own, and one that mixes them.

They stand for the five subjects this project is made for, need no download, and are hard enough that a network of 10,000
parameters does not saturate on them. A picture is a function of (kind, split, index) alone.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import final

import numpy as np

from nas.data.dataset import DataSet, Item, all_items
from nas.data.synthetic import blobs, cracks, damage, leaves, objects
from nas.data.synthetic.canvas import Bytes, worsen
from nas.errors import UserError

SYNTHETIC_VERSION = 1
"""Raise it whenever any picture changes: it enters the fingerprint, and what was computed from the old pictures is not reused."""

COUNTS = {"train": 240, "val": 80, "test": 80}
"""Pictures per split, for every set."""

MIXED = "mixed"
"""Kind that takes its pictures from all the others in turn, with one class for each of them."""


@dataclass(frozen=True)
class Kind:
    """One subject of the synthetic pictures.

    Attributes:
        name: Its name in `synthetic:NAME`.
        classes: Names of its foreground classes; the mask holds 1.. in this order.
        draw: Draws one picture: image `H x W x 3` and mask `H x W`.
        worse: By how much its own set is made harder (see `canvas.worsen`): one kind alone is easier to learn than the mix of five.
    """

    name: str
    classes: tuple[str, ...]
    draw: Callable[[np.random.Generator], tuple[Bytes, Bytes]]
    worse: float


# New kinds go to the end: the place in this tuple seeds the pictures.
KINDS = (
    Kind("cracks", cracks.CLASSES, cracks.draw, 0.3),
    Kind("blobs", blobs.CLASSES, blobs.draw, 0.4),
    Kind("leaves", leaves.CLASSES, leaves.draw, 0.5),
    Kind("damage", damage.CLASSES, damage.draw, 0.25),
    Kind("objects", objects.CLASSES, objects.draw, 0.0),
)


@final
@dataclass(frozen=True)
class SyntheticDataSet(DataSet):
    """A set whose items are drawn when they are read; `Item.seed` is (place in `KINDS`, number of the split, index)."""

    by_kind: bool = False
    """Whether the class of a foreground pixel is the kind of its picture."""

    def read_image(self, item: Item) -> Bytes:
        """See `DataSet.read_image`."""
        return self.read(item)[0]

    def read_mask(self, item: Item) -> Bytes:
        """See `DataSet.read_mask`."""
        return self.read(item)[1]

    def read(self, item: Item) -> tuple[Bytes, Bytes]:
        """See `DataSet.read`."""
        assert item.seed is not None, "an item of a synthetic set carries its seed"
        image, mask = _drawn(tuple(item.seed), self.by_kind)
        return image.copy(), mask.copy()

    def fingerprint(self) -> str:
        """See `DataSet.fingerprint`."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.blake2b(f"{self.location} {SYNTHETIC_VERSION} {self.classes}".encode(), digest_size=8)
        for split, item in all_items(self):
            digest.update(f"{split} {item.seed}\n".encode())
        # One picture of each kind: tells a change that forgot the version, or another OpenCV that draws another line.
        for item in self.splits["train"][: len(KINDS)]:
            for array in self.read(item):
                digest.update(array.tobytes())
        return digest.hexdigest()


@lru_cache(maxsize=2 * sum(COUNTS.values()))
def _drawn(seed: tuple[int, ...], by_kind: bool) -> tuple[Bytes, Bytes]:
    """A picture; kept, since a search reads each at least twice, when it checks the data and when it draws their views (16 KB each)."""
    number, rng = seed[0], np.random.default_rng([SYNTHETIC_VERSION, *seed])
    image, mask = KINDS[number].draw(rng)
    if by_kind:
        return image, np.where(mask > 0, np.uint8(number + 1), np.uint8(0))
    return worsen(rng, image, KINDS[number].worse), mask


def open_synthetic(kind: str = MIXED) -> SyntheticDataSet:
    """The built-in set of one kind, or of all.

    Args:
        kind: A name out of `KINDS`, or "mixed".

    Returns:
        The set; nothing is drawn yet.

    Raises:
        UserError: If there is no such kind.
    """
    names = [known.name for known in KINDS]
    if kind == MIXED:
        numbers, foreground = list(range(len(KINDS))), tuple(names)
    elif kind in names:
        numbers, foreground = [names.index(kind)], KINDS[names.index(kind)].classes
    else:
        spelled = ", ".join(f"synthetic:{name}" for name in names)
        raise UserError(f"no synthetic data set is called {kind!r}: use synthetic (all kinds mixed) or one of {spelled}")
    splits = {split: _items(numbers, split, number, count) for number, (split, count) in enumerate(COUNTS.items())}
    return SyntheticDataSet(
        name="synthetic" if kind == MIXED else f"synthetic-{kind}",
        classes=("background", *foreground),
        splits=splits,
        split_source="seeds",
        layout="synthetic",
        location="synthetic" if kind == MIXED else f"synthetic:{kind}",
        by_kind=kind == MIXED,
    )


def _items(kinds: list[int], split: str, number: int, count: int) -> tuple[Item, ...]:
    """`count` items that take the kinds in turn; `number` is the split's, from which they are drawn."""
    places = [(kinds[index % len(kinds)], number, index // len(kinds)) for index in range(count)]
    return tuple(Item(name=f"{split}/{KINDS[seed[0]].name}-{seed[2]:03d}", seed=seed) for seed in places)
