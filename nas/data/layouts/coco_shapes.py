"""The shapes of COCO's annotations as pixels: polygons and run lengths.

Sources: https://cocodataset.org/#format-data for the format, the COCO API (`common/maskApi.h`, Dollar and Lin, 2014) for the meaning of
compressed run lengths. A pixel belongs to a polygon if its centre does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas.data.images import Bytes


@dataclass(frozen=True)
class Shape:
    """What one annotation covers.

    Attributes:
        label: Mask value it is drawn with.
        number: The annotation's id.
        area: Pixels, as the annotation says or as its outline gives.
        polygons: Outlines, x and y in turn; their union is meant.
        runs: Lengths of runs of background and foreground in turn, down the columns; where there are no polygons.
    """

    label: int
    number: int
    area: float
    polygons: tuple[tuple[float, ...], ...] = ()
    runs: tuple[int, ...] = ()


def read_shape(annotation: dict[str, Any], label: int, size: tuple[int, int]) -> Shape:
    """Reads an annotation.

    Args:
        annotation: As the JSON holds it.
        label: Mask value to draw it with.
        size: Height and width of its image.

    Raises:
        ValueError: It cannot be drawn; the message says why.
    """
    segmentation = annotation.get("segmentation")
    number, area = annotation.get("id"), annotation.get("area")
    number = number if isinstance(number, int) else 0
    if isinstance(segmentation, dict):
        runs = _runs(segmentation, size)
        return Shape(label, number, _number(area, float(sum(runs[1::2]))), runs=runs)
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError("has no segmentation; expected polygons or run lengths")
    polygons = tuple(_polygon(polygon) for polygon in segmentation)
    return Shape(label, number, _number(area, sum(map(_area, polygons))), polygons=polygons)


def draw_shapes(shapes: Sequence[Shape], size: tuple[int, int]) -> Bytes:
    """Draws shapes in order, later ones over earlier ones.

    Args:
        shapes: What to draw.
        size: Height and width of the mask.

    Returns:
        The mask, 0 where nothing was drawn.
    """
    mask = np.zeros(size, dtype=np.uint8)
    for shape in shapes:
        if shape.runs:
            mask[decode_runs(shape.runs, size)] = shape.label
        for polygon in shape.polygons:
            _fill(mask, polygon, shape.label)
    return mask


def decode_runs(runs: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Run lengths, background first and down the columns, as a map of the foreground."""
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(size[::-1]).T


def decode_counts(text: str) -> list[int]:
    """Run lengths from COCO's compressed text.

    Each character holds 5 bits above 48, least significant first, and in bit 6 whether more follow; the last one's fifth bit is the
    sign. From the fourth number on, the difference to the one two before is stored.

    Raises:
        ValueError: The text ends within a number, or holds a character that is none of the code's.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64:
            raise ValueError(f"its run lengths hold the character {character!r}; expected '0' to 'o'")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("its run lengths end within a number; expected a whole text")
    return counts


def _runs(segmentation: dict[str, Any], size: tuple[int, int]) -> tuple[int, ...]:
    counts, given = segmentation.get("counts"), segmentation.get("size")
    if given != list(size):
        raise ValueError(f"its run lengths are of size {given}; expected {list(size)}, height and width of the image")
    runs = decode_counts(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise ValueError("its run lengths are no list of whole numbers from 0, and no compressed text of these")
    if sum(runs) != size[0] * size[1]:
        raise ValueError(f"its run lengths cover {sum(runs)} pixels; expected the {size[0] * size[1]} of the image")
    return tuple(runs)


def _polygon(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list) or not all(isinstance(value, int | float) and isfinite(value) for value in values):
        raise ValueError("a polygon of it is no list of numbers; expected x1, y1, x2, y2, ...")
    if len(values) < 6 or len(values) % 2:
        raise ValueError(f"a polygon of it has {len(values)} coordinates; expected x and y of at least 3 points")
    return tuple(float(value) for value in values)


def _number(area: Any, otherwise: float) -> float:
    return float(area) if isinstance(area, int | float) and isfinite(area) else otherwise


def _area(polygon: tuple[float, ...]) -> float:
    x, y = np.array(polygon[::2]), np.array(polygon[1::2])
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _fill(mask: Bytes, polygon: tuple[float, ...], label: int) -> None:
    """Fills the pixels whose centres lie inside: in each column, every crossing of the outline turns inside to outside."""
    height, width = mask.shape
    left = max(0, int(min(polygon[::2])))
    right = min(width, int(max(polygon[::2])) + 1)
    if left >= right:
        return
    turns = np.zeros((right - left, height + 1), dtype=np.int64)
    points = [*zip(polygon[::2], polygon[1::2], strict=True), (polygon[0], polygon[1])]
    for (x0, y0), (x1, y1) in pairwise(points):
        first, last = (int(np.clip(np.ceil(x - 0.5), left, right)) for x in (min(x0, x1), max(x0, x1)))
        if first >= last:
            continue
        columns = np.arange(first, last)
        crossed = y0 + (columns + 0.5 - x0) * ((y1 - y0) / (x1 - x0))
        turns[columns - left, np.clip(np.ceil(crossed - 0.5), 0, height).astype(np.int64)] += 1
    inside = np.cumsum(turns[:, :height], axis=1) % 2 == 1
    mask[:, left:right][inside.T] = label
