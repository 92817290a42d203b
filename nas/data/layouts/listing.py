"""What layouts share: files by name, lists of names, and splits that come from either."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from nas.data.dataset import SPLITS, Item
from nas.data.images import IMAGE_SUFFIXES
from nas.data.split import split_names, split_words

TRAIN_VAL = (0.75, 0.25)
"""Shares of train and val where a folder brings training and test images only."""

NO_TEST = "no test split, so nothing is left to judge what validation has chosen"

Splits = dict[str, tuple[Item, ...]]


def by_stem(folder: Path, suffixes: Iterable[str], problems: list[str]) -> dict[str, Path]:
    """The files below a folder by their relative name without suffix; hidden files are left out."""
    files: dict[str, Path] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() not in suffixes or file.name.startswith("."):
            continue
        if not file.is_file():
            if file.is_symlink():
                problems.append(f"{file}: a link that leads to no file; expected an image file")
            continue
        stem = file.relative_to(folder).with_suffix("").as_posix()
        if stem in files:
            problems.append(f"{file}: has the same name as {files[stem].name}; expected one file of each name")
        files.setdefault(stem, file)
    return files


def pair_up(images: Mapping[str, Path], masks: Mapping[str, Path], prefix: str, problems: list[str]) -> tuple[Item, ...]:
    """Items of images and masks of the same name; a mask without image is a problem, an image without mask is for `check_data`."""
    problems += [f"{file}: a mask without image; expected an image named {stem}" for stem, file in masks.items() if stem not in images]
    return tuple(Item(prefix + stem, image, masks.get(stem)) for stem, image in images.items())


def read_list(file: Path, problems: list[str]) -> tuple[str, ...] | None:
    """The names in a list of one name a line, without image suffixes; None where there is no such file."""
    if not file.is_file():
        return None
    lines = (line.strip() for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines())
    names = [line[: -len(Path(line).suffix)] if Path(line).suffix.lower() in IMAGE_SUFFIXES else line for line in lines if line]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        problems.append(f"{file}: lists {', '.join(twice[:3])} more than once; expected each name once")
    return tuple(dict.fromkeys(names))


def listed_splits(
    lists: Mapping[str, Sequence[str] | None], item: Callable[[str, str], Item], source: str, seed: int
) -> tuple[Splits, str]:
    """Splits that lists of names give.

    Args:
        lists: Names by split; None where a split has no list.
        item: Makes the item of a split and a name.
        source: Where the lists lie, in words.
        seed: Seed of the cut where validation has no list.

    Returns:
        The splits, and in words where they come from. A test split that holds the validation images or that has no masks at all is
        left out; a name of two lists is taken for test rather than for val, and for either rather than for train.
    """
    train, val, test = (lists.get(split) for split in SPLITS)
    notes = [NO_TEST] if test is None else []
    if test and set(test) == set(val or ()):
        test, notes = None, [f"the test list names the validation images, so it is left out: {NO_TEST}"]
    made = {split: tuple(item(split, name) for name in names) for split, names in zip(SPLITS, (train, val, test), strict=True) if names}
    if made.get("test") and all(one.mask is None for one in made["test"]):
        del made["test"]
        notes = [f"the test list has no masks and is left out: {NO_TEST}"]
    notes += _part_ways(made)
    splits, words = cut_validation(made, source, seed) if val is None else (made, source)
    return {split: splits.get(split, ()) for split in SPLITS}, "; ".join([words, *notes])


def _part_ways(splits: Splits) -> list[str]:
    """Takes items out of a split that another one lists too, and says so: published lists do overlap, and that would be a leak."""
    notes = []
    for first, second in (("train", "val"), ("train", "test"), ("val", "test")):
        both = {item.name for item in splits.get(first, ())} & {item.name for item in splits.get(second, ())}
        if both:
            splits[first] = tuple(item for item in splits[first] if item.name not in both)
            notes.append(f"{len(both)} images listed for {first} and {second} are in {second} alone")
    return notes


def cut_validation(splits: Mapping[str, tuple[Item, ...]], source: str, seed: int) -> tuple[Splits, str]:
    """Cuts validation off training by hash, and says so after `source`."""
    train = {item.name: item for item in splits.get("train", ())}
    parts = deal(train, ("train", "val"), split_names(tuple(train), seed, TRAIN_VAL))
    return {**parts, "test": splits.get("test", ())}, f"{source}; train and val: {split_words(seed, TRAIN_VAL)}"


def deal(items: Mapping[str, Item], splits: Sequence[str], parts: Sequence[Sequence[str]]) -> Splits:
    """The items of each split, named by its part."""
    return {split: tuple(items[name] for name in part) for split, part in zip(splits, parts, strict=True)}
