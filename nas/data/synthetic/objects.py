"""Things on a table: discs, rings, triangles and crosses of any colour, told apart by their shape and mostly by their pattern.

Stands for scenes of several everyday classes, where colour decides nothing.
"""

import math

import numpy as np
from numpy.typing import NDArray

from nas.data.synthetic.canvas import (
    SIZE,
    Bytes,
    Floats,
    coverage,
    field,
    fill,
    finish,
    grain,
    hsv,
    paint,
    plain,
    shade,
    sheet,
    soften,
    stroke,
    texture,
)

CLASSES = ("disc", "ring", "triangle", "cross")


def draw(rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """One picture of a table and the things on it.

    Args:
        rng: The source of chance.

    Returns:
        Image `SIZE x SIZE x 3` and mask `SIZE x SIZE`, 0 = table and clutter, 1.. = the class in `CLASSES`.
    """
    image = plain(rng.uniform(0.35, 0.65) * np.array([1.0, rng.uniform(0.8, 1.0), rng.uniform(0.65, 1.0)]))
    shade(image, 1 + texture(rng, (3, 0.1), (9, 0.08), (24, 0.06)))
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for _ in range(rng.integers(1, 4)):
        _lay(rng, image, mask, _bar(rng), 0)
    for _ in range(rng.integers(2, 4)):
        label = int(rng.integers(1, len(CLASSES) + 1))
        _lay(rng, image, mask, _shape(rng, label), label)
    shade(image, 1 + 0.1 * field(rng, 2))
    image += grain(rng, 0.025)
    return finish(image), mask


def _lay(rng: np.random.Generator, image: Floats, mask: Bytes, canvas: Bytes, label: int) -> None:
    """Paints one thing with a colour, a pattern and a shadow, over whatever lies there."""
    covered = coverage(canvas)
    shade(image, 1 - 0.3 * soften(covered, 1.5) * (1 - covered))
    if label:
        first = hsv(rng.random(), rng.uniform(0.7, 1.0), rng.uniform(0.4, 1.0))
        second = first * rng.uniform(0.2, 0.5) if rng.random() < 0.5 else 1 - (1 - first) * rng.uniform(0.2, 0.5)
    else:
        first = np.full(3, rng.uniform(0.15, 0.9))
        second = first
    # One thing in five wears the pattern of another class: there, only the shape tells.
    pattern = _pattern(rng, label if rng.random() < 0.8 else int(rng.integers(1, 5)))[..., None]
    paint(image, first + (second - first) * pattern, covered)
    mask[covered >= 0.5] = label


def _pattern(rng: np.random.Generator, label: int) -> Floats:
    """The usual pattern of a class, 0..1: discs are spotted, rings and clutter plain, triangles striped, crosses chequered."""
    name = (*CLASSES, "")[label - 1]
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    angle = rng.uniform(0, math.pi)
    along = np.sin((columns * math.cos(angle) + rows * math.sin(angle)) * rng.uniform(1.3, 1.8))
    across = np.sin((rows * math.cos(angle) - columns * math.sin(angle)) * rng.uniform(1.3, 1.8))
    if name == "disc":
        return np.asarray(field(rng, 18) > 0.6, dtype=np.float32)
    if name == "triangle":
        return np.asarray(0.5 + 0.5 * along, dtype=np.float32)
    if name == "cross":
        return np.asarray(0.5 + 0.5 * along * across, dtype=np.float32)
    return np.asarray(0.15 + 0.05 * field(rng, 8), dtype=np.float32)


def _bar(rng: np.random.Generator) -> Bytes:
    """Clutter: a straight stick or a slab."""
    canvas = sheet()
    centre, angle = rng.uniform(0, SIZE, 2), rng.uniform(0, math.pi)
    reach = rng.uniform(6, 16) * np.array([math.cos(angle), math.sin(angle)])
    stroke(canvas, [centre - reach, centre + reach], rng.uniform(2, 8))
    return canvas


def _shape(rng: np.random.Generator, label: int) -> Bytes:
    canvas = sheet()
    centre, size = rng.uniform(0.15, 0.85, 2) * SIZE, rng.uniform(8, 15)
    turn = rng.uniform(0, 2 * math.pi)
    name = CLASSES[label - 1]
    if name in ("disc", "ring"):
        fill(canvas, _corners(centre, np.full(40, size), turn))
        if name == "ring":
            fill(canvas, _corners(centre, np.full(40, size * rng.uniform(0.4, 0.6)), turn), value=0)
    elif name == "triangle":
        fill(canvas, _corners(centre, size * 1.2 * rng.uniform(0.85, 1.0, 3), turn))
    else:
        arm = size * 1.1 * np.array([math.cos(turn), math.sin(turn)])
        across = size * 1.1 * np.array([-math.sin(turn), math.cos(turn)])
        width = size * rng.uniform(0.45, 0.7)
        stroke(canvas, [centre - arm, centre + arm], width)
        stroke(canvas, [centre - across, centre + across], width)
    return canvas


def _corners(centre: NDArray[np.float64], radii: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    """Points around `centre`, evenly spread over the full turn, at the distances `radii`; `n x 2`."""
    angles = turn + np.arange(len(radii)) * 2 * math.pi / len(radii)
    return np.asarray(centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1))
