"""Which images are meant, and the files that answers go into."""

import glob
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas.data.contact_sheet import class_colour, overlaid
from nas.data.images import ARRAY_SUFFIX, IMAGE_SUFFIXES, Bytes
from nas.errors import UserError
from nas.files import write_bytes

SUFFIXES = IMAGE_SUFFIXES | {ARRAY_SUFFIX}


def find_images(given: Sequence[str]) -> list[tuple[Path, Path]]:
    """The images that a command line means.

    Args:
        given: Files, folders (looked through to the bottom), and patterns such as `photos/*.jpg`.

    Returns:
        Each image with the name of its mask's file, without suffix: relative to the folder that was given, so that two images of one name
        in two folders stay apart; sorted, each once.

    Raises:
        UserError: One of them means nothing, or two images would have one mask.
    """
    found: dict[Path, Path] = {}
    for text in given:
        path = Path(text).expanduser()
        if path.is_dir():
            inside = [(one, one.relative_to(path)) for one in path.rglob("*")]
        elif path.is_file():
            inside = [(path, Path(path.name))]
        else:
            # pathlib's own takes no absolute patterns.
            inside = [(Path(one), Path(Path(one).name)) for one in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        images = [(one, name) for one, name in inside if one.is_file() and one.suffix.lower() in SUFFIXES]
        if not images:
            raise UserError(f"{text} means no image: give files, folders or patterns of {', '.join(sorted(SUFFIXES))}")
        for one, name in images:
            found.setdefault(one.resolve(), name.with_suffix(""))
    named: dict[Path, Path] = {}
    for one, name in found.items():
        if name in named:
            raise UserError(f"{one} and {named[name]} would both be written as {name}.png: predict them into two folders")
        named[name] = one
    return sorted(found.items())


def write_mask(path: Path, classes: Bytes) -> None:
    """Writes a mask as a PNG of palette indices, one a class, in the colours of the overlays.

    Args:
        path: Of the file.
        classes: `H x W`, class index.
    """
    image = Image.fromarray(classes, "P")
    image.putpalette([value for label in range(256) for value in ((0, 0, 0) if label == 0 else class_colour(label))])
    _write(path, image)


def write_overlay(path: Path, image: Bytes, classes: Bytes) -> None:
    """Writes an image with its mask over it as a PNG.

    Args:
        path: Of the file.
        image: `H x W x 3`.
        classes: `H x W`, class index.
    """
    _write(path, Image.fromarray(overlaid(image, classes, (image.shape[0], image.shape[1]))))


def write_probabilities(path: Path, probability: NDArray[np.float32]) -> None:
    """Writes probabilities as a NumPy file.

    Args:
        path: Of the file.
        probability: `classes x H x W`; kept as float16.
    """
    stream = io.BytesIO()
    np.save(stream, probability.astype(np.float16))
    write_bytes(path, stream.getvalue())


def _write(path: Path, image: Image.Image) -> None:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    write_bytes(path, stream.getvalue())
