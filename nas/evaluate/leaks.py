"""Images that weights were trained on, among those that they are measured by or that settle their threshold."""

from collections.abc import Sequence
from pathlib import Path

from nas.data import DataSet, Item
from nas.evaluate.trained import read_record


def trained_names(weights: Path, data: DataSet) -> frozenset[str]:
    """Names of a data set's images that weights were trained on, by the record beside them.

    Args:
        weights: Their file.
        data: The set; it is that of the record where its folder or its name is, since folders move.

    Returns:
        Empty where there is no record, or none of this set: nobody knows then.
    """
    record = read_record(weights)
    sets = record.seen if record else ()
    return frozenset(name for one in sets if data.location == one.location or data.name == one.name for name in one.train)


def unseen(weights: Sequence[Path], data: DataSet, items: Sequence[Item]) -> tuple[Item, ...]:
    """Those of a data set's items that none of several weights is known to be trained on."""
    seen = frozenset[str]().union(*(trained_names(path, data) for path in weights))
    return tuple(item for item in items if item.name not in seen)


def leaks(weights: Sequence[Path], data: DataSet, items: Sequence[Item]) -> list[str]:
    """A sentence for each file of weights that was trained on some of the items that it is measured by."""
    sentences = []
    for path in weights:
        seen = trained_names(path, data)
        if names := [item.name for item in items if item.name in seen]:
            sentences.append(
                f"{path} was trained on {len(names)} of these {len(items)} images, {names[0]!r} for one: its figures are not those of "
                "unseen images. Take a --split that it did not learn from, and --new-split if its training had it"
            )
    return sentences
