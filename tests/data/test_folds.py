"""Folds of a set are sets: every image validates once, and none of test is among them."""

import numpy as np
import pytest

from nas.data import check_data, fold_sets, open_data
from nas.data.dataset import all_items
from nas.data.stratify import foreground_shares
from nas.errors import UserError
from tests.data.conftest import foldered, save


@pytest.fixture
def graded(tmp_path):
    """9 training, 4 validation and 3 test images, no two of the same share of foreground."""
    foldered(tmp_path, {"train": 9, "val": 4, "test": 3})
    for place, file in enumerate(sorted(tmp_path.rglob("masks/*.png")), start=1):
        mask = np.zeros((24, 32), dtype=np.uint8)
        mask.ravel()[: place * place] = 1
        mask[-1] = 255
        save(file, mask)
    return open_data(tmp_path)


def names(items):
    return {item.name for item in items}


def test_every_image_of_train_and_val_validates_once_and_trains_otherwise(graded):
    folds = fold_sets(graded, check_data(graded).foreground, 3)
    everything = names(graded.splits["train"] + graded.splits["val"])
    validated = [item.name for fold in folds for item in fold.splits["val"]]
    assert sorted(validated) == sorted(everything)
    for fold in folds:
        assert names(fold.splits["train"]) == everything - names(fold.splits["val"])
        assert fold.splits["test"] == ()
        assert fold.name == graded.name
        assert fold.read_mask(fold.splits["val"][0]).shape == (24, 32)
    assert folds[1].split_source == "folders; fold 2 of 3 of train and val, stratified by foreground share, seed 0"
    assert {split: len(items) for split, items in graded.splits.items()} == {"train": 9, "val": 4, "test": 3}


@pytest.mark.parametrize("spec", ["synthetic:blobs", None])
def test_each_fold_has_a_bank_of_its_own(graded, spec):
    data = graded if spec is None else open_data(spec)
    known = dict.fromkeys(names(item for _, item in all_items(data, ("train", "val"))), 0.1)
    folds = fold_sets(data, known, 3)
    assert sum(len(fold.splits["val"]) for fold in folds) == len(data.splits["train"]) + len(data.splits["val"])
    assert len({one.fingerprint() for one in (data, *folds)}) == 4
    assert [one.fingerprint() for one in fold_sets(data, known, 3)] == [one.fingerprint() for one in folds]


def test_the_check_knows_the_foreground_of_what_it_read(graded):
    facts = check_data(graded)
    assert facts.foreground == pytest.approx(foreground_shares(graded, graded.splits["train"] + graded.splits["val"]))
    assert len(set(facts.foreground.values())) == 13


def test_more_folds_than_images_are_refused(graded):
    with pytest.raises(UserError, match="13 images cannot make 14 folds"):
        fold_sets(graded, check_data(graded).foreground, 14)
