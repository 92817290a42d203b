"""Sets whose names were dealt by hash are dealt anew by their masks; no others are."""

import numpy as np
import pytest

from nas.data import open_data, stratify
from nas.data.dataset import SPLITS, all_items
from nas.data.layouts.folder import open_folder
from nas.data.split import with_words
from nas.data.stratify import foreground_shares
from tests.data.conftest import foldered, picture, save
from tests.data.layouts import writers as w


def graded(root, count=30):
    """Masks whose foreground grows with the cube of the index; the tenth row is void."""
    for index in range(count):
        mask = np.zeros((20, 20), dtype=np.uint8)
        mask.ravel()[: round(400 * (index / count) ** 3)] = 1
        mask[-2:] = 255
        save(root / "images" / f"{index:03d}.png", picture(index, (20, 20)))
        save(root / "masks" / f"{index:03d}.png", mask)
    return root


def means(data):
    shares = foreground_shares(data, [item for _, item in all_items(data)])
    return [np.mean([shares[item.name] for item in data.splits[split]]) for split in SPLITS]


def test_a_split_by_hash_becomes_one_by_foreground(tmp_path):
    before = open_folder(graded(tmp_path))
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
    graded(tmp_path / "train", 24)
    graded(tmp_path / "test", 6)
    before, after = open_folder(tmp_path), open_data(tmp_path)
    assert after.splits["test"] == before.splits["test"]
    assert after.splits["val"] != before.splits["val"]
    assert [len(after.splits[split]) for split in SPLITS] == [18, 6, 6]
    assert after.split_source == "folders; train and val: stratified by foreground share, seed 0, 75/25"


def test_masks_that_cannot_be_read_stop_nothing(tmp_path):
    graded(tmp_path)
    (tmp_path / "masks" / "003.png").write_bytes(b"")
    data = open_folder(tmp_path)
    shares = foreground_shares(data, [item for _, item in all_items(data)])
    assert shares["003"] == 0
    assert shares["029"] == 1
    assert sum(len(items) for items in stratify(data, 0).splits.values()) == 30


def test_opening_deals_and_the_seed_is_its_only_choice(tmp_path):
    graded(tmp_path)
    assert open_data(tmp_path).splits == stratify(open_folder(tmp_path), 0).splits
    assert open_data(tmp_path, split_seed=1).splits == stratify(open_folder(tmp_path, 1), 1).splits != open_data(tmp_path).splits
    assert open_data(tmp_path).split_source == "stratified by foreground share, seed 0, 60/20/20"


# Each form of each layout, and what it leaves to be dealt: (own_split, own_test).
MARKERS = {
    "CrackForest": (w.write_cfd, None, (False, False)),
    "ETIS": (w.write_etis, None, (False, False)),
    "ETIS of PraNet": (w.write_pranet, None, (False, False)),
    "CVPPP": (w.write_cvppp, None, (True, True)),
    "Kvasir": (w.write_kvasir, None, (True, True)),
    "Kvasir without val list": (lambda root: w.write_kvasir(root, counts=(6, 0, 2)), None, (False, True)),
    "Kvasir's archive": (lambda root: w.write_kvasir(root, lists="", boxes=True), None, (False, False)),
    "VOC": (w.write_voc, None, (True, True)),
    "VOC without val": (lambda root: w.write_voc(root, counts=(6, 0, 2)), None, (False, True)),
    "COCO": (w.write_coco, None, (True, True)),
    "COCO without val": (lambda root: w.write_coco(root, counts={"train": 6, "test": 2}), None, (False, True)),
    "COCO binary without val": (lambda root: w.write_coco(root, counts={"train": 6}), "coco-binary", (False, True)),
    "CarDD_SOD": (w.write_cardd_sod, None, (True, True)),
    "CarDD_SOD without val": (lambda root: w.write_cardd_sod(root, parts=("TR", "TE")), None, (False, True)),
    "folders": (w.write_folder, None, (True, True)),
    "folders without val": (lambda root: foldered(root, {"train": 6, "test": 2}), None, (False, True)),
    "flat folders": (w.write_flat, None, (False, False)),
}


@pytest.mark.parametrize("form", MARKERS)
def test_what_a_layout_leaves_open_is_dealt_and_nothing_else(form, tmp_path):
    write, layout, markers = MARKERS[form]
    data = open_data(write(tmp_path / "set"), layout=layout)
    assert (data.own_split, data.own_test) == markers
    assert ("stratified by foreground share, seed 0" in data.split_source) is not data.own_split
    assert ("75/25" in data.split_source) is (not data.own_split and data.own_test)
    if not data.own_split:
        assert "hash of names" not in data.split_source
        assert sum(map(len, data.splits.values())) > 0
        assert stratify(data, 0).splits == data.splits


def test_the_built_in_sets_have_a_split_of_their_own():
    assert open_data("synthetic:cracks").own_split


def test_a_mask_that_was_counted_while_opening_is_not_read_again(tmp_path, monkeypatch):
    for value in (1, 255):
        folder = graded(tmp_path / str(value))
        for file in (folder / "masks").iterdir():
            mask = np.asarray(w.Image.open(file))
            save(file, np.where(mask == 1, value, 0).astype(np.uint8))
        data = open_folder(folder)
        assert data.binary is (value == 255)
        items = [item for _, item in all_items(data)]
        wanted = {item.name: np.count_nonzero(data.read_mask(item)) / 400 for item in items}
        with monkeypatch.context() as patched:
            patched.setattr(type(data), "read_mask", lambda *arguments: pytest.fail("a mask was read again"))
            assert foreground_shares(data, items) == pytest.approx(wanted)


def test_only_the_words_on_dealing_change():
    words = "stratified by foreground share, seed 3, 75/25"
    assert (
        with_words("folders; train and val: hash of names, seed -1, 60/20/20; no test", words)
        == f"folders; train and val: {words}; no test"
    )
    assert with_words(words, "hash of names, seed 0, 60/20/20") == "hash of names, seed 0, 60/20/20"
    assert with_words("a list", words) == f"a list; {words}"
