"""Splits that masks decide on: images dealt so that training, validation and test have like shares of foreground."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from nas.data.dataset import SPLITS, DataSet, Item
from nas.data.layouts.listing import TRAIN_VAL
from nas.data.split import SHARES, stratified_split, stratified_words, with_words
from nas.errors import UserError


def stratify(data: DataSet, seed: int) -> DataSet:
    """Deals a set anew whose split came by hash: the last step of `open_data`.

    Reads the masks of all items that are dealt, those which are then test images too: for the split alone. A search sees no pixel of them.
    One more reading of each mask is what it costs: 0.7 ms (JPEG, 352x352) to 1.3 ms (MATLAB, 480x320) a mask on two cores, a fifth to a
    quarter of the check that follows.

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
    return replace(data, splits={**data.splits, **made}, split_source=with_words(data.split_source, stratified_words(seed, shares)))


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
        return data.foreground_share(item)
    except UserError:
        return 0.0
