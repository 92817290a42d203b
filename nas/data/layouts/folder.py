"""The generic layout: folders `images` and `masks`, with or without `train`, `val` and `test` above them.

Images and masks match by stem (`a.jpg` and `a.png`, or `a_mask.png`), in subfolders too; an image may also be a
NumPy file, `H x W x C`. Masks hold a class index per pixel, 255 is
void. Two forms of binary masks are understood beside it: JPEG masks and bitmaps, and sets in which every mask holds 0 and 255
alone, where 255 is the foreground. `classes.txt` in the root may name the classes, one per line, background first; without it the
largest index in the masks counts them.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from nas.data.dataset import SPLITS, VOID, Counts, FileDataSet, Item, class_names, share_of
from nas.data.images import ARRAY_SUFFIX, IMAGE_SUFFIXES, JPEG_SUFFIXES, MASK_SUFFIXES, BadFileError, Bytes, read_values
from nas.data.layout import Layout
from nas.data.layouts.listing import TRAIN_VAL, by_stem, deal
from nas.data.split import split_names, split_words

VAL_NAMES = ("val", "valid", "validation")
MOST_UNNAMED = 64
"""More classes than this must be named: a grey or antialiased mask would otherwise pass for one of 255 classes."""


@final
@dataclass(frozen=True)
class Folder(FileDataSet):
    """A folder in the generic layout."""

    binary: bool = False
    """Whether 255 is the foreground in every mask, rather than void."""

    counted: Mapping[Path, Counts] = field(default_factory=dict, repr=False, compare=False)
    """How often each of the 256 values occurs in a mask, of those that were read to count the classes."""

    def foreground_share(self, item: Item) -> float:
        """See `DataSet.foreground_share`; a mask that was counted while opening is not read again."""
        counts = None if item.mask is None else self.counted.get(item.mask)
        if counts is None:
            return super().foreground_share(item)
        return share_of(counts[[0, VOID]] if self.binary else counts[:VOID])

    def read_mask_file(self, path: Path) -> Bytes:
        """See `FileDataSet.read_mask_file`."""
        values, bits = read_values(path)
        if self.binary and not bits:
            return np.asarray(values == VOID, dtype=np.uint8)
        return values


def recognise(path: Path) -> bool:
    """Whether `path` holds `images/` and `masks/`, or `train/images/` and `train/masks/`."""
    return any((root / "images").is_dir() and (root / "masks").is_dir() for root in (path, path / "train"))


def open_folder(path: Path, split_seed: int = 0) -> Folder:
    """Opens a folder in the generic layout.

    Args:
        path: The folder that holds `images/` and `masks/`, or `train/` and maybe `val/` and `test/` with these inside.
        split_seed: Seed of the split by hash, where folders do not give one.

    Returns:
        The set; a `test` folder without masks is left out, since nothing can be measured on it.
    """
    problems: list[str] = []
    official = (path / "train" / "images").is_dir()
    validation = next((name for name in VAL_NAMES if (path / name / "images").is_dir()), None)
    if official:
        splits, source = _official(path, validation, split_seed, problems)
    else:
        items = _pairs(path, "", problems)
        splits, source = deal(items, SPLITS, split_names(tuple(items), split_seed)), split_words(split_seed)
    declared = _declared(path, problems)
    masks = [item.mask for split in SPLITS for item in splits[split] if item.mask is not None]
    count, binary, counted = _scan(masks, declared, problems)
    return Folder(
        name=path.resolve().name,
        classes=declared or class_names(count),
        splits=splits,
        split_source=source,
        layout=LAYOUT.name,
        location=str(path.resolve()),
        problems=tuple(problems),
        own_split=official and validation is not None,
        own_test=official,
        binary=binary,
        counted=counted,
    )


def _official(path: Path, val: str | None, seed: int, problems: list[str]) -> tuple[dict[str, tuple[Item, ...]], str]:
    """The splits that the folders give; validation is cut off training where there is no folder for it."""
    train = _pairs(path / "train", "train/", problems)
    tested = (path / "test" / "images").is_dir() and (path / "test" / "masks").is_dir()
    test = tuple(_pairs(path / "test", "test/", problems).values()) if tested else ()
    if val:
        return {"train": tuple(train.values()), "val": tuple(_pairs(path / val, f"{val}/", problems).values()), "test": test}, "folders"
    parts = split_names(tuple(train), seed, TRAIN_VAL)
    return {**deal(train, ("train", "val"), parts), "test": test}, f"folders; train and val: {split_words(seed, TRAIN_VAL)}"


def _pairs(root: Path, prefix: str, problems: list[str]) -> dict[str, Item]:
    """Items by name: each image below `root/images` with its mask below `root/masks`."""
    images, masks = by_stem(root / "images", IMAGE_SUFFIXES | {ARRAY_SUFFIX}, problems), by_stem(root / "masks", MASK_SUFFIXES, problems)
    found = {stem: masks.get(stem) or masks.get(f"{stem}_mask") for stem in images}
    used = set(found.values())
    problems += [f"{mask}: a mask without image; expected {root / 'images' / stem}.*" for stem, mask in masks.items() if mask not in used]
    return {prefix + stem: Item(prefix + stem, image, found[stem]) for stem, image in images.items()}


def _declared(path: Path, problems: list[str]) -> tuple[str, ...]:
    """The names in `classes.txt`; none where there is no such file."""
    file = path / "classes.txt"
    if not file.is_file():
        return ()
    names = tuple(line.strip() for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines() if line.strip())
    if len(names) < 2 or len(set(names)) < len(names):
        problems.append(f"{file}: holds {', '.join(names) or 'nothing'}; expected two or more different names, background first")
    return names


def _scan(masks: Sequence[Path], declared: tuple[str, ...], problems: list[str]) -> tuple[int, bool, dict[Path, Counts]]:
    """Number of classes in the masks, whether they are binary with 255 for foreground, and how often each value occurs in those read."""
    with ThreadPoolExecutor(8) as pool:
        looks = list(pool.map(_values, masks))
    bits = any(is_bits for _, is_bits in looks)
    counted = {mask: counts for mask, (counts, is_bits) in zip(masks, looks, strict=True) if not is_bits}
    flags: NDArray[np.bool_] = np.array([counts > 0 for counts in counted.values()], dtype=bool).reshape(-1, 256)
    seen = np.asarray(flags.any(axis=0))
    binary = bool(seen[VOID]) and not seen[1:VOID].any() and len(declared) in (0, 2)
    count = 2 if binary or bits else 1
    indices = np.flatnonzero(seen[:VOID])
    if len(indices):
        count = max(count, int(indices[-1]) + 1)
    whole = flags[:, VOID]
    if count == 2 and not binary and whole.any() and not (whole & flags[:, 1]).any():
        problems.append(
            f"{whole.sum()} masks hold 255 and no 1, {flags[:, 1].sum()} hold 1 and no 255; expected one form of binary mask for all: "
            "0 and 1, or 0 and 255"
        )
    if count > MOST_UNNAMED and not declared:
        problems.append(
            f"the masks hold {len(indices)} different values between {indices[0]} and {indices[-1]}; expected class indices 0, 1, 2, ... "
            f"(binary masks: only 0 and 255). If there really are {count} classes, name them in classes.txt"
        )
    return count, binary, counted


def _values(path: Path) -> tuple[Counts, bool]:
    """How often each of the 256 values occurs in a mask, and whether its format makes it binary; a broken mask holds none."""
    if path.suffix.lower() in JPEG_SUFFIXES:
        return np.zeros(256, dtype=np.int64), True
    try:
        values, bits = read_values(path)
    except BadFileError:
        return np.zeros(256, dtype=np.int64), False
    return np.bincount(values.ravel(), minlength=256), bits


LAYOUT = Layout("folder", "{train,val,test}/images and .../masks, or images/ and masks/ alone", recognise, open_folder)
