"""Cracks in asphalt: dark branching lines one to two pixels wide among grains, stains, shadows and sealed joints.

After the photographs of CrackForest (Shi et al., IEEE T-ITS 2016), where 1.7 % of the pixels are crack.
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
    plain,
    shade,
    sheet,
    soften,
    stroke,
    texture,
    walk,
)

CLASSES = ("crack",)

COVERED = 1 / 3
"""Share of a pixel that a crack must cover to own it: at one half, lines a pixel wide would fall into dots."""


def draw(rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """One picture of asphalt and its cracks.

    Args:
        rng: The source of chance.

    Returns:
        Image `SIZE x SIZE x 3` and mask `SIZE x SIZE`, 1 = crack.
    """
    image = _asphalt(rng)
    _distract(rng, image)
    covered = _cracks(rng)
    # The depth of a crack changes along its way and is at times close to that of the grains.
    depth = np.clip(rng.uniform(0.45, 0.65) + 0.12 * field(rng, 5), 0.2, 0.85)
    shade(image, 1 - depth * covered)
    image += grain(rng, rng.uniform(0.02, 0.04))
    return finish(image), (covered >= COVERED).astype(np.uint8)


def _asphalt(rng: np.random.Generator) -> Floats:
    grey = rng.uniform(0.4, 0.65)
    image = plain(grey + rng.uniform(-0.02, 0.02, 3))
    grains = texture(rng, (3, 0.03), (12, 0.03), (28, 0.05))
    pits = np.minimum(field(rng, 30) + 1.5, 0)  # stones that came loose leave dark pits, as dark as a crack but short
    image += (grains + 0.14 * pits)[..., None]
    return image


def _distract(rng: np.random.Generator, image: Floats) -> None:
    """Dark things that are no cracks: oil stains, shadows with an edge, sealed joints, a painted line."""
    for _ in range(rng.integers(0, 3)):
        stain = sheet()
        fill(stain, lump(rng, rng.uniform(0, SIZE, 2), (rng.uniform(3, 9), rng.uniform(3, 9)), 0.0, 0.2))
        shade(image, 1 - rng.uniform(0.15, 0.4) * soften(coverage(stain), rng.uniform(0.8, 2)))
    if rng.random() < 0.4:
        shadow = sheet()
        fill(shadow, lump(rng, rng.uniform(0, SIZE, 2), (SIZE * 0.6, SIZE * 0.3), rng.uniform(0, math.pi), 0.1))
        shade(image, 1 - rng.uniform(0.2, 0.4) * soften(coverage(shadow), rng.uniform(0.5, 1.5)))
    if rng.random() < 0.3:
        _line(rng, image, width=rng.uniform(1.2, 3.5), gain=-rng.uniform(0.2, 0.4))
    if rng.random() < 0.25:
        _line(rng, image, width=rng.uniform(3, 8), gain=rng.uniform(0.15, 0.4))


def _line(rng: np.random.Generator, image: Floats, width: float, gain: float) -> None:
    """A straight line across the picture: a joint (dark) or paint (bright)."""
    centre, angle = rng.uniform(0, SIZE, 2), rng.uniform(0, math.pi)
    reach = 2 * SIZE * np.array([math.cos(angle), math.sin(angle)])
    line = sheet()
    stroke(line, [centre - reach, centre + reach], width)
    worn = np.clip(0.8 + 0.25 * field(rng, 8), 0, 1)
    shade(image, 1 + gain * coverage(line) * worn)


def _cracks(rng: np.random.Generator) -> Floats:
    canvas = sheet()
    for _ in range(rng.choice([1, 2, 2, 3])):
        angle = rng.uniform(0, 2 * math.pi)
        # From near a border inwards, so that most of a crack lies in the picture.
        start = SIZE / 2 - rng.uniform(0.3, 0.6) * SIZE * np.array([math.cos(angle), math.sin(angle)])
        _branch(rng, canvas, start, angle + rng.normal(0, 0.4), int(rng.integers(14, 34)), rng.uniform(1.1, 2.1), forks=2)
    return coverage(canvas)


def _branch(rng: np.random.Generator, canvas: Bytes, start: object, heading: float, steps: int, width: float, forks: int) -> None:
    points = walk(rng, np.asarray(start), heading, steps, stride=2.0, wobble=0.45)
    for first in range(0, steps, 4):
        stroke(canvas, points[first : first + 5], width * rng.uniform(0.75, 1.15))
    for _ in range(rng.integers(0, forks + 1)):
        origin = points[rng.integers(1, steps)]
        side = rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
        _branch(rng, canvas, origin, heading + side, max(4, steps // 2), max(0.9, 0.8 * width), forks - 1)
