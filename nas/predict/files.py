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


def find_images(given: Sequence[str], out: Path) -> list[tuple[Path, Path]]:
    """The images that a command line means.

    Args:
        given: Files, folders (looked through to the bottom), and patterns such as `photos/*.jpg`.
        out: Folder for the masks; where it lies within a folder that is looked through, what it holds is of an earlier run and left out.

    Returns:
        Each image with the name of its mask's file, without suffix: relative to the folder that was given, so that two images of one name
        in two folders stay apart; sorted, each once.

    Raises:
        UserError: One of them means nothing, two images would have one mask, or masks would get between the images.
    """
    found: dict[Path, Path] = {}
    for text in given:
        inside = _meant(Path(text).expanduser(), out.resolve())
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
    folders = {one.parent: one.name for one in found}
    for folder in ((out / name).parent for name in named):
        if (image := folders.get(folder.resolve())) is not None:
            raise UserError(f"{folder} is the folder of {image}: masks would get between the images, give another --out")
    return sorted(found.items())


def _meant(path: Path, out: Path) -> list[tuple[Path, Path]]:
    """Paths, and their names, that a file, folder or pattern stands for; those in `out` are not where it is a folder further in."""
    if path.is_file():
        return [(path, Path(path.name))]
    if path.is_dir():
        top, inside = path, [(one, one.relative_to(path)) for one in path.rglob("*")]
    else:
        top = next(folder for folder in path.parents if not glob.has_magic(str(folder)))
        # pathlib's own takes no absolute patterns.
        inside = [(Path(one), Path(Path(one).name)) for one in glob.glob(str(path), recursive=True)]  # noqa: PTH207
    if top.resolve() not in out.parents:
        return inside
    return [(one, name) for one, name in inside if not one.resolve().is_relative_to(out)]


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
