"""Reading image and mask files as arrays.

Pillow rather than OpenCV: it keeps the palette index of a mask (OpenCV would give colours) and says what is wrong with a file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from nas.errors import UserError

Bytes = NDArray[np.uint8]
_T = TypeVar("_T")

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
MASK_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})

JPEG_THRESHOLD = 127
"""JPEG blurs a mask's edges; values above this are foreground."""

_EXIF_ORIENTATION = 0x0112


class BadFileError(UserError):
    """A file that is missing, broken or not what it should be."""


def read_image(path: Path) -> Bytes:
    """An image file as `H x W x 3` RGB, turned upright as its EXIF entry says; grey is spread, transparency dropped.

    Raises:
        BadFileError: If the file cannot be read.
    """

    def decode(image: Image.Image) -> Bytes:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16") or upright.mode in ("I", "F"):
            return _spread(np.asarray(upright))
        return np.asarray(upright.convert("RGB"), dtype=np.uint8)

    return _with_image(path, decode)


def read_size(path: Path) -> tuple[int, int]:
    """Height and width of an image file, upright, from its header (a PNG is read whole: its EXIF entry may come last).

    Raises:
        BadFileError: If the header cannot be read.
    """

    def measure(image: Image.Image) -> tuple[int, int]:
        sideways = image.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
        return (image.width, image.height) if sideways else (image.height, image.width)

    return _with_image(path, measure)


def read_values(path: Path) -> tuple[Bytes, bool]:
    """The values of a mask file.

    Args:
        path: A PNG, BMP or TIFF of indices (grey values or palette indices), a bitmap, or a JPEG.

    Returns:
        The mask (`H x W`), and whether it is binary by its format: a bitmap, or a JPEG cut at `JPEG_THRESHOLD`, whose values are
        then 0 and 1. Of any other file they are what the file holds.

    Raises:
        BadFileError: If the file cannot be read or holds no indices.
    """

    def decode(image: Image.Image) -> tuple[Bytes, bool]:
        upright = ImageOps.exif_transpose(image)
        if path.suffix.lower() in JPEG_SUFFIXES:
            return (np.asarray(upright.convert("L")) > JPEG_THRESHOLD).astype(np.uint8), True
        if upright.mode == "1":
            return np.asarray(upright).astype(np.uint8), True
        return _indices(path, upright), False

    return _with_image(path, decode)


def read_binary(path: Path) -> Bytes:
    """A binary mask file as 0 and 1: foreground is what lies above `JPEG_THRESHOLD`, or is 1 where no value is higher.

    Raises:
        BadFileError: If the file cannot be read or holds colours.
    """
    values, bits = read_values(path)
    if bits or values.size == 0 or values.max() <= 1:
        return values
    return (values > JPEG_THRESHOLD).astype(np.uint8)


def _indices(path: Path, image: Image.Image) -> Bytes:
    """The class indices of a mask that is neither JPEG nor bitmap."""
    if image.mode in ("RGB", "RGBA", "LA", "PA"):
        channels = np.asarray(image.convert("RGBA" if image.mode == "PA" else image.mode))
        colours = channels[..., : 1 if image.mode == "LA" else 3]
        if (colours != colours[..., :1]).any():
            raise BadFileError(f"{path}: the mask holds colours; expected one class index per pixel (a grey or palette PNG)")
        return np.ascontiguousarray(colours[..., 0])
    values = np.asarray(image)
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.integer):
        raise BadFileError(f"{path}: the mask is of Pillow mode {image.mode}; expected one class index per pixel (a grey or palette PNG)")
    if values.size and (values.min() < 0 or values.max() > 255):
        raise BadFileError(f"{path}: mask values {values.min()} to {values.max()}; expected class indices 0 to 254, and 255 for void")
    return values.astype(np.uint8)


def _spread(values: NDArray[np.generic]) -> Bytes:
    """Grey values of more than 8 bits as RGB: 16-bit values keep their upper byte, others are stretched to their own range."""
    deep = values.astype(np.float64)
    low, high = (0.0, 65535.0) if values.dtype == np.uint16 else (float(deep.min()), float(deep.max()))
    grey = np.clip((deep - low) / max(high - low, 1e-12) * 255, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _with_image(path: Path, use: Callable[[Image.Image], _T]) -> _T:
    """Opens a file, hands it to `use`, and turns whatever goes wrong on the way into one `BadFileError` that names the file."""
    try:
        with Image.open(path) as image:
            return use(image)
    except BadFileError:
        raise
    except FileNotFoundError as error:
        raise BadFileError(f"{path}: no such file") from error
    # Pillow's readers of broken files raise nearly anything: OSError, SyntaxError, ValueError, struct.error, IndexError, ...
    except Exception as error:
        empty = path.is_file() and path.stat().st_size == 0
        reason = "the file is empty" if empty else f"cannot be read ({type(error).__name__}: {error})"
        raise BadFileError(f"{path}: {reason}; expected a whole image file") from error
