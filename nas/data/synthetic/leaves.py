"""Leaves on soil: overlapping pointed leaves of many greens, between clods, moss, dry straw and thin blades of grass.

After phenotyping pictures of rosettes and crops (CVPPP leaf segmentation; Peanut, Tran & Phan 2023): green alone is no leaf.
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

CLASSES = ("leaf",)


def draw(rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """One picture of soil and the leaves on it.

    Args:
        rng: The source of chance.

    Returns:
        Image `SIZE x SIZE x 3` and mask `SIZE x SIZE`, 1 = leaf.
    """
    image = _soil(rng)
    for _ in range(rng.integers(4, 10)):
        _litter(rng, image)
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for _ in range(rng.integers(3, 9)):
        mask[_leaf(rng, image) >= 0.5] = 1
    for _ in range(rng.integers(0, 3)):  # what lies on top of a leaf hides it
        mask[_litter(rng, image) >= 0.5] = 0
    shade(image, 1 + 0.15 * field(rng, 2))
    image += grain(rng, 0.025)
    return finish(image), mask


def _green(rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour of plants: green, at times yellowish, bluish or brown."""
    light = rng.uniform(0.35, 0.7)
    return light * np.array([rng.uniform(0.3, 0.85), rng.uniform(0.85, 1.0), rng.uniform(0.15, 0.5)])


def _soil(rng: np.random.Generator) -> Floats:
    light = rng.uniform(0.25, 0.5)
    image = plain(light * np.array([1.0, rng.uniform(0.75, 0.9), rng.uniform(0.5, 0.7)]))
    shade(image, 1 + texture(rng, (4, 0.12), (10, 0.15), (24, 0.15)))
    moss = soften(np.clip(field(rng, 6) - 0.7, 0, 1).astype(np.float32), 0.8)
    paint(image, _green(rng) * (1 + 0.2 * field(rng, 26)[..., None]), moss)
    return image


def _litter(rng: np.random.Generator, image: Floats) -> Floats:
    """Something that is no leaf: a blade of grass, a straw or a stone; returns its coverage."""
    canvas = sheet()
    kind = rng.integers(3)
    if kind == 2:
        size = rng.uniform(1.5, 5)
        fill(canvas, lump(rng, rng.uniform(0, SIZE, 2), (size, size * rng.uniform(0.6, 1)), rng.uniform(0, math.pi), 0.12))
        colour = np.full(3, rng.uniform(0.25, 0.6)) if rng.random() < 0.6 else _green(rng)
    else:
        line = walk(rng, rng.uniform(0, SIZE, 2), rng.uniform(0, 2 * math.pi), int(rng.integers(5, 12)), 3.0, 0.1)
        stroke(canvas, line, rng.uniform(0.8, 4.0))
        colour = _green(rng) if kind == 0 else rng.uniform(0.4, 0.7) * np.array([1.0, 0.85, 0.5])
    covered = coverage(canvas)
    paint(image, colour * (1 + 0.1 * field(rng, 20)[..., None]), covered)
    return covered


def _leaf(rng: np.random.Generator, image: Floats) -> Floats:
    """A pointed, bent leaf with a midrib and a shadow; returns its coverage."""
    length, angle = rng.uniform(12, 30), rng.uniform(0, 2 * math.pi)
    slim, bend = rng.uniform(0.18, 0.42), rng.normal(0, 0.25)
    along = np.linspace(0, 1, 16)
    half = slim * np.sin(math.pi * along ** rng.uniform(0.7, 1.3)) * (1 + 0.06 * rng.normal(size=16))
    rib = np.stack([along, bend * along**2], axis=1)
    outline = np.concatenate([rib + np.stack([0 * half, half], axis=1), (rib - np.stack([0 * half, half], axis=1))[::-1]])
    cos, sin = math.cos(angle), math.sin(angle)
    turn = length * np.array([[cos, sin], [-sin, cos]])
    origin = rng.uniform(0, SIZE, 2) - np.array([0.5, bend / 4]) @ turn
    body, midrib = sheet(), sheet()
    fill(body, outline @ turn + origin)
    stroke(midrib, rib @ turn + origin, rng.uniform(0.4, 0.9))
    covered = coverage(body)
    shade(image, 1 - 0.35 * soften(covered, 1.5) * (1 - covered))
    tone = 1 + texture(rng, (5, 0.08), (16, 0.08))
    colour = _green(rng) * tone[..., None]
    paint(image, colour, covered)
    paint(image, colour * rng.uniform(0.75, 1.3), coverage(midrib) * covered)
    return covered
