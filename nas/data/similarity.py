"""How alike two images look, cheaply: to find near-copies, such as neighbouring frames of a time-lapse.

A difference hash (N. Krawetz, "Kind of Like That", 2013) says for 64 places of a small grey version whether it grows darker to the
right; the average colour beside it tells plain images apart, whose gradients are noise.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nas.data.images import Bytes

HASH_SIDE = 8
COLOUR_BITS = 8
COLOUR_STEP = 8
"""Grey levels of average colour that count as much as one bit of the difference hash."""

MARGIN = 2
"""Grey levels below which a gradient counts as none: noise must not fill the hash."""

NEAR_COPY = 10
"""Distance up to which two images count as near-copies; unrelated photographs are mostly 24 to 37 apart."""


def image_hash(image: Bytes) -> int:
    """The hash of an image.

    Args:
        image: `H x W x 3`, RGB.

    Returns:
        88 bits: red, green and blue of the average colour above 64 bits of gradients.
    """
    small = cv2.resize(image, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = small @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    bits = int.from_bytes(np.packbits(grey[:, :-1] > grey[:, 1:] + MARGIN).tobytes(), "big")
    red, green, blue = map(int, small.mean(axis=(0, 1)).round().tolist())
    colour = red << 2 * COLOUR_BITS | green << COLOUR_BITS | blue
    return colour << HASH_SIDE**2 | bits


def distance(a: int, b: int) -> int:
    """How far two hashes are apart: 0 for equal images, `NEAR_COPY` and less for near-copies, 95 at most.

    Args:
        a: What `image_hash` gave.
        b: Another.

    Returns:
        Gradients that differ, and one more for every `COLOUR_STEP` grey levels between the average colours' farthest channels.
    """
    gradients = (1 << HASH_SIDE**2) - 1
    colours = max(abs(first - second) for first, second in zip(_colour(a), _colour(b), strict=True))
    return ((a ^ b) & gradients).bit_count() + colours // COLOUR_STEP


def distances(code: int, codes: Sequence[int] | NDArray[np.uint64]) -> NDArray[np.int64]:
    """`distance` of one hash to each of many, quick enough for thousands against thousands.

    Args:
        code: What `image_hash` gave.
        codes: Others; or what `packed` made of them, where they are asked about more than once.
    """
    rows = codes if isinstance(codes, np.ndarray) else packed(codes)
    (row,) = packed([code])
    gradients = np.bitwise_count(rows[:, 0] ^ row[0]).astype(np.int64)
    colours = np.abs(rows[:, 1:].astype(np.int64) - row[1:].astype(np.int64)).max(axis=1)
    return np.asarray(gradients + colours // COLOUR_STEP)


def packed(codes: Sequence[int]) -> NDArray[np.uint64]:
    """Hashes as rows of numbers: gradients, red, green, blue."""
    return np.array([(code & (1 << HASH_SIDE**2) - 1, *_colour(code)) for code in codes], dtype=np.uint64).reshape(-1, 4)


def _colour(code: int) -> tuple[int, int, int]:
    red, green, blue = (code >> (HASH_SIDE**2 + COLOUR_BITS * place) & 0xFF for place in (2, 1, 0))
    return red, green, blue
