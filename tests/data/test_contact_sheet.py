"""The sheet is a function of the set, shows what is there, and never a test mask."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from nas.data import open_data
from nas.data.contact_sheet import MOST, TINT, chosen, class_colour, contact_sheet, overlaid
from tests.data.conftest import flat, foldered, save, spot


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_images_are_spread_over_the_splits():
    shown = chosen(open_data("synthetic"))
    counts = {split: sum(1 for one, _ in shown if one == split) for split in ("train", "val", "test")}
    assert counts == {"train": 12, "val": 6, "test": 6}
    # Kinds take turns in this set: a regular choice would show one of them alone.
    assert len({item.name.partition("-")[0] for split, item in shown if split == "train"}) >= 4
    assert shown == chosen(open_data("synthetic"))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"train": 40, "val": 2}, {"train": 22, "val": 2}),
        ({"train": 3, "val": 2, "test": 40}, {"train": 3, "val": 2, "test": 19}),
        ({"train": 1, "val": 1}, {"train": 1, "val": 1}),
    ],
)
def test_what_a_split_lacks_goes_to_the_others(counts, expected, tmp_path):
    shown = chosen(open_data(foldered(tmp_path, counts)))
    assert {split: sum(1 for one, _ in shown if one == split) for split in expected} == expected
    assert len({item.name for _, item in shown}) == len(shown) <= MOST


def test_the_sheet_is_the_same_each_time_and_shows_no_test_mask(tmp_path):
    data = open_data(foldered(tmp_path))
    before = contact_sheet(data)
    assert contact_sheet(data) == before
    save(tmp_path / "test" / "masks" / "000.png", spot(value=0))
    assert contact_sheet(data) == before
    save(tmp_path / "val" / "masks" / "000.png", spot(value=0))
    assert contact_sheet(data) != before


def test_classes_are_tinted_within_a_contour_that_lies_outside():
    image = np.full((60, 60, 3), 100, dtype=np.uint8)
    mask = np.zeros((60, 60), dtype=np.uint8)
    mask[20:40, 20:23] = 1
    tile = overlaid(image, mask, (60, 60))
    assert (tile[30, 21] == ((1 - TINT) * 100 + TINT * np.array(class_colour(1))).astype(np.uint8)).all()
    assert tuple(tile[30, 19]) == tuple(tile[30, 23]) == class_colour(1)
    assert tuple(tile[30, 17]) == (100, 100, 100)
    mask[50:] = 255
    assert {tuple(pixel) for pixel in overlaid(image, mask, (60, 60))[52:].reshape(-1, 3).tolist()} == {(100, 100, 100), (255, 255, 255)}


def test_colours_differ():
    colours = [np.array(class_colour(label)) for label in range(1, 11)]
    assert min(np.abs(a - b).max() for place, a in enumerate(colours) for b in colours[:place]) > 30


def test_faulty_and_odd_sets_make_a_sheet(tmp_path):
    data = open_data(flat(tmp_path / "ßet", 12))
    (tmp_path / "ßet" / "images" / "003.png").write_bytes(b"")
    (tmp_path / "ßet" / "masks" / "004.png").write_bytes(b"")
    save(tmp_path / "ßet" / "masks" / "005.png", spot((10, 10)))
    items = [dataclasses.replace(item, name=f"{'long/' * 30}名{index}") for index, item in enumerate(data.splits["train"])]
    data = dataclasses.replace(data, splits={**data.splits, "train": tuple(items)})
    sheet = opened(contact_sheet(data))
    assert sheet.shape[1] > sheet.shape[0] / 2
    for file in (tmp_path / "ßet").rglob("*.png"):
        file.unlink()
    assert opened(contact_sheet(data)).size
