"""Sets whose names were dealt by hash are dealt anew by their masks; no others are."""

import dataclasses

import numpy as np

from nas.data import open_data, stratify
from nas.data.dataset import SPLITS, all_items
from nas.data.stratify import foreground_shares
from tests.data.conftest import foldered, picture, save


def graded(root, count=30):
    """Masks whose foreground grows with the cube of the index; the tenth row is void."""
    for index in range(count):
        mask = np.zeros((20, 20), dtype=np.uint8)
        mask.ravel()[: round(400 * (index / count) ** 3)] = 1
        mask[-2:] = 255
        save(root / "images" / f"{index:03d}.png", picture(index, (20, 20)))
        save(root / "masks" / f"{index:03d}.png", mask)
    return root


def by_hash(path, **given):
    return dataclasses.replace(open_data(path), **{"own_split": False, "own_test": False, **given})


def means(data):
    shares = foreground_shares(data, [item for _, item in all_items(data)])
    return [np.mean([shares[item.name] for item in data.splits[split]]) for split in SPLITS]


def test_a_split_by_hash_becomes_one_by_foreground(tmp_path):
    before = by_hash(graded(tmp_path))
    after = stratify(before, 0)
    assert [len(after.splits[split]) for split in SPLITS] == [18, 6, 6]
    assert np.ptp(means(after)) < 0.1
    assert {item.name for _, item in all_items(after)} == {item.name for _, item in all_items(before)}
    assert after.split_source == "stratified by foreground share, seed 0, 60/20/20"
    assert after.fingerprint() != before.fingerprint()
    assert stratify(before, 0).splits == after.splits == stratify(after, 0).splits
    assert stratify(before, 1).splits != after.splits


def test_a_split_of_the_sets_own_stays(tmp_path):
    data = open_data(foldered(tmp_path))
    assert stratify(data, 0) is data


def test_test_images_of_the_sets_own_stay(tmp_path):
    data = by_hash(graded(tmp_path), own_test=True)
    after = stratify(data, 0)
    assert after.splits["test"] == data.splits["test"]
    assert [len(after.splits[split]) for split in SPLITS] == [18, 6, 6]
    assert after.split_source == "train and val: stratified by foreground share, seed 0, 75/25; test: its own"


def test_masks_that_cannot_be_read_stop_nothing(tmp_path):
    data = by_hash(graded(tmp_path))
    (tmp_path / "masks" / "003.png").write_bytes(b"")
    shares = foreground_shares(data, data.splits["train"] + data.splits["val"] + data.splits["test"])
    assert shares["003"] == 0
    assert shares["029"] == 1
    assert sum(len(items) for items in stratify(data, 0).splits.values()) == 30
