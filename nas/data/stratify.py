"""Splits that masks decide on: images dealt so that training, validation and test have like shares of foreground."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from nas.data.dataset import SPLITS, VOID, DataSet, Item
from nas.data.layouts.listing import TRAIN_VAL
from nas.data.split import SHARES, stratified_split, stratified_words
from nas.errors import UserError


def stratify(data: DataSet, seed: int) -> DataSet:
    """Deals a set anew whose split came by hash.

    Reads the masks of all items that are dealt, those which are then test images too: for the split alone. A search sees no pixel of them.

    Args:
        data: A data set.
        seed: Of the split, and of nothing else: not of a search.

    Returns:
        The set with a split that is stratified by foreground share; the set itself where it says itself what trains and validates
        (`own_split`). Its own test images stay what they are (`own_test`).
    """
    if data.own_split:
        return data
    dealt, shares = (SPLITS[:2], TRAIN_VAL) if data.own_test else (SPLITS, SHARES)
    items = {item.name: item for split in dealt for item in data.splits[split]}
    parts = stratified_split(foreground_shares(data, items.values()), seed, shares)
    made = {split: tuple(items[name] for name in part) for split, part in zip(dealt, parts, strict=True)}
    words = stratified_words(seed, shares)
    kept = bool(data.own_test and data.splits["test"])
    return replace(data, splits={**data.splits, **made}, split_source=f"train and val: {words}; test: its own" if kept else words)


def foreground_shares(data: DataSet, items: Iterable[Item]) -> Mapping[str, float]:
    """Share of foreground among the pixels that are not void, by name; 0 where a mask cannot be read, which `check_data` reports.

    Args:
        data: The items' data set.
        items: Whose masks are read, in threads.
    """
    wanted = list(items)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        return dict(zip((item.name for item in wanted), pool.map(lambda item: _share(data, item), wanted), strict=True))


def _share(data: DataSet, item: Item) -> float:
    try:
        counts = np.bincount(data.read_mask(item).ravel(), minlength=256)
    except UserError:
        return 0.0
    return float(counts[1:VOID].sum() / max(1, counts[:VOID].sum()))
