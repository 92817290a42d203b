"""Resizing of images and masks that keeps their aspect, and keeps thin structures.

Nearest-neighbour reduction tears a crack two pixels wide into dots. Here a reduced mask asks which share of its pixel each class
covers, and a foreground class owns the pixel from a quarter on.
"""

import cv2
import numpy as np

from nas.data.dataset import VOID
from nas.data.images import Bytes

KEPT = 0.25
"""Share of a pixel from which a foreground class owns it: a line half a pixel wide covers half of a pixel, or a quarter of each of two."""

PAD_GREY = 127
"""Images are padded with middle grey: black borders would shift the statistics of batch norms."""

SLACK = 1.25
"""An image is not enlarged to fill a canvas less than this many times larger: that would only blur it. Sizes are multiples of
16, so a canvas made for images of 64 pixels or more is never larger by more."""


def fit_image(image: Bytes, mask: Bytes, size: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """Scales a pair to fit a canvas and pads it there.

    Args:
        image: `H x W x C`.
        mask: `H x W`, class index or `VOID`.
        size: Height and width of the canvas.

    Returns:
        The pair at `size`: centred, the border of the image grey, that of the mask `VOID`. Nothing is resampled where the
        scale is 1, or would enlarge by less than `SLACK`.
    """
    return pad(*scale_to_fit(image, mask, size), size)


def scale_to_fit(image: Bytes, mask: Bytes, size: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """Like `fit_image`, without the padding: the largest pair of the same aspect that fits `size`."""
    height, width = fitted_size((mask.shape[0], mask.shape[1]), size)
    return resize_image(image, (height, width)), resize_mask(mask, (height, width))


def fitted_size(native: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Height and width that an image of `native` height and width has within a canvas of `size`, padding left out."""
    scale = min(size[0] / native[0], size[1] / native[1])
    if 1 <= scale < SLACK:
        return native
    return min(size[0], max(1, round(native[0] * scale))), min(size[1], max(1, round(native[1] * scale)))


def pad(image: Bytes, mask: Bytes, size: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """Centres a pair on a canvas of `size` (height, width), no smaller than the pair."""
    padded, top, left = pad_image(image, size)
    height, width = mask.shape
    borders = ((top, size[0] - height - top), (left, size[1] - width - left))
    return padded, np.pad(mask, borders, constant_values=VOID)


def pad_image(image: Bytes, size: tuple[int, int]) -> tuple[Bytes, int, int]:
    """Centres an image on a grey canvas of `size` (height, width), no smaller than it; gives its top and its left there too."""
    height, width = image.shape[:2]
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    borders = ((top, size[0] - height - top), (left, size[1] - width - left), (0, 0))
    return np.pad(image, borders, constant_values=PAD_GREY), top, left


def resize_image(image: Bytes, size: tuple[int, int]) -> Bytes:
    """An image at `size` (height, width): averaged when reduced, linear when enlarged."""
    if image.shape[:2] == size:
        return image
    smaller = size[0] < image.shape[0] or size[1] < image.shape[1]
    flags = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    # OpenCV averages four channels at most, and drops the axis of a single one.
    parts = [image[..., first : first + 4] for first in range(0, image.shape[2], 4)]
    return np.dstack([np.asarray(cv2.resize(part, size[::-1], interpolation=flags), dtype=np.uint8) for part in parts])


def resize_mask(mask: Bytes, size: tuple[int, int], kept: float = KEPT) -> Bytes:
    """A mask at `size` (height, width).

    Args:
        mask: `H x W`, class index or `VOID`.
        size: Height and width wanted.
        kept: Share of a pixel from which a foreground class owns it.

    Returns:
        The mask: nearest neighbour when enlarged. When reduced, a pixel belongs to the foreground class that covers most of it,
        if that covers at least `kept` of it, else to void if that covers half of it, else to the background.
    """
    if mask.shape == size:
        return mask
    if size[0] >= mask.shape[0] and size[1] >= mask.shape[1]:
        return np.asarray(cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT), dtype=np.uint8)
    out = np.zeros(size, dtype=np.uint8)
    present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    # Asked only where there is void: a share of 512 x 512 pixels takes 4 ms, half of this function where there is one class.
    if present[-1] == VOID:
        out[_share(mask, VOID, size) >= 0.5] = VOID
    # A little grace: area averages come with rounding errors.
    best = np.full(size, kept - 1e-4, dtype=np.float32)
    for label in present[(present > 0) & (present < VOID)]:
        share = _share(mask, int(label), size)
        wins = share > best
        out[wins] = label
        best[wins] = share[wins]
    return out


def _share(mask: Bytes, label: int, size: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Which share of each pixel of the reduced mask a label covers, 0..1."""
    return np.asarray(cv2.resize((mask == label).astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA), dtype=np.float32)
