"""The folder that shows where a network is wrong: overlays of the worst images, and which kinds of mistakes dominate."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from nas.data import DataSet, Item
from nas.data.bands import as_rgb
from nas.data.images import Bytes
from nas.evaluate.figures import worst_first
from nas.evaluate.mistakes import Mistakes, overlay
from nas.evaluate.tally import Tally
from nas.files import write_json, write_text

TABLE = "errors.md"
RECORD = "errors.json"

OVERLAYS = "overlays"
"""Entry of the record: names of the files that this run drew, which the next one removes."""


def write_errors(
    folder: Path, data: DataSet, items: Sequence[Item], counted: Tally, mistakes: Mistakes, answer: Callable[[Bytes], Bytes], worst: int
) -> None:
    """Draws the worst images with what was right, missed and false; the overlays of an earlier run go, other files stay.

    Args:
        folder: For the files; made where it is missing.
        data: The set.
        items: Those that were measured.
        counted: What was counted of them.
        mistakes: Kinds of wrong pixels.
        answer: Gives the class of every pixel of an image.
        worst: Most overlays.

    Raises:
        UserError: A file of the data cannot be read.
    """
    chosen = [items[index] for index in worst_first(counted)[:worst]]
    names = [f"{rank:02}-{item.name.replace('/', '-')}.png" for rank, item in enumerate(chosen, start=1)]
    for name in _drawn_before(folder):
        (folder / name).unlink(missing_ok=True)
    # Before anything is drawn, so that what a kill leaves is known and goes with the next run.
    write_json(folder / RECORD, {**mistakes.to_dict(), OVERLAYS: names})
    for name, item in zip(names, chosen, strict=True):
        image, mask = data.read(item)
        Image.fromarray(overlay(as_rgb(image), mask, answer(image))).save(folder / name)
    write_text(folder / TABLE, mistakes.table() + "\n")


def _drawn_before(folder: Path) -> list[str]:
    """Names of the overlays that an earlier run drew; none where its record is not to be had, or is somebody else's file."""
    try:
        names = list(json.loads((folder / RECORD).read_text(encoding="utf-8"))[OVERLAYS])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if isinstance(name, str) and name.endswith(".png") and Path(name).name == name]
