"""What is not wrong, and yet spoils a result: absent or rare classes, gaps among the indices, few validation images, leakage."""

from collections.abc import Sequence

from nas.data.dataset import DataSet
from nas.data.duplicates import leaks
from nas.data.facts import ClassFacts
from nas.data.look import Look

FEW = 10
"""Fewer validation images than this rank networks by luck."""

RARE = 0.001
"""A class of a smaller share of the training pixels is hardly learnt."""


def cautions(data: DataSet, classes: Sequence[ClassFacts], looks: Sequence[Look]) -> tuple[str, ...]:
    """One sentence per caution.

    Args:
        data: The set.
        classes: Its classes, by index.
        looks: What its items showed; copies are looked for among those that kept a picture.
    """
    shown = [look.picture for look in looks if look.picture is not None]
    return (*leaks(shown), *_absent(classes), *_rare(classes), *_few(data))


def _absent(classes: Sequence[ClassFacts]) -> list[str]:
    """Classes that cannot be learnt, or not be measured."""
    gone = {split: [index for index in range(1, len(classes)) if not classes[index].images[split]] for split in ("train", "val")}
    if any(len(indices) == len(classes) - 1 for indices in gone.values()):
        return []  # no foreground at all: a problem, and reported as one
    nowhere = [index for index in gone["train"] if index in gone["val"]]
    found = []
    if nowhere:
        found.append(
            f"sparse classes: {_listed(classes, nowhere)} in no mask of training or validation, and still an output of every "
            f"network; number the classes 0, 1, 2, ... without gaps"
        )
    for split, fate in (("train", "cannot be learnt"), ("val", "does not count in the IoU that picks the best")):
        indices = [index for index in gone[split] if index not in nowhere]
        if indices:
            found.append(f"{split}: {_listed(classes, indices)} in no mask: what is absent here {fate}; move an image that holds it")
    return found


def _rare(classes: Sequence[ClassFacts]) -> list[str]:
    return [
        f"imbalance: class {index} ({one.name}) has {100 * one.share:.2g} % of the training pixels, in {one.images['train']} images; below "
        f"{100 * RARE:g} % a class is hardly learnt"
        for index, one in enumerate(classes)
        if one.images["train"] and one.share < RARE
    ]


def _few(data: DataSet) -> list[str]:
    count = len(data.splits["val"])
    if not 0 < count < FEW:
        return []
    images = "1 image" if count == 1 else f"{count} images"
    return [f"val: {images}: the ranking of networks is luck to a large part; {FEW} or more are wanted, or a search with --folds"]


def _listed(classes: Sequence[ClassFacts], indices: Sequence[int]) -> str:
    verb = "is" if len(indices) == 1 else "are"
    return f"{', '.join(f'{index} ({classes[index].name})' for index in indices)} {verb}"
