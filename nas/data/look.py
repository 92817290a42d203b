"""What one item shows when it is read once: its offences, or its size, its classes, the width of its structures and its likeness."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from nas.data.dataset import VOID, DataSet, Item
from nas.data.duplicates import Picture, picture
from nas.data.images import Bytes, read_size
from nas.errors import UserError

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Look:
    """What one item showed.

    Attributes:
        split: The item's split.
        problems: What is wrong, one sentence each.
        strange: Values of the mask that are neither a class nor void.
        size: Height and width; None where something is wrong, or of a test item.
        pixels: How often each of the 256 mask values occurs; empty where something is wrong, or of a test item.
        widths: Mean width of each foreground class that occurs; of training items only.
        picture: What is needed to find the image again; None where that was not asked for or the image cannot be read.
    """

    split: str
    problems: tuple[str, ...] = ()
    strange: tuple[int, ...] = ()
    size: tuple[int, int] | None = None
    pixels: tuple[int, ...] = ()
    widths: tuple[float, ...] = ()
    picture: Picture | None = None


def look_at_item(data: DataSet, split: str, item: Item, compare: bool) -> Look:
    """Reads an item once.

    Args:
        data: Its data set.
        split: Its split; of a test item presence, headers and sizes are looked at, and its image where `compare` says so.
        item: The item.
        compare: Whether the image is to be found again in other splits.
    """
    if split == "test":
        return _glance(data, item, compare)
    problems: list[str] = []
    image = _tried(lambda: data.read_image(item), problems)
    mask = _tried(lambda: data.read_mask(item), problems) if _has_mask(item, problems) else None
    kept = picture(item.name, split, image) if compare and image is not None else None
    if image is None or mask is None:
        return Look(split, tuple(problems), picture=kept)
    pixels = tuple(np.bincount(mask.ravel(), minlength=256).tolist())
    strange = tuple(value for value in range(data.num_classes, VOID) if pixels[value])
    problems = _compared(data, item, image.shape[:2], mask, strange)
    if problems:
        return Look(split, tuple(problems), strange, picture=kept)
    widths = structure_widths(mask) if split == "train" else ()
    return Look(split, size=(mask.shape[0], mask.shape[1]), pixels=pixels, widths=widths, picture=kept)


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


def _glance(data: DataSet, item: Item, compare: bool) -> Look:
    """Looks at a test item's headers: its pixels are nobody's business before the end, but for the search for copies of its image."""
    problems: list[str] = []
    image = _tried(lambda: data.read_image(item), problems) if compare else None
    kept = None if image is None else picture(item.name, "test", image)
    if item.seed is not None:
        return Look("test", tuple(problems), picture=kept)
    size = _tried(lambda: _header_size(data, item), problems) if not compare else None if image is None else image.shape[:2]
    mask_size = _tried(lambda: data.mask_size(item), problems) if _has_mask(item, problems) else None
    if size is not None and mask_size is not None and size != mask_size:
        problems.append(_differ(data, item, size, mask_size))
    return Look("test", tuple(problems), picture=kept)


def _header_size(data: DataSet, item: Item) -> tuple[int, ...]:
    return data.read_image(item).shape[:2] if item.image is None else read_size(item.image)


def expected(data: DataSet) -> str:
    """Which values the masks of a set may hold, in words."""
    return f"0 to {data.num_classes - 1} ({data.num_classes} classes) or {VOID}"


def _has_mask(item: Item, problems: list[str]) -> bool:
    """Whether an item has a mask, or is drawn with one; it is an offence if not."""
    if item.mask is None and item.seed is None:
        problems.append(f"{item.image}: an image without mask; expected a mask of the same name")
        return False
    return True


def _tried(read: Callable[[], _T], problems: list[str]) -> _T | None:
    """What `read` returns; None where it fails, and why among the problems."""
    try:
        return read()
    except UserError as error:
        problems.append(str(error))
        return None


def _compared(data: DataSet, item: Item, size: tuple[int, ...], mask: Bytes, strange: tuple[int, ...]) -> list[str]:
    """What is wrong with a pair that can be read."""
    problems = [] if mask.shape == size else [_differ(data, item, size, mask.shape)]
    if strange:
        found = ", ".join(map(str, np.unique(mask).tolist()))
        problems.append(f"{data.mask_place(item)}: holds the values {found}; expected {expected(data)}")
    return problems


def _differ(data: DataSet, item: Item, size: tuple[int, ...], mask_size: tuple[int, ...]) -> str:
    return f"{data.mask_place(item)}: the mask is {mask_size[1]}x{mask_size[0]}, its image {size[1]}x{size[0]}; expected the same size"
