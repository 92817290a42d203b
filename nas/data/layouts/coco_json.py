"""Reading COCO's JSON files: images, categories and annotations, with what is wrong in them in words."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nas.data.dataset import SPLITS, VOID, Item
from nas.data.layouts.coco_shapes import Shape, read_shape

FILE = re.compile(r"instances_(train|val|test)(\d*)\.json")
MOST_PIXELS = 2**28
LISTS = ("images", "annotations", "categories")


@dataclass(frozen=True)
class Annotated:
    """What is drawn for one image.

    Attributes:
        size: Height and width, as the JSON says.
        shapes: In the order of drawing.
    """

    size: tuple[int, int]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Part:
    """One file of annotations.

    Attributes:
        categories: Names by id, in order of the ids.
        items: The images, by name.
        annotated: What is drawn for each item, by its name.
    """

    categories: Mapping[int, str] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    annotated: Mapping[str, Annotated] = field(default_factory=dict)


def annotation_files(root: Path, problems: list[str]) -> dict[str, Path]:
    """The file of annotations of each split that has one."""
    found: dict[str, Path] = {}
    for file in sorted((root / "annotations").glob("instances_*.json")):
        if match := FILE.fullmatch(file.name):
            if match[1] in found:
                problems.append(f"{file}: a second file of annotations beside {found[match[1]].name}; expected one for {match[1]}")
            found.setdefault(match[1], file)
    return {split: found[split] for split in SPLITS if split in found}


def read_part(root: Path, split: str, file: Path, merge: bool, problems: list[str]) -> Part:
    """Reads one file of annotations.

    Args:
        root: The folder that holds `annotations/`.
        split: "train", "val" or "test".
        file: The file.
        merge: Whether all categories are drawn as class 1.
        problems: Gets what is wrong in it.
    """
    content = _content(file, split, problems)
    if content is None:
        return Part()
    categories = _categories(file, content["categories"], problems)
    labels = {number: 1 if merge else index for index, number in enumerate(categories, start=1)}
    folder = _image_folder(root, file)
    if folder is None:
        problems.append(f"{file}: there is no folder of its images; expected {root / file.stem.removeprefix('instances_')}")
        return Part(categories)
    items: dict[int, Item] = {}
    sizes: dict[int, tuple[int, int]] = {}
    names: set[str] = set()
    for image in content["images"]:
        number, words = _image(image, folder, split, file, items, sizes)
        if words:
            problems.append(f"{file}: image {number} {words}")
        elif items[number].name in names:
            problems.append(
                f"{file}: image {number} has the same file name as another one; expected one entry for {items.pop(number).image}"
            )
        else:
            names.add(items[number].name)
    shapes = _shapes(file, content["annotations"], items, sizes, labels, problems)
    ordered = sorted(items, key=lambda number: items[number].name)
    return Part(
        categories,
        tuple(items[number] for number in ordered),
        {items[number].name: Annotated(sizes[number], shapes[number]) for number in ordered},
    )


def _content(file: Path, split: str, problems: list[str]) -> dict[str, list[Any]] | None:
    """The three lists of a file; None where there is nothing to read, or of a test file nothing to measure on."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        empty = file.is_file() and file.stat().st_size == 0
        reason = "the file is empty" if empty else f"cannot be read ({type(error).__name__}: {error})"
        problems.append(f"{file}: {reason}; expected a JSON file of COCO's instance annotations")
        return None
    if split == "test" and isinstance(content, dict) and not content.get("annotations"):
        return None
    missing = [name for name in LISTS if not isinstance(content, dict) or not isinstance(content.get(name), list)]
    if missing:
        problems.append(f"{file}: has no list {' and no list '.join(missing)}; expected COCO's images, annotations and categories")
        return None
    return {name: content[name] for name in LISTS}


def _categories(file: Path, entries: list[Any], problems: list[str]) -> dict[int, str]:
    """Names by id, in order of the ids; a name that is taken gets its id behind it."""
    found: dict[int, str] = {}
    for entry in entries:
        number = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(number, int) or number in found:
            problems.append(f"{file}: a category has the id {number!r}; expected a whole number of its own")
        else:
            found[number] = str(entry.get("name", f"category {number}"))
    taken = ["background", *found.values()]
    return {number: name if taken.count(name) == 1 else f"{name} {number}" for number, name in sorted(found.items())}


def _image(entry: Any, folder: Path, split: str, file: Path, items: dict[int, Item], sizes: dict[int, tuple[int, int]]) -> tuple[Any, str]:
    """Enters an image; returns its id and what is wrong with it."""
    number = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(number, int) or number in items:
        return number, "has no id of its own; expected a whole number that no other image has"
    size, name = (entry.get("height"), entry.get("width")), entry.get("file_name")
    if not all(isinstance(side, int) and side > 0 for side in size) or size[0] * size[1] > MOST_PIXELS:
        return number, f"is {size[1]} wide and {size[0]} high; expected its size in pixels"
    if not isinstance(name, str) or not name or Path(name).is_absolute() or ".." in Path(name).parts:
        return number, f"has the file name {name!r}; expected a file in {folder}"
    # Some writers put the folder's name before the file's.
    path = next((place for place in (folder / name, folder.parent / name) if place.is_file()), folder / name)
    items[number] = Item(f"{split}/{Path(name).with_suffix('').as_posix()}", path, file)
    sizes[number] = (size[0], size[1])
    return number, ""


def _shapes(
    file: Path,
    annotations: list[Any],
    items: Mapping[int, Item],
    sizes: Mapping[int, tuple[int, int]],
    labels: Mapping[int, int],
    problems: list[str],
) -> dict[int, tuple[Shape, ...]]:
    """The shapes of each image, in the order of drawing."""
    found: dict[int, list[tuple[bool, Shape]]] = {number: [] for number in items}
    for annotation in annotations:
        number = annotation.get("id") if isinstance(annotation, dict) else None
        image = annotation.get("image_id") if isinstance(annotation, dict) else None
        category = annotation.get("category_id") if isinstance(annotation, dict) else None
        if not isinstance(image, int) or image not in items:
            problems.append(f"{file}: annotation {number} is of image {image}; expected the id of one of the file's images")
        elif not isinstance(category, int) or category not in labels:
            problems.append(f"{file}: annotation {number} is of category {category}; expected one of {', '.join(map(str, labels))}")
        else:
            crowd = bool(annotation.get("iscrowd"))
            try:
                found[image].append((crowd, read_shape(annotation, VOID if crowd else labels[category], sizes[image])))
            except ValueError as error:
                problems.append(f"{file}: annotation {number} {error}")
    order = {number: sorted(shapes, key=lambda pair: (not pair[0], -pair[1].area, pair[1].number)) for number, shapes in found.items()}
    return {number: tuple(shape for _, shape in shapes) for number, shapes in order.items()}


def _image_folder(root: Path, file: Path) -> Path | None:
    """Where the images of a file of annotations lie."""
    named = file.stem.removeprefix("instances_")
    split = named.rstrip("0123456789")
    places = (root / named, root / "images" / named, root / split, root / "images" / split, root / "images")
    return next((place for place in places if place.is_dir()), None)
