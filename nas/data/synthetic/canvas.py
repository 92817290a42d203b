"""What the synthetic kinds draw with: smooth random fields, exact coverage of shapes, painting with an alpha.

Shapes are drawn `FINE` times larger and reduced by averaging, so that a pixel knows which share of it a shape covers: the image is
painted with that share, the mask is a threshold of it, and both say the same thing. Textures are value noise (sums of coarse
random grids, enlarged: Perlin's "An Image Synthesizer", 1985, in its cheapest form).
"""

import colorsys
import math

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

SIZE = 64
"""Height and width of every synthetic image, in pixels."""

FINE = 4
"""Shapes are drawn on a canvas this many times larger."""

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def field(rng: np.random.Generator, cells: float, stretch: float = 1.0) -> Floats:
    """A smooth random field.

    Args:
        rng: The source of chance.
        cells: Waves per image side, vertically.
        stretch: Waves are this many times longer horizontally than vertically.

    Returns:
        `SIZE x SIZE`, about standard normal.
    """
    rows, columns = math.ceil(cells) + 3, math.ceil(cells / stretch) + 3
    grid = rng.standard_normal((rows, columns), dtype=np.float32)
    scale_x, scale_y = cells / stretch / SIZE, cells / SIZE
    shift_x, shift_y = rng.random(2) + 0.5
    affine = np.array([[scale_x, 0, shift_x], [0, scale_y, shift_y]], dtype=np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(grid, affine, (SIZE, SIZE), flags=flags, borderMode=cv2.BORDER_REFLECT), dtype=np.float32)


def texture(rng: np.random.Generator, *octaves: tuple[float, float]) -> Floats:
    """A sum of fields, each given as (cells, amplitude); `SIZE x SIZE`."""
    total = np.zeros((SIZE, SIZE), dtype=np.float32)
    for cells, amplitude in octaves:
        total += amplitude * field(rng, cells)
    return total


def grain(rng: np.random.Generator, amplitude: float) -> Floats:
    """Sensor noise: independent, mostly grey, slightly coloured; `SIZE x SIZE x 3`."""
    grey = rng.standard_normal((SIZE, SIZE, 1), dtype=np.float32)
    colour = rng.standard_normal((SIZE, SIZE, 3), dtype=np.float32)
    return np.asarray(amplitude * (grey + 0.4 * colour), dtype=np.float32)


def plain(colour: ArrayLike) -> Floats:
    """An image of one colour (three values in 0..1); `SIZE x SIZE x 3`."""
    return np.asarray(np.broadcast_to(np.asarray(colour, dtype=np.float32), (SIZE, SIZE, 3)).copy(), dtype=np.float32)


def hsv(hue: float, saturation: float, value: float) -> NDArray[np.float64]:
    """A colour by hue, saturation and value (each 0..1) as red, green and blue (0..1)."""
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value))


def sheet() -> Bytes:
    """An empty enlarged canvas for shapes: `FINE SIZE x FINE SIZE`, 0 = uncovered, 255 = covered."""
    return np.zeros((FINE * SIZE, FINE * SIZE), dtype=np.uint8)


def fill(canvas: Bytes, outline: ArrayLike, value: int = 255) -> None:
    """Fills a polygon given as `n x 2` (x, y) in image pixels."""
    cv2.fillPoly(canvas, [_enlarge(outline)], value)


def stroke(canvas: Bytes, points: ArrayLike, width: float) -> None:
    """Draws an open line of `width` image pixels through `n x 2` points (x, y) in image pixels."""
    cv2.polylines(canvas, [_enlarge(points)], False, 255, max(1, round(width * FINE)))


def coverage(canvas: Bytes) -> Floats:
    """The share of each image pixel that is covered, 0..1; `SIZE x SIZE`."""
    return np.asarray(cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA), dtype=np.float32) / np.float32(255)


def soften(alpha: Floats, sigma: float) -> Floats:
    """Blurs a map by `sigma` pixels."""
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), sigma), dtype=np.float32)


def paint(image: Floats, colour: ArrayLike, alpha: Floats) -> None:
    """Lays a colour (or an image) over `image` in place, as opaque as `alpha` (`SIZE x SIZE`, 0..1) says."""
    image += alpha[..., None] * (np.asarray(colour, dtype=np.float32) - image)


def shade(image: Floats, gain: Floats) -> None:
    """Multiplies the brightness of `image` in place by `gain` (`SIZE x SIZE`)."""
    image *= gain[..., None]


def finish(image: Floats) -> Bytes:
    """The image as bytes, `SIZE x SIZE x 3`, values outside 0..1 clipped."""
    return np.asarray(np.clip(image * 255 + 0.5, 0, 255), dtype=np.uint8)


def worsen(rng: np.random.Generator, image: Bytes, strength: float) -> Bytes:
    """A picture as a worse camera sees it through haze.

    Args:
        rng: The source of chance.
        image: `SIZE x SIZE x 3`.
        strength: 0 changes nothing; at 1 up to all contrast is lost, and the noise is a quarter of full scale.

    Returns:
        The picture, less contrast and more noise.
    """
    if strength == 0:
        return image
    seen = image.astype(np.float32) / np.float32(255)
    seen += rng.uniform(0.5, 1.0) * strength * (seen.mean(axis=(0, 1)) - seen)
    return finish(seen + grain(rng, 0.25 * strength * rng.uniform(0.5, 1.0)))


def walk(rng: np.random.Generator, start: ArrayLike, heading: float, steps: int, stride: float, wobble: float) -> NDArray[np.float64]:
    """A wandering line.

    Args:
        rng: The source of chance.
        start: Its first point (x, y) in image pixels.
        heading: Its first direction in radians.
        steps: Number of further points.
        stride: Distance between points in image pixels.
        wobble: Standard deviation of the change of direction at each point, in radians.

    Returns:
        `(steps + 1) x 2` points (x, y).
    """
    # Directions are pulled back to the first one, so that a line wanders without curling up.
    turn = rng.normal(0, wobble, steps)
    headings = heading + np.convolve(turn, 0.75 ** np.arange(8))[:steps]
    moves = stride * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(moves, axis=0)]) + np.asarray(start, dtype=np.float64)


def lump(rng: np.random.Generator, centre: ArrayLike, radii: tuple[float, float], angle: float, rough: float) -> NDArray[np.float64]:
    """A closed irregular outline: an ellipse whose radius carries a few random waves.

    Args:
        rng: The source of chance.
        centre: Its centre (x, y) in image pixels.
        radii: Half axes in image pixels.
        angle: Direction of the first axis in radians.
        rough: Amplitude of the waves relative to the radius.

    Returns:
        `48 x 2` points (x, y).
    """
    turn = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    radius = np.ones_like(turn)
    for wave in range(2, 6):
        radius += rough / (wave - 1) * rng.normal() * np.cos(wave * turn + rng.uniform(0, 2 * math.pi))
    radius = np.maximum(radius, 0.3)
    x, y = radii[0] * radius * np.cos(turn), radii[1] * radius * np.sin(turn)
    cos, sin = math.cos(angle), math.sin(angle)
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=1) + np.asarray(centre, dtype=np.float64)


def _enlarge(points: ArrayLike) -> NDArray[np.int32]:
    return np.asarray(np.rint(np.asarray(points, dtype=np.float64) * FINE), dtype=np.int32).reshape(-1, 1, 2)
