"""What every data layout promises.

It is recognised by looking, and by no more particular layout; its splits are disjoint and the same whatever order a disk lists files in;
its items are images and masks of equal size; its fingerprint follows the content and not the place; nothing is written into the folder.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from nas.data import LAYOUTS, VOID, DataSet, Item, check_data, open_data

ODD_PLACE = "an odd päth, データ [1]"
"""Spaces, letters of other scripts, and what means something to a glob."""

Change = Callable[[DataSet, Item], None]
Reopen = Callable[..., DataSet]


def change_mask_image(data: DataSet, item: Item) -> None:
    """Turns an item's mask file, an image, upside down within its mode and palette."""
    assert item.mask is not None, f"{item.name} has no mask to change"
    with Image.open(item.mask) as image:
        turned = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    turned.save(item.mask)


def check_layout(
    name: str, folder: Path, scratch: Path, change: Change = change_mask_image, by_name: bool = False, channels: int | None = None
) -> None:
    """Sends a folder in one layout through all promises.

    Args:
        name: The layout's name.
        folder: A whole data set in its form, small; its masks must change when turned upside down.
        scratch: An empty folder for copies.
        change: Changes the mask of one item on disk, where that is no image file.
        by_name: Whether the layout is one that is chosen by name alone.
        channels: Channels that its images are read with; None for three.

    Raises:
        AssertionError: A promise is broken; the message says which.
        UserError: The set does not pass the check of data.
    """
    before = _listing(folder)
    reopen: Reopen = partial(open_data, layout=name if by_name else None, channels=channels)
    data = check_opened(name, folder, by_name, channels=channels)
    check_data(data)
    _check_seeds(folder, reopen)
    _check_order(folder, reopen)
    _check_place(folder, scratch, reopen)
    _check_change(folder, scratch / "changed" / folder.name, change, reopen)
    assert _listing(folder) == before, f"{name}: something was written into {folder}"


def check_opened(name: str, folder: Path, by_name: bool = False, most: int | None = None, channels: int | None = None) -> DataSet:
    """Opens a folder and looks at its splits and items.

    Args:
        name: The layout's name.
        folder: A data set in its form.
        by_name: Whether the layout is one that is chosen by name alone.
        most: Items of each split that are read; all without it.
        channels: Channels that its images are read with; None for three.

    Returns:
        The set.

    Raises:
        AssertionError: A promise is broken; the message says which.
    """
    before = _listing(folder)
    found = [layout.name for layout in LAYOUTS if layout.recognise(folder)]
    assert name in found, f"{name} does not recognise {folder}; {', '.join(found) or 'nothing'} does"
    assert by_name or found[0] == name, f"{name} loses {folder} to {found[0]}, which comes first"
    data = open_data(folder, layout=name, channels=channels)
    looked = data if by_name else open_data(folder, channels=channels)
    assert looked.fingerprint() == data.fingerprint(), f"{name}: named or not, the set must be the same"
    assert data.layout == name, f"{name} opens sets of layout {data.layout!r}"
    assert data.problems == (), f"{name}: a good folder has the problems {data.problems}"
    assert data.num_classes >= 2, f"{name}: classes {data.classes}; at least background and one more are promised"
    assert len(set(data.classes)) == data.num_classes, f"{name}: classes {data.classes}; different names are promised"
    assert all((data.name, data.split_source)), f"{name}: a set has a name and says where its splits come from"
    assert all(data.splits[split] for split in ("train", "val")), f"{name}: train and val must have items"
    names = [item.name for items in data.splits.values() for item in items]
    files = [item.image for items in data.splits.values() for item in items]
    assert len(set(names)) == len(names), f"{name}: names occur twice, in one split or in two"
    assert len(set(files)) == len(files), f"{name}: images occur twice, in one split or in two"
    for items in data.splits.values():
        for item in items[:most]:
            _check_item(data, item)
    assert _listing(folder) == before, f"{name}: something was written into {folder}"
    return data


def _check_item(data: DataSet, item: Item) -> None:
    image, mask = data.read(item)
    where = f"{data.layout}: item {item.name}"
    assert image.dtype == mask.dtype == np.uint8, f"{where}: image {image.dtype}, mask {mask.dtype}; uint8 is promised"
    promised = (*mask.shape, data.channels)
    assert image.shape == promised, f"{where}: image {image.shape}, mask {mask.shape}; H x W x {data.channels} and H x W are promised"
    assert data.mask_size(item) == mask.shape, f"{where}: mask_size says {data.mask_size(item)}, the mask is {mask.shape}"
    strange = sorted(set(np.unique(mask).tolist()) - {*range(data.num_classes), VOID})
    assert not strange, f"{where}: holds the values {strange} with {data.num_classes} classes"


def _check_seeds(folder: Path, reopen: Reopen) -> None:
    first, again = (reopen(folder, split_seed=1) for _ in range(2))
    assert first.splits == again.splits, f"{first.layout}: opened twice, split twice"


def _check_order(folder: Path, reopen: Reopen) -> None:
    straight = reopen(folder)
    with _listed_backwards():
        turned = reopen(folder)
    assert turned.splits == straight.splits, f"{straight.layout}: splits depend on the order in which a disk lists files"
    assert turned.fingerprint() == straight.fingerprint(), f"{straight.layout}: its fingerprint depends on the order of files"


def _check_place(folder: Path, scratch: Path, reopen: Reopen) -> None:
    here = reopen(folder)
    moved = scratch / ODD_PLACE / folder.name
    shutil.copytree(folder, moved, symlinks=True)
    there = reopen(moved)
    assert there.fingerprint() == here.fingerprint(), f"{here.layout}: its fingerprint follows the folder's place"
    check_data(there)


def _check_change(folder: Path, copy: Path, change: Change, reopen: Reopen) -> None:
    shutil.copytree(folder, copy, symlinks=True)
    data = reopen(copy)
    before = data.fingerprint()
    change(data, data.splits["train"][0])
    assert reopen(copy).fingerprint() != before, f"{data.layout}: its fingerprint does not see a changed mask"


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """Every entry below a folder with size and time of change."""
    entries = ((path, path.lstat()) for path in sorted(folder.rglob("*")))
    return [(str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns) for path, stat in entries]


@contextmanager
def _listed_backwards() -> Iterator[None]:
    """Lets the system list folders in reverse alphabetical order."""
    listdir, scandir = os.listdir, os.scandir

    @contextmanager
    def backwards(*arguments: Any) -> Iterator[Iterator[Any]]:
        with scandir(*arguments) as entries:
            yield iter(sorted(entries, key=lambda entry: str(entry.name), reverse=True))

    names = mock.patch.object(os, "listdir", lambda *arguments: sorted(listdir(*arguments), reverse=True))
    with names, mock.patch.object(os, "scandir", backwards):
        yield
