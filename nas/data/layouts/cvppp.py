"""CVPPP 2017 leaf segmentation challenge (Minervini et al., "Finely-grained annotated datasets for image-based plant phenotyping", 2016).

`CVPPP2017_LSC_training/training/{A1,A2,A3,A4}/plantNNN_{rgb,label,fg,centers}.png`, with or without `training/`. Labels number the leaves;
any leaf is foreground. The frames are time-lapse: neighbours show one plant hours apart, and a split that parts them measures memory. So
consecutive plants that look alike stay together.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from nas.data.bands import read_image
from nas.data.dataset import SPLITS, FileDataSet, Item
from nas.data.images import BadFileError, Bytes, read_values
from nas.data.layout import Layout
from nas.data.layouts.listing import deal, pair_up
from nas.data.similarity import NEAR_COPY, distance, image_hash
from nas.data.split import split_names, split_words

PLACES = (".", "training", "CVPPP2017_LSC_training", "CVPPP2017_LSC_training/training")
NAME = "CVPPP2017_LSC"
IMAGE, LABEL = "_rgb", "_label"

MOST_SHARE = 0.1
LEAST_CAP = 4
"""A run of frames is cut where it holds more than this share of all images (and this many): a chain of likeness through a whole
folder would leave nothing to split. Only the two frames at a cut may then have a near-copy on the other side."""


@final
@dataclass(frozen=True)
class Cvppp(FileDataSet):
    """A folder in the challenge's layout; classes are background and plant."""

    def read_mask_file(self, path: Path) -> Bytes:
        """See `FileDataSet.read_mask_file`."""
        return (read_values(path)[0] > 0).astype(np.uint8)


def recognise(path: Path) -> bool:
    """Whether `path` holds `A1/plant*_label.png` or the like, maybe within the archive's folders."""
    return _root(path) is not None


def open_cvppp(path: Path, split_seed: int = 0) -> Cvppp:
    """Opens a folder in the challenge's layout; reads the images, to see which are alike.

    Args:
        path: The folder that holds `A1` to `A4`, or one above it.
        split_seed: Seed of the split of groups by hash.

    Returns:
        The set; groups of consecutive plants that look alike are in one split.
    """
    root = _root(path) or path
    problems: list[str] = []
    items: dict[str, Item] = {}
    for folder in _parts(root):
        images, labels = (_numbered(folder, ending) for ending in (IMAGE, LABEL))
        items |= {item.name: item for item in pair_up(images, labels, f"{folder.name}/", problems)}
    groups = _groups(items)
    parts = split_names(tuple(groups), split_seed)
    return Cvppp(
        name=NAME,
        classes=("background", "plant"),
        splits=deal(items, SPLITS, [[name for first in part for name in groups[first]] for part in parts]),
        split_source=f"{len(groups)} groups of consecutive frames that look alike; {split_words(split_seed)} of the groups",
        layout=LAYOUT.name,
        location=str(path.resolve()),
        problems=tuple(problems),
    )


def _groups(items: Mapping[str, Item]) -> dict[str, tuple[str, ...]]:
    """Names of items that stay together, by the first of them."""
    names = sorted(items)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        hashes = dict(zip(names, pool.map(lambda name: _hash(items[name]), names), strict=True))
    most = max(LEAST_CAP, round(MOST_SHARE * len(names)))
    groups: list[list[str]] = []
    for name in names:
        if groups and len(groups[-1]) < most and _alike(groups[-1], name, hashes):
            groups[-1].append(name)
        else:
            groups.append([name])
    return {group[0]: tuple(group) for group in groups}


def _alike(group: Sequence[str], name: str, hashes: Mapping[str, int | None]) -> bool:
    """Whether a frame is of the group's folder and like its last frame."""
    last, new = hashes[group[-1]], hashes[name]
    if group[-1].partition("/")[0] != name.partition("/")[0]:
        return False
    return last is not None and new is not None and distance(last, new) <= NEAR_COPY


def _hash(item: Item) -> int | None:
    """An image's hash; none of a broken image, which `check_data` reports."""
    try:
        return image_hash(read_image(item.image)) if item.image else None
    except BadFileError:
        return None


def _numbered(folder: Path, ending: str) -> dict[str, Path]:
    """The files `plantNNN<ending>.png` by plant."""
    return {file.stem.removesuffix(ending): file for file in sorted(folder.glob(f"plant*{ending}.png"))}


def _parts(root: Path) -> list[Path]:
    return sorted(folder for folder in root.glob("A[0-9]") if folder.is_dir())


def _root(path: Path) -> Path | None:
    roots = (path / place for place in PLACES)
    return next((root for root in roots if any(any(folder.glob(f"plant*{LABEL}.png")) for folder in _parts(root))), None)


LAYOUT = Layout("cvppp", "CVPPP2017_LSC_training/training/A1/plantNNN_rgb.png and plantNNN_label.png", recognise, open_cvppp)
