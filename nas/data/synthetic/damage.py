"""Damage on car paint: scratches and dents on glossy gradients, among reflections, panel gaps and trim.

After insurance photographs (CarDD, Wang et al. 2023): what a reflection does to the paint looks much like what a dent does.
"""

import math

import numpy as np

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
    lump,
    paint,
    plain,
    shade,
    sheet,
    soften,
    stroke,
    texture,
    walk,
)

CLASSES = ("damage",)


def draw(rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """One picture of a car's panel and its damage.

    Args:
        rng: The source of chance.

    Returns:
        Image `SIZE x SIZE x 3` and mask `SIZE x SIZE`, 1 = damage.
    """
    image, colour = _paintwork(rng)
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    wanted = rng.integers(1, 4)
    if wanted != 1:
        mask[_dent(rng, image) >= 0.5] = 1
    if wanted != 2:
        mask[_scratches(rng, image, colour) >= 0.5] = 1
    image += grain(rng, 0.015)
    return finish(image), mask


def _paintwork(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The undamaged panel, and the colour of its paint."""
    colour = hsv(rng.normal(0.6, 0.06) % 1, rng.uniform(0.3, 0.55), rng.uniform(0.45, 0.8)).astype(np.float32)
    image = plain(colour)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE - 0.5
    angle = rng.uniform(0, 2 * math.pi)
    shade(image, 1 + rng.uniform(0.1, 0.5) * (columns * math.cos(angle) + rows * math.sin(angle)) + 0.05 * field(rng, 2))
    for _ in range(rng.integers(0, 3)):
        _reflection(rng, image)
    for _ in range(rng.integers(0, 2)):
        _gap(rng, image)
    return image, colour


def _reflection(rng: np.random.Generator, image: Floats) -> None:
    """The sky, a lamp or a neighbouring car in the paint: a band or a patch, sharp or soft, bright or dark."""
    canvas = sheet()
    if rng.random() < 0.5:
        stroke(canvas, walk(rng, rng.uniform(-8, SIZE, 2), rng.normal(0, 0.6), 30, 3.0, 0.05), rng.uniform(1, 9))
    else:
        fill(canvas, lump(rng, rng.uniform(0, SIZE, 2), (rng.uniform(3, 16), rng.uniform(2, 7)), rng.uniform(0, math.pi), 0.1))
    seen = soften(coverage(canvas), rng.uniform(0.4, 2.5))
    paint(image, np.full(3, rng.choice([0.1, 0.9, 1.0])), rng.uniform(0.12, 0.35) * seen)


def _gap(rng: np.random.Generator, image: Floats) -> None:
    """A gap between panels or a line of trim: long, even and smooth, unlike a scratch."""
    line = walk(rng, rng.uniform(0, SIZE, 2), rng.uniform(0, 2 * math.pi), 60, 3.0, 0.01)
    line -= line[30] - rng.uniform(0, SIZE, 2)
    canvas = sheet()
    stroke(canvas, line, rng.uniform(0.7, 2.2))
    paint(image, np.full(3, rng.choice([0.05, 0.1, 0.8])), rng.uniform(0.5, 0.9) * coverage(canvas))


def _dent(rng: np.random.Generator, image: Floats) -> Floats:
    """A pushed-in patch: its own relief, bright on one side and dark on the other; returns its coverage."""
    centre, size = rng.uniform(0.15, 0.85, 2) * SIZE, rng.uniform(10, 22)
    canvas = sheet()
    fill(canvas, lump(rng, centre, (size, size * rng.uniform(0.4, 0.9)), rng.uniform(0, math.pi), 0.12))
    covered = coverage(canvas)
    hollow = soften(covered, rng.uniform(1.0, 2.5))
    angle = rng.uniform(0, 2 * math.pi)
    slope = math.cos(angle) * np.gradient(hollow, axis=1) + math.sin(angle) * np.gradient(hollow, axis=0)
    rough = texture(rng, (10, 0.6), (20, 0.6)) * covered
    gain = 1 + rng.uniform(1.2, 2.8) * slope + rng.uniform(0.25, 0.4) * rough - rng.uniform(0.15, 0.4) * covered
    shade(image, np.clip(gain, 0.3, 1.8).astype(np.float32))
    return covered


def _scratches(rng: np.random.Generator, image: Floats, colour: Floats) -> Floats:
    """A bundle of scratches, down to primer or bare metal; returns its coverage."""
    canvas = sheet()
    start, heading = rng.uniform(0.1, 0.9, 2) * SIZE, rng.uniform(0, 2 * math.pi)
    for _ in range(rng.integers(3, 9)):
        line = walk(rng, start + rng.normal(0, 3.5, 2), heading + rng.normal(0, 0.2), int(rng.integers(5, 14)), 2.5, 0.2)
        for first in range(0, len(line) - 1, 2):
            stroke(canvas, line[first : first + 3], rng.uniform(1.4, 3.2))
    covered = coverage(canvas)
    bare = np.full(3, rng.uniform(0.55, 0.9)) if colour.mean() < 0.45 or rng.random() < 0.3 else colour * rng.uniform(0.3, 0.6)
    opaque = np.clip(rng.uniform(0.5, 0.9) + 0.25 * field(rng, 14), 0.1, 1).astype(np.float32)
    paint(image, bare * (1 + 0.15 * field(rng, 24)[..., None]), covered * opaque)
    return covered
