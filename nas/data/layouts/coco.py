"""COCO's instance annotations (Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014), CarDD's main form among them.

`annotations/instances_{train,val,test}2017.json` beside `{train,val,test}2017/`, the year being free and optional. Instances overlap, so
the order in which they are drawn decides: crowds first, as void; then by area, the largest first, so that small ones stay visible; then
by id. Classes are the categories in order of their ids; `coco-binary` makes one of them all.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import final

from nas.data.dataset import SPLITS, FileDataSet, Item
from nas.data.images import BadFileError, Bytes
from nas.data.layout import Layout
from nas.data.layouts.coco_json import Annotated, Part, annotation_files, read_part
from nas.data.layouts.coco_shapes import draw_shapes
from nas.data.layouts.listing import NO_TEST, cut_validation

PLACES = (".", "CarDD_COCO", "CarDD_release/CarDD_COCO", "CarDD_release/CarDD_release/CarDD_COCO")
MERGED = "object"
"""Name of the foreground where all categories are one, unless there is one category only."""

MOST_CLASSES = 254


@final
@dataclass(frozen=True)
class Coco(FileDataSet):
    """A folder in COCO's layout."""

    annotated: Mapping[str, Annotated] = field(default_factory=dict)
    """What is drawn for each item, by its name."""

    def read_mask(self, item: Item) -> Bytes:
        """See `DataSet.read_mask`."""
        found = self.annotated[item.name]
        return draw_shapes(found.shapes, found.size)

    def read_mask_file(self, path: Path) -> Bytes:
        """A file of annotations holds many masks: read them by item."""
        raise BadFileError(f"{path}: holds the masks of many images; expected to be read by item")

    def mask_size(self, item: Item) -> tuple[int, int]:
        """See `DataSet.mask_size`."""
        return self.annotated[item.name].size

    def mask_place(self, item: Item) -> str:
        """See `DataSet.mask_place`."""
        return f"{item.mask}, image {item.image.name if item.image else item.name}"

    def mask_digest(self, item: Item) -> str:
        """See `FileDataSet.mask_digest`: a hash of what is drawn, not of the file, which holds all items."""
        return hashlib.blake2b(repr(self.annotated[item.name]).encode(), digest_size=16).hexdigest()


def recognise(path: Path) -> bool:
    """Whether `path` holds `annotations/instances_train*.json`, maybe within a release's folders."""
    return _root(path) is not None


def open_coco(path: Path, split_seed: int = 0, merge: bool = False) -> Coco:
    """Opens a folder in COCO's layout.

    Args:
        path: The folder that holds `annotations/`, or one above it.
        split_seed: Seed of the cut by hash where there are no annotations for validation.
        merge: Whether all categories are one class.

    Returns:
        The set; a test split without annotations is left out.
    """
    root = (_root(path) or path).resolve()
    problems: list[str] = []
    files = annotation_files(root, problems)
    parts = {split: read_part(root, split, file, merge, problems) for split, file in files.items()}
    categories = _agreed(files, parts, problems)
    splits = {split: parts[split].items if split in parts else () for split in SPLITS}
    source = "annotation files"
    if "val" not in files:
        splits, source = cut_validation(splits, source, split_seed)
    merged = (*categories.values(),) if len(categories) == 1 else (MERGED,)
    return Coco(
        name=root.name,
        classes=("background", *(merged if merge else categories.values())),
        splits=splits,
        split_source=source if splits["test"] else f"{source}; {NO_TEST}",
        layout=(BINARY_LAYOUT if merge else LAYOUT).name,
        location=str(root),
        problems=tuple(problems),
        own_split="val" in files,
        annotated={name: found for part in parts.values() for name, found in part.annotated.items()},
    )


def _agreed(files: Mapping[str, Path], parts: Mapping[str, Part], problems: list[str]) -> Mapping[int, str]:
    """The categories' names by id, which all files must give alike."""
    first, *others = parts
    categories = parts[first].categories
    for split in others:
        own = parts[split].categories
        if own != categories and own:
            problems.append(
                f"{files[split]}: its categories are {_listed(own)}; expected those of {files[first].name}: {_listed(categories)}"
            )
    if len(categories) > MOST_CLASSES:
        problems.append(f"{files[first]}: has {len(categories)} categories; expected at most {MOST_CLASSES}")
    return categories


def _listed(categories: Mapping[int, str]) -> str:
    return ", ".join(f"{number} {name}" for number, name in categories.items())


def _root(path: Path) -> Path | None:
    return next((path / place for place in PLACES if "train" in annotation_files(path / place, [])), None)


_SHAPE = "annotations/instances_{train,val,test}*.json beside {train,val,test}*/"
LAYOUT = Layout("coco", _SHAPE, recognise, open_coco)
BINARY_LAYOUT = Layout("coco-binary", f"{_SHAPE}, all categories as one (by name only)", recognise, partial(open_coco, merge=True))
