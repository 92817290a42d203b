"""The numbers that choices need: sizes, classes, void and the width of structures, gathered from what the items showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nas.data.dataset import SPLITS, VOID, DataSet, all_items, share_of
from nas.data.look import Look

THIN_QUANTILE = 0.1
"""Which of the structures' widths counts as the thin one."""


@dataclass(frozen=True)
class DataFacts:
    """What a pass over a data set has found.

    Attributes:
        counts: Number of items per split.
        min_size: Smallest height and smallest width of the training and validation images, in pixels.
        median_size: Median height and median width, in pixels.
        max_size: Largest height and largest width, in pixels.
        pixel_shares: Share of each class among the training pixels that are not void.
        void_share: Share of void among all training pixels.
        thickness: Width of thin structures in native pixels: over the training images and their foreground classes, the 10 %
            quantile of the mean width.
        foreground: Share of foreground of each item of training and validation, by name, void left out.
    """

    counts: Mapping[str, int]
    min_size: tuple[int, int]
    median_size: tuple[int, int]
    max_size: tuple[int, int]
    pixel_shares: tuple[float, ...]
    void_share: float
    thickness: float
    foreground: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassFacts:
    """One class, in the items of training and validation that are whole.

    Attributes:
        name: Its name.
        share: Share of the training pixels that are not void.
        images: In how many images it occurs, per split.
        width: Median width of its structures in native pixels; None for the background and where it does not occur in training.
    """

    name: str
    share: float
    images: Mapping[str, int]
    width: float | None


def gather(data: DataSet, looks: Sequence[Look]) -> DataFacts | None:
    """The facts about a set; None where no training mask holds foreground.

    Args:
        data: The set.
        looks: What its items showed, in the order of `all_items`.
    """
    pixels = pixels_of(looks, "train")
    if not pixels[1:VOID].any():
        return None
    sizes = np.array([look.size for look in looks if look.size is not None])
    widths = [width for look in looks for width in look.widths]
    return DataFacts(
        counts={split: len(data.splits[split]) for split in SPLITS},
        min_size=_pair(sizes.min(axis=0)),
        median_size=_pair(np.median(sizes, axis=0)),
        max_size=_pair(sizes.max(axis=0)),
        pixel_shares=tuple((pixels[: data.num_classes] / pixels[:VOID].sum()).tolist()),
        void_share=float(pixels[VOID] / pixels.sum()),
        thickness=float(np.quantile(widths, THIN_QUANTILE)),
        foreground={
            item.name: share_of(np.array(look.pixels[:VOID])) for (_, item), look in zip(all_items(data), looks, strict=True) if look.pixels
        },
    )


def gather_classes(data: DataSet, looks: Sequence[Look]) -> tuple[ClassFacts, ...]:
    """The facts about each class, by index; arguments as for `gather`."""
    pixels = pixels_of(looks, "train")
    labelled = max(1, int(pixels[:VOID].sum()))
    widths: dict[int, list[float]] = {}
    for look in looks:
        labels = [value for value in range(1, VOID) if look.widths and look.pixels[value]]
        for label, width in zip(labels, look.widths, strict=True):
            widths.setdefault(label, []).append(width)
    return tuple(
        ClassFacts(
            name=name,
            share=float(pixels[index] / labelled),
            images={split: sum(1 for look in looks if look.split == split and look.pixels and look.pixels[index]) for split in SPLITS[:2]},
            width=float(np.median(widths[index])) if index in widths else None,
        )
        for index, name in enumerate(data.classes)
    )


def pixels_of(looks: Sequence[Look], split: str) -> NDArray[np.int64]:
    """How often each of the 256 mask values occurs in a split."""
    counts = [look.pixels for look in looks if look.split == split and look.pixels]
    return np.sum(counts, axis=0, dtype=np.int64) if counts else np.zeros(256, dtype=np.int64)


def _pair(values: NDArray[np.generic]) -> tuple[int, int]:
    return int(values[0]), int(values[1])
