"""Opening one file, and turning whatever goes wrong on the way into one error that names it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from nas.errors import UserError

Bytes = NDArray[np.uint8]
_T = TypeVar("_T")

SENSOR_FORMS = "a NumPy file (.npy, height x width x channels), or a TIFF of one grey page a band"
"""What any number of bands can be saved as."""


class BadFileError(UserError):
    """A file that is missing, broken or not what it should be."""


def with_image(path: Path, use: Callable[[Image.Image], _T]) -> _T:
    """What `use` makes of an image file, opened with Pillow.

    Raises:
        BadFileError: If the file cannot be read.
    """

    def opened() -> _T:
        with Image.open(path) as image:
            return use(image)

    try:
        return _in_words(path, opened, "a whole image file")
    except BadFileError as error:
        if isinstance(error.__cause__, UnidentifiedImageError) and _begins_as_tiff(path):
            raise BadFileError(f"{path}: a TIFF whose bands Pillow cannot read; expected grey or RGB, or {SENSOR_FORMS}") from error
        raise


def with_array(path: Path, use: Callable[[NDArray[np.generic]], _T]) -> _T:
    """What `use` makes of the array of a NumPy file, which is mapped and not yet read.

    Raises:
        BadFileError: If the file cannot be read.
    """
    return _in_words(path, lambda: use(np.load(path, mmap_mode="r", allow_pickle=False)), "a whole NumPy file (.npy)")


def _begins_as_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*") and path.stat().st_size > 512


def _in_words(path: Path, use: Callable[[], _T], expected: str) -> _T:
    try:
        return use()
    except BadFileError:
        raise
    except FileNotFoundError as error:
        raise BadFileError(f"{path}: no such file") from error
    # Pillow's readers of broken files raise nearly anything: OSError, SyntaxError, ValueError, struct.error, IndexError, ...
    except Exception as error:
        empty = path.is_file() and path.stat().st_size == 0
        reason = "the file is empty" if empty else f"cannot be read ({type(error).__name__}: {error})"
        raise BadFileError(f"{path}: {reason}; expected {expected}") from error
