"""Kvasir-SEG: 1,000 images of polyps (Jha et al., "Kvasir-SEG: A Segmented Polyp Dataset", MMM 2020).

`images/*.jpg` and `masks/*.jpg` of the same names, with `kavsir_bboxes.json` (spelled so) from the archive, or lists of names from the
authors' code: `Data-split/{train,val,test}.txt`, or these files beside the images. Masks are JPEG, so they hold values between 0 and 255.
"""

from pathlib import Path

from nas.data.dataset import SPLITS, BinaryFileDataSet, Item
from nas.data.images import JPEG_SUFFIXES
from nas.data.layout import Layout
from nas.data.layouts.listing import by_stem, deal, listed_splits, pair_up, read_list
from nas.data.split import split_names, split_words

BOXES = "kavsir_bboxes.json"
LIST_FOLDERS = ("Data-split", ".")


def recognise(path: Path) -> bool:
    """Whether `path` holds `images/` and `masks/` of JPEG files, and lists of names or the archive's file of boxes."""
    jpeg = all(any(file.suffix.lower() in JPEG_SUFFIXES for file in (path / folder).glob("*")) for folder in ("images", "masks"))
    return jpeg and (_lists(path) is not None or (path / BOXES).is_file())


def open_kvasir(path: Path, split_seed: int = 0) -> BinaryFileDataSet:
    """Opens a folder in Kvasir-SEG's layout.

    Args:
        path: The folder that holds `images/` and `masks/`.
        split_seed: Seed of the split by hash, where there are no lists.

    Returns:
        The set, split as the lists say. A test list that repeats the validation list is left out, and images in no list are too.
    """
    problems: list[str] = []
    images, masks = (by_stem(path / folder, JPEG_SUFFIXES, problems) for folder in ("images", "masks"))
    items = {item.name: item for item in pair_up(images, masks, "", problems)}
    folder = _lists(path)
    lists = {} if folder is None else {split: read_list(folder / f"{split}.txt", problems) for split in SPLITS}
    if folder is None:
        splits, source = deal(items, SPLITS, split_names(tuple(items), split_seed)), split_words(split_seed)
    else:
        missing = path / "images"
        splits, source = listed_splits(
            lists,
            lambda split, name: items.get(name) or Item(name, missing / f"{name}.jpg", masks.get(name)),
            f"lists of {folder.name}",
            split_seed,
        )
        if unlisted := len(set(items).difference(*(names or () for names in lists.values()))):
            source += f"; {unlisted} images are in no list and left out"
    return BinaryFileDataSet(
        name=path.resolve().name,
        classes=("background", "polyp"),
        splits=splits,
        split_source=source,
        layout=LAYOUT.name,
        location=str(path.resolve()),
        problems=tuple(problems),
        own_split=lists.get("val") is not None,
        own_test=folder is not None,
    )


def _lists(path: Path) -> Path | None:
    """The folder that holds the lists of names."""
    return next((path / folder for folder in LIST_FOLDERS if (path / folder / "train.txt").is_file()), None)


LAYOUT = Layout("kvasir", "images/*.jpg, masks/*.jpg and Data-split/{train,val,test}.txt or kavsir_bboxes.json", recognise, open_kvasir)
