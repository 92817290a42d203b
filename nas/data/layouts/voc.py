"""PASCAL VOC 2012 (Everingham et al., "The Pascal Visual Object Classes Challenge: A Retrospective", IJCV 2015).

`JPEGImages/*.jpg`, `SegmentationClass/*.png`, `ImageSets/Segmentation/{train,val,test}.txt`. Masks are palette images: the index is
the class, 255 the void outline. `SegmentationClassAug/` (Hariharan et al., "Semantic Contours from Inverse Detectors", ICCV 2011)
adds training masks where it is there; validation keeps the official ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from nas.data.dataset import FileDataSet, Item
from nas.data.images import Bytes, read_values
from nas.data.layout import Layout
from nas.data.layouts.listing import listed_splits, read_list

# In the order of the palette.
CLASSES = (
    "background",
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
LISTS = Path("ImageSets/Segmentation")
AUGMENTED = "SegmentationClassAug"
AUGMENTED_LISTS = ("train_aug.txt", "trainaug.txt")


@final
@dataclass(frozen=True)
class Voc(FileDataSet):
    """A folder in PASCAL VOC's layout."""

    def read_mask_file(self, path: Path) -> Bytes:
        """See `FileDataSet.read_mask_file`."""
        return read_values(path)[0]


def recognise(path: Path) -> bool:
    """Whether `path` is `VOC2012`, or holds it, maybe within `VOCdevkit`."""
    return _root(path) is not None


def open_voc(path: Path, split_seed: int = 0) -> Voc:
    """Opens a folder in PASCAL VOC's layout.

    Args:
        path: `VOC2012`, or a folder that holds it.
        split_seed: Seed of the cut by hash where there is no `val.txt`.

    Returns:
        The set, split as the lists say; a test split without masks is left out.
    """
    root = (_root(path) or path).resolve()
    problems: list[str] = []
    folders = [folder for folder in (root / "SegmentationClass", root / AUGMENTED) if folder.is_dir()]
    masks = {folder.name: {file.stem: file for file in sorted(folder.glob("*.png"))} for folder in folders}

    def item(split: str, name: str) -> Item:
        mask = next((masks[folder][name] for folder in _preferred(masks, split) if name in masks[folder]), None)
        return Item(name, root / "JPEGImages" / f"{name}.jpg", mask)

    lists = {split: read_list(root / LISTS / f"{split}.txt", problems) for split in ("train", "val", "test")}
    source = LISTS.as_posix()
    if AUGMENTED in masks:
        more = next((file for name in AUGMENTED_LISTS if (file := root / LISTS / name).is_file()), None)
        if more is not None:
            lists["train"] = read_list(more, problems)
            source += f" ({more.name})"
        source += f", training masks of {AUGMENTED}"
    splits, words = listed_splits(lists, item, source, split_seed)
    return Voc(
        name=root.name,
        classes=CLASSES,
        splits=splits,
        split_source=words,
        layout=LAYOUT.name,
        location=str(root),
        problems=tuple(problems),
        own_split=lists["val"] is not None,
    )


def _preferred(folders: Iterable[str], split: str) -> list[str]:
    """Folders of masks, the one to look in first in front: the added masks for training, the official ones otherwise."""
    return sorted(folders, key=lambda folder: (folder == AUGMENTED) != (split == "train"))


def _root(path: Path) -> Path | None:
    for root in (path, path / "VOC2012", path / "VOCdevkit" / "VOC2012"):
        masks = any((root / folder).is_dir() for folder in ("SegmentationClass", AUGMENTED))
        if masks and (root / "JPEGImages").is_dir() and any((root / LISTS).glob("train*.txt")):
            return root
    return None


LAYOUT = Layout("voc", "VOC2012/ with JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/train.txt", recognise, open_voc)
