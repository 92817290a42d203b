"""The folds of a data set: the set again and again, each time with other images of training and validation."""

from collections.abc import Mapping
from dataclasses import replace

from nas.data.dataset import DataSet
from nas.data.split import fold_split, fold_words


def fold_sets(data: DataSet, foreground: Mapping[str, float], folds: int, seed: int = 0) -> tuple[DataSet, ...]:
    """Cuts training and validation together into folds, stratified by foreground share.

    Args:
        data: A data set; its test images are in no fold, so that nothing that works on one can read them.
        foreground: Share of foreground pixels of each item of training and validation, by name (`DataFacts.foreground`).
        folds: Number of folds, 2 or more.
        seed: Of the cut, and of nothing else: not of a search.

    Returns:
        A set of the same name for each fold. Over all of them every image validates once, and trains in all others.

    Raises:
        UserError: If there are fewer images than folds.
    """
    items = {item.name: item for split in ("train", "val") for item in data.splits[split]}
    made = []
    for fold in range(folds):
        train, val = fold_split(tuple(items), foreground, folds, fold, seed)
        splits = {"train": tuple(items[name] for name in train), "val": tuple(items[name] for name in val), "test": ()}
        made.append(replace(data, splits=splits, split_source=fold_words(data.split_source, folds, fold, seed)))
    return tuple(made)
