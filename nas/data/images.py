"""Reading mask files as arrays, and the sizes of image files; `bands.py` reads images.

Pillow rather than OpenCV: it keeps the palette index of a mask (OpenCV would give colours) and says what is wrong with a file.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from nas.data.image_file import BadFileError as BadFileError
from nas.data.image_file import Bytes as Bytes
from nas.data.image_file import with_array, with_image

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
MASK_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})
JPEG_SUFFIXES = frozenset({".jpg", ".jpeg"})
ARRAY_SUFFIX = ".npy"

JPEG_THRESHOLD = 127
"""JPEG blurs a mask's edges; values above this are foreground."""

_EXIF_ORIENTATION = 0x0112


def read_size(path: Path) -> tuple[int, int]:
    """Height and width of an image file, upright, from its header (a PNG is read whole: its EXIF entry may come last).

    Raises:
        BadFileError: If the header cannot be read.
    """

    def measure(image: Image.Image) -> tuple[int, int]:
        sideways = image.getexif().get(_EXIF_ORIENTATION, 1) in (5, 6, 7, 8)
        return (image.width, image.height) if sideways else (image.height, image.width)

    if path.suffix.lower() == ARRAY_SUFFIX:
        height, width, *_ = with_array(path, np.shape)
        return height, width
    return with_image(path, measure)


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

    return with_image(path, decode)


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
