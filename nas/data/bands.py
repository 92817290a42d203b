"""The channels of image files: grey, RGB, RGB with infra-red, and as many as a sensor has.

How many channels a file has is a matter of its form: one to four bands of an image file, a TIFF of several grey pages (each a band), or a
NumPy file (`H x W x C`). The fourth band of an image file means transparency to most programs, so it counts only where four are asked for.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence

from nas.data.image_file import SENSOR_FORMS, BadFileError, Bytes, with_array, with_image
from nas.data.images import ARRAY_SUFFIX

RGB = 3

DEEP = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
GREY = DEEP | {"1", "L"}

_SAMPLES = 277
"""TIFF's tag for the number of bands."""

_EXTRA = 338
"""TIFF's tag for what the bands after the colours are: 0 unspecified, 1 associated alpha, 2 unassociated alpha."""

_NO_PLAIN_ALPHA = ((0,), (1,))
"""Of these, what Pillow does not give as it lies in the file (OpenCV does, and does not for the others)."""


def read_image(path: Path, channels: int = RGB) -> Bytes:
    """An image file as `H x W x channels`, turned upright as its EXIF entry says.

    Three channels are red, green and blue, and one is grey: what has colours is converted to either, and what has transparency loses it.
    Other numbers of channels must be those of the file, in its order. Of more than 8 bits the upper ones are kept.

    Args:
        path: An image file, or a NumPy file of uint8 or uint16.
        channels: How many are wanted.

    Raises:
        BadFileError: If the file cannot be read, or has not that many channels.
    """
    if path.suffix.lower() == ARRAY_SUFFIX:
        found = with_array(path, lambda array: _of_array(path, array))
    else:
        found = with_image(path, lambda image: _of_image(path, image, channels))
    came = found.shape[2]
    if came == 1 and channels == RGB:
        return np.repeat(found, RGB, axis=2)
    if came != channels:
        raise BadFileError(
            f"{path}: has {_counted(came)}; expected {channels}: every image of a set has as many, as --channels says (default {RGB})"
        )
    return np.ascontiguousarray(found)


def as_rgb(image: Bytes) -> Bytes:
    """An image of any number of channels as one to look at: `H x W x 3`, the first three channels, or the first as grey."""
    return image if image.shape[2] == RGB else image[..., :RGB] if image.shape[2] > RGB else np.repeat(image[..., :1], RGB, axis=2)


def _of_array(path: Path, array: NDArray[np.generic]) -> Bytes:
    values = array[..., None] if array.ndim == 2 else array
    if values.ndim != 3 or values.dtype not in (np.uint8, np.uint16) or 0 in values.shape:
        shape = " x ".join(map(str, array.shape)) or "a single number"
        raise BadFileError(f"{path}: holds {shape} of {array.dtype}; expected height x width x channels of uint8 or uint16")
    return eight_bits(values)


def _of_image(path: Path, image: Image.Image, channels: int) -> Bytes:
    pages = _grey_pages(image)
    if pages > 1:
        return np.dstack([_grey(ImageOps.exif_transpose(page)) for page in ImageSequence.Iterator(image)])
    if channels > RGB and image.format == "TIFF":
        bands, extra = (image.tag_v2.get(tag) for tag in (_SAMPLES, _EXTRA))  # type: ignore[attr-defined]
        if bands == 4 and extra in _NO_PLAIN_ALPHA:
            return _of_tiff(path)
        if bands > 4:
            raise BadFileError(f"{path}: holds {bands} bands in one page of a TIFF, which cannot be told apart; expected {SENSOR_FORMS}")
    upright = ImageOps.exif_transpose(image)
    if upright.mode in GREY:
        return _grey(upright)
    if channels in (1, RGB):
        return np.atleast_3d(np.asarray(upright.convert("L" if channels == 1 else "RGB"), dtype=np.uint8))
    if upright.mode in ("P", "PA"):
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    return np.atleast_3d(np.asarray(upright, dtype=np.uint8))


def _of_tiff(path: Path) -> Bytes:
    """A TIFF whose fourth band is unspecified or associated alpha, as it lies there: Pillow leaves it out, or divides by it."""
    values = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.ndim != 3 or values.dtype not in (np.uint8, np.uint16):
        raise BadFileError(f"{path}: a TIFF that cannot be read band by band; expected a whole file, {SENSOR_FORMS}")
    return eight_bits(values[..., [2, 1, 0, 3]])  # OpenCV gives blue, green, red


def _grey_pages(image: Image.Image) -> int:
    """Pages of a TIFF in which all are grey and of one size, so that each is a band; 1 for any other file."""
    if image.format != "TIFF" or getattr(image, "n_frames", 1) == 1:
        return 1
    kinds = [(page.mode in GREY, page.size) for page in ImageSequence.Iterator(image)]
    image.seek(0)
    return len(kinds) if set(kinds) == {(True, kinds[0][1])} else 1


def _grey(image: Image.Image) -> Bytes:
    """A grey page as `H x W x 1`."""
    values = np.asarray(image if image.mode in DEEP else image.convert("L"))
    return eight_bits(values[..., None])


def eight_bits(values: NDArray[np.generic]) -> Bytes:
    """Values of any depth as 0 to 255: 16-bit values keep their upper byte, deeper ones are stretched to their own range."""
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    deep = values.astype(np.float64)
    low, high = (0.0, 65535.0) if values.dtype == np.uint16 else (float(deep.min()), float(deep.max()))
    return np.clip((deep - low) / max(high - low, 1e-12) * 255, 0, 255).astype(np.uint8)


def _counted(channels: int) -> str:
    return "1 channel (grey)" if channels == 1 else f"{channels} channels"
