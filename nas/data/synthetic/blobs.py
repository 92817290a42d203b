"""Polyps: one or two rounded lumps of nearly the colour of the smooth reddish wall they grow on, with wet highlights.

After colonoscopy pictures (Kvasir-SEG, Jha et al. 2020): what gives a polyp away is its outline and shading, seldom its colour.
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

CLASSES = ("polyp",)


def draw(rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """One picture of a wall and its polyps.

    Args:
        rng: The source of chance.

    Returns:
        Image `SIZE x SIZE x 3` and mask `SIZE x SIZE`, 1 = polyp.
    """
    image = _wall(rng)
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for _ in range(rng.choice([1, 1, 1, 2])):
        covered = _polyp(rng, image)
        mask[covered >= 0.5] = 1
    _highlights(rng, image)
    shade(image, _lamp(rng))
    image += grain(rng, 0.015)
    return finish(image), mask


def _wall(rng: np.random.Generator) -> Floats:
    red = rng.uniform(0.6, 0.8)
    image = plain([red, red * rng.uniform(0.42, 0.6), red * rng.uniform(0.32, 0.48)])
    shade(image, 1 + texture(rng, (2, 0.08), (5, 0.05), (12, 0.03)))
    for _ in range(rng.integers(0, 3)):
        _fold(rng, image)
    for _ in range(rng.integers(0, 3)):  # flat patches as red or pale as a polyp, without its relief
        patch = sheet()
        fill(patch, lump(rng, rng.uniform(0, SIZE, 2), (rng.uniform(4, 14), rng.uniform(4, 10)), rng.uniform(0, math.pi), 0.15))
        tint = 1 + rng.uniform(-0.2, 0.1) * np.array([0.5, 1.0, 1.0])
        paint(image, image * tint, soften(coverage(patch), rng.uniform(1, 3)))
    return image


def _fold(rng: np.random.Generator, image: Floats) -> None:
    """A fold of the wall: a curved ridge, bright on one side and dark on the other."""
    angle = rng.uniform(0, 2 * math.pi)
    ridge = walk(rng, rng.uniform(0, SIZE, 2), angle, 24, 4.0, 0.12)
    ridge -= ridge[12] - rng.uniform(0.2, 0.8, 2) * SIZE
    across = np.array([-math.sin(angle), math.cos(angle)])
    width, strength = rng.uniform(2, 5), rng.uniform(0.1, 0.3)
    for side, sign in ((-0.5, 1), (0.5, -1)):
        canvas = sheet()
        stroke(canvas, ridge + side * width * across, width)
        shade(image, 1 + sign * strength * soften(coverage(canvas), rng.uniform(0.6, 1.5)))


def _polyp(rng: np.random.Generator, image: Floats) -> Floats:
    centre = rng.uniform(0.12, 0.88, 2) * SIZE
    size = rng.uniform(10, 22)
    canvas = sheet()
    fill(canvas, lump(rng, centre, (size, size * rng.uniform(0.6, 1.0)), rng.uniform(0, math.pi), 0.07))
    covered = coverage(canvas)
    edge = np.minimum(soften(covered, rng.uniform(0.3, 0.8)), 1)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    light = rng.uniform(0, 2 * math.pi)
    relief = ((columns - centre[0]) * math.cos(light) + (rows - centre[1]) * math.sin(light)) / size
    dome = 1 - ((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / (1.2 * size * size)
    own = 1 + rng.uniform(0.12, 0.3) * relief + rng.uniform(0.1, 0.25) * dome + texture(rng, (12, 0.03), (24, 0.05))
    tint = 1 + rng.normal(0.27, 0.12) * np.array([0.3, 1.0, 1.3])
    shadow = soften(covered, 2.0) * (1 - covered)
    shade(image, 1 - rng.uniform(0.1, 0.3) * shadow)
    paint(image, image * tint * np.clip(own, 0.5, 1.5)[..., None], edge)
    return covered


def _highlights(rng: np.random.Generator, image: Floats) -> None:
    """Reflections of the lamp on the wet surface, on polyps and beside them."""
    canvas = sheet()
    for _ in range(rng.integers(2, 8)):
        fill(canvas, lump(rng, rng.uniform(0, SIZE, 2), (rng.uniform(0.5, 2.2), rng.uniform(0.4, 1.2)), rng.uniform(0, math.pi), 0.2))
    paint(image, [1.0, 0.97, 0.93], 0.9 * soften(coverage(canvas), 0.4))


def _lamp(rng: np.random.Generator) -> Floats:
    """The light falls off to the borders."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    y, x = rng.uniform(0.3, 0.7, 2)
    distance = (rows - y) ** 2 + (columns - x) ** 2
    return np.asarray(1.1 - rng.uniform(0.4, 0.9) * distance + 0.03 * field(rng, 2), dtype=np.float32)
