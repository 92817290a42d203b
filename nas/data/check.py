"""One look at every file before anything is trained: either every offence in one message, or the facts that choices need.

A search that stops in its second hour on a broken file is worse than one that never starts.
"""

import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from nas.data.dataset import SPLITS, VOID, DataSet, Item, all_items
from nas.data.images import BadFileError, Bytes, read_size
from nas.errors import UserError

MOST_LINES = 50
"""Offences that are spelled out; the rest is counted."""

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
    """

    counts: Mapping[str, int]
    min_size: tuple[int, int]
    median_size: tuple[int, int]
    max_size: tuple[int, int]
    pixel_shares: tuple[float, ...]
    void_share: float
    thickness: float


@dataclass(frozen=True)
class _Look:
    """What one item showed; `strange` are mask values that are neither a class nor void."""

    problems: tuple[str, ...] = ()
    strange: tuple[int, ...] = ()
    size: tuple[int, int] | None = None
    pixels: tuple[int, ...] = ()
    widths: tuple[float, ...] = ()


def check_data(data: DataSet) -> DataFacts:
    """Reads every item once.

    Args:
        data: The set; of its test split only presence, headers and sizes are looked at.

    Returns:
        Facts about the training and validation splits.

    Raises:
        UserError: If anything is wrong, with one line per offence.
    """
    problems = list(data.problems)
    problems += [f"{split}: no images; expected at least one" for split in ("train", "val") if not data.splits[split]]
    if data.num_classes < 2:
        problems.append("the masks hold the background alone; expected at least one foreground class (index 1, or 255 in a binary mask)")
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        looks = list(pool.map(lambda pair: _look(data, *pair), all_items(data)))
    problems += _strange_words(data, looks)
    problems += [problem for look in looks for problem in look.problems]
    items = all_items(data)
    seen = [(split, look) for (split, _), look in zip(items, looks, strict=True) if look.pixels]
    train = [look for split, look in seen if split == "train"]
    pixels = np.sum([look.pixels for look in train], axis=0) if train else np.zeros(256)
    if not problems and not pixels[1:VOID].any():
        problems.append("train: no mask holds a foreground pixel; expected at least one")
    validated = [look.pixels for split, look in seen if split == "val"]
    if not problems and not np.sum(validated, axis=0)[1:VOID].any():
        problems.append("val: no mask holds a foreground pixel, so every network would score 0; expected at least one")
    if problems:
        raise UserError(_complaint(data, problems))
    return _facts(data, [look for _, look in seen], train, pixels)


def structure_widths(mask: Bytes) -> tuple[float, ...]:
    """Mean width of each foreground class of a mask.

    The distance to the background, averaged over a strip of width w, is (w + 2) / 4 when it is counted in whole pixels.

    Args:
        mask: `H x W`, class index or `VOID`.

    Returns:
        Widths in pixels, at least 1, one per class present.
    """
    labels = np.flatnonzero(np.bincount(mask.ravel(), minlength=256)[1:VOID]) + 1
    return tuple(_width((mask == label).astype(np.uint8)) for label in labels)


def _width(foreground: Bytes) -> float:
    distance = cv2.distanceTransform(foreground, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Where nothing is background the distance has no end; the image itself is then the structure.
    mean = min(float(distance[foreground > 0].mean()), float(max(foreground.shape)) / 4)
    return float(max(1.0, 4 * mean - 2))


def _look(data: DataSet, split: str, item: Item) -> _Look:
    if split == "test":
        return _glance(data, item)
    try:
        image, mask = data.read(item)
    except UserError:
        return _Look(problems=tuple(_complaints(data, item)))
    problems = _compare(data, item, (image.shape[0], image.shape[1]), mask)
    if problems:
        return _Look(problems=problems, strange=_strange(data, mask))
    pixels = tuple(np.bincount(mask.ravel(), minlength=256).tolist())
    widths = structure_widths(mask) if split == "train" else ()
    return _Look(size=(mask.shape[0], mask.shape[1]), pixels=pixels, widths=widths)


def _glance(data: DataSet, item: Item) -> _Look:
    """Looks at a test item's headers: its pixels are nobody's business before the end."""
    if item.seed is not None:
        return _Look()
    if item.mask is None or item.image is None:
        return _Look(problems=tuple(_complaints(data, item)))
    try:
        size = read_size(item.image)
        mask_size = data.mask_size(item)
    except BadFileError as error:
        return _Look(problems=(str(error),))
    if size != mask_size:
        return _Look(problems=(_differ(data, item, size, mask_size),))
    return _Look()


def _complaints(data: DataSet, item: Item) -> list[str]:
    """Why an item cannot be read: its image and its mask are asked one by one, so that both are reported."""
    missing = item.mask is None and item.seed is None
    problems = [f"{item.image}: an image without mask; expected a mask of the same name"] if missing else []
    for read in (data.read_image, data.read_mask):
        try:
            read(item)
        except BadFileError as error:
            problems.append(str(error))
        except UserError:
            pass  # no file at all: reported above
    return problems


def _compare(data: DataSet, item: Item, size: tuple[int, int], mask: Bytes) -> tuple[str, ...]:
    """What is wrong with a pair that can be read."""
    problems = []
    if mask.shape != size:
        problems.append(_differ(data, item, size, mask.shape))
    if _strange(data, mask):
        values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
        found = ", ".join(map(str, values.tolist()))
        problems.append(f"{data.mask_place(item)}: holds the values {found}; expected {_expected(data)}")
    return tuple(problems)


def _strange(data: DataSet, mask: Bytes) -> tuple[int, ...]:
    """Values of a mask that are neither a class nor void."""
    values = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    return tuple(int(value) for value in values if data.num_classes <= value < VOID)


def _strange_words(data: DataSet, looks: list[_Look]) -> list[str]:
    """One line that counts unexpected values over all masks, where several hold some: a long list of files would hide the pattern."""
    counts = Counter(value for look in looks for value in look.strange)
    files = sum(bool(look.strange) for look in looks)
    if files < 2:
        return []
    found = ", ".join(f"{value} in {count} {'files' if count > 1 else 'file'}" for value, count in sorted(counts.items()))
    return [f"{files} masks hold unexpected values ({found}); expected {_expected(data)}"]


def _expected(data: DataSet) -> str:
    return f"0 to {data.num_classes - 1} ({data.num_classes} classes) or {VOID}"


def _differ(data: DataSet, item: Item, size: tuple[int, int], mask_size: tuple[int, ...]) -> str:
    return f"{data.mask_place(item)}: the mask is {mask_size[1]}x{mask_size[0]}, its image {size[1]}x{size[0]}; expected the same size"


def _complaint(data: DataSet, problems: list[str]) -> str:
    lines = [f"  {problem}" for problem in problems[:MOST_LINES]]
    if len(problems) > MOST_LINES:
        lines.append(f"  and {len(problems) - MOST_LINES} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"{data.location} has {count}; mend or remove these, then run again:\n" + "\n".join(lines)


def _facts(data: DataSet, seen: list[_Look], train: list[_Look], pixels: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> DataFacts:
    sizes = np.array([look.size for look in seen])
    widths = [width for look in train for width in look.widths]
    labelled = pixels[:VOID].sum()
    return DataFacts(
        counts={split: len(data.splits[split]) for split in SPLITS},
        min_size=_pair(sizes.min(axis=0)),
        median_size=_pair(np.median(sizes, axis=0)),
        max_size=_pair(sizes.max(axis=0)),
        pixel_shares=tuple((pixels[: data.num_classes] / labelled).tolist()),
        void_share=float(pixels[VOID] / pixels.sum()),
        thickness=float(np.quantile(widths, THIN_QUANTILE)),
    )


def _pair(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> tuple[int, int]:
    return int(values[0]), int(values[1])
