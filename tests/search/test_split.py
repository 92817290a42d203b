"""What a search may see: the split is the data's, whatever the seed, and the test split is nobody's."""

import numpy as np
import optuna
import pytest
from PIL import Image

from nas.data import BadFileError, fold_sets, open_data
from nas.data import open as open_room
from nas.data.report import heading
from nas.errors import UserError
from nas.search import run_search
from nas.search.plan import make_plan

CUT = 640
"""Bytes that are left of a spoiled JPEG file: its header with its size, and no pixels."""


def write_jpegs(root, folders):
    """Bright squares of growing size as JPEG images and masks; folder -> how many."""
    draw = np.random.default_rng(0)
    for folder, count in folders.items():
        for part in ("images", "masks"):
            (root / folder / part).mkdir(parents=True)
        for i in range(count):
            image, mask = draw.integers(0, 120, (32, 32, 3), dtype=np.uint8), np.zeros((32, 32), dtype=np.uint8)
            mask[4 : 10 + i, 4:20] = 255
            image[mask > 0] += 100
            Image.fromarray(image).save(root / folder / "images" / f"{i:03}.jpg", quality=95)
            Image.fromarray(mask).save(root / folder / "masks" / f"{i:03}.jpg", quality=95)
    return root


@pytest.fixture
def dealt(tmp_path):
    """A set whose split is left open."""
    return write_jpegs(tmp_path / "dealt", {".": 20})


def spoil(path):
    path.write_bytes(path.read_bytes()[: min(CUT, path.stat().st_size * 3 // 4)])


def values(result):
    return [trial.values for trial in optuna.load_study(study_name=result.study, storage=result.storage).trials]


@pytest.mark.parametrize("folds", [None, 2])
@pytest.mark.parametrize("own", [True, False])
def test_the_test_split_is_never_read(quick, tmp_path, own, folds):
    """With test files cut off behind their headers a search ends as with whole ones.

    Where the set leaves the split open, its masks are counted to deal it, test's too: there the images alone are cut.
    """
    root = write_jpegs(tmp_path / "set", {"train": 8, "val": 4, "test": 3} if own else {".": 15})
    before = run_search(quick(data=(str(root),), trials=2, epochs=1, folds=folds, study="whole"))
    data = open_data(root)
    assert len(data.splits["test"]) == 3
    for item in data.splits["test"]:
        for path in (item.image, item.mask) if own else (item.image,):
            spoil(path)
        with pytest.raises(BadFileError):
            data.read(item)
    assert open_data(root).splits == data.splits
    after = run_search(quick(data=(str(root),), trials=2, epochs=1, folds=folds, study="cut"))
    assert after.outcome == "complete"
    assert values(after) == values(before)


def test_a_file_of_training_cut_like_that_is_noticed(quick, tmp_path):
    """Lest the test above passes because nothing is ever read."""
    root = write_jpegs(tmp_path / "set", {"train": 8, "val": 4, "test": 3})
    spoil(open_data(root).splits["val"][0].image)
    with pytest.raises(UserError, match="cannot be read"):
        make_plan(quick(data=(str(root),)))


def test_no_fold_holds_a_test_image(dealt):
    data = open_data(dealt)
    known = {item.name: 0.1 for split in ("train", "val") for item in data.splits[split]}
    used = {item.name for fold in fold_sets(data, known, 4) for items in fold.splits.values() for item in items}
    assert used == set(known)
    assert len(data.splits["test"]) == 4


def test_the_split_is_the_same_for_every_seed_and_in_the_check_of_data(quick, dealt):
    first, second = (make_plan(quick(data=(str(dealt),), seed=seed)).sets[0] for seed in (0, 12345))
    assert first.data.splits == second.data.splits == open_data(dealt).splits
    assert first.data.fingerprint() == second.data.fingerprint()
    words = "stratified by foreground share, seed 0, 60/20/20"
    assert f"split: {words}" in first.describe()
    assert "4 test images (the test split is not read; its masks were counted once, to deal the split)" in first.describe()
    assert f"split: {words}" in heading(open_data(dealt))
    assert "the masks of all images, to deal the split" in heading(open_data(dealt))


def test_a_study_begun_on_another_split_is_refused_in_words(quick, dealt, monkeypatch):
    with monkeypatch.context() as before_there_were_strata:
        before_there_were_strata.setattr(open_room, "stratify", lambda data, seed: data)
        run_search(quick(data=(str(dealt),), trials=1, epochs=1))
    with pytest.raises(UserError) as caught:
        run_search(quick(data=(str(dealt),), trials=2, epochs=1))
    assert "dealt: its split is 'hash of names, seed 0, 60/20/20', now 'stratified by foreground share, seed 0, 60/20/20'" in str(
        caught.value
    )
    assert "give" in str(caught.value).lower()
    assert "data_fingerprint" not in str(caught.value)


def test_a_study_of_changed_images_is_refused_in_words(quick, dealt):
    run_search(quick(data=(str(dealt),), trials=1, epochs=1))
    Image.fromarray(np.full((32, 32, 3), 77, dtype=np.uint8)).save(dealt / "images" / "000.jpg")
    with pytest.raises(UserError, match="dealt: its images, masks, classes or split have changed since"):
        run_search(quick(data=(str(dealt),), trials=2, epochs=1))
