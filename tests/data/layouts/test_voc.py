import numpy as np
import pytest

from nas.data import VOID, check_data, open_data
from nas.errors import UserError
from tests.data.conftest import save, spot
from tests.data.layouts.writers import save_palette, write_voc


def sizes(data):
    return [len(data.splits[split]) for split in ("train", "val", "test")]


def test_palette_indices_are_classes_and_255_is_void(tmp_path):
    data = open_data(write_voc(tmp_path))
    assert (data.name, data.num_classes, data.classes[0], data.classes[20]) == ("VOC2012", 21, "background", "tvmonitor")
    assert sizes(data) == [4, 2, 2]
    expected = spot(value=2)
    expected[3] = VOID
    assert np.array_equal(data.read_mask(data.splits["train"][1]), expected)


def test_without_a_test_list_that_is_said(tmp_path):
    data = open_data(write_voc(tmp_path, counts=(4, 2, 0)))
    assert sizes(data) == [4, 2, 0]
    assert "no test split, so nothing is left to judge" in data.split_source


def test_a_test_list_without_masks_is_left_out(tmp_path):
    root = write_voc(tmp_path)
    for name in (root / "ImageSets/Segmentation/test.txt").read_text().split():
        (root / "SegmentationClass" / f"{name}.png").unlink()
    data = open_data(root)
    assert sizes(data) == [4, 2, 0]
    assert "the test list has no masks and is left out" in data.split_source
    check_data(data)


def test_one_missing_mask_is_an_offence(tmp_path):
    root = write_voc(tmp_path)
    (root / "SegmentationClass" / "2007_000001.png").unlink()
    (root / "JPEGImages" / "2007_000004.jpg").unlink()
    with pytest.raises(UserError, match="2 problems") as error:
        check_data(open_data(root))
    assert "2007_000001.jpg: an image without mask" in str(error.value)
    assert "2007_000004.jpg: no such file" in str(error.value)


def test_without_validation_it_is_cut_off_training(tmp_path):
    data = open_data(write_voc(tmp_path, counts=(8, 0, 2)))
    assert sizes(data) == [6, 2, 2]
    assert "75/25" in data.split_source


def test_added_masks_are_for_training(tmp_path):
    data = open_data(write_voc(tmp_path, aug=3))
    assert sizes(data) == [7, 2, 2]
    assert {item.mask.parent.name for item in data.splits["train"]} == {"SegmentationClassAug"}
    assert {item.mask.parent.name for item in data.splits["val"]} == {"SegmentationClass"}
    assert "train_aug.txt" in data.split_source


def test_added_masks_without_their_list_serve_the_official_one(tmp_path):
    root = write_voc(tmp_path, aug=3)
    (root / "ImageSets/Segmentation/train_aug.txt").unlink()
    assert sizes(open_data(root)) == [4, 2, 2]


def test_a_name_of_two_lists_stays_out_of_training(tmp_path):
    root = write_voc(tmp_path)
    lists = root / "ImageSets/Segmentation"
    (lists / "train.txt").write_text((lists / "train.txt").read_text() + (lists / "val.txt").read_text().splitlines()[0])
    data = open_data(root)
    assert sizes(data) == [4, 2, 2]
    assert "1 images listed for train and val are in val alone" in data.split_source


def test_a_name_listed_twice_is_an_offence(tmp_path):
    root = write_voc(tmp_path)
    file = root / "ImageSets/Segmentation/train.txt"
    file.write_text("2007_000000\r\n" + file.read_text())
    with pytest.raises(UserError, match=r"train\.txt: lists 2007_000000 more than once"):
        check_data(open_data(root))


def test_strange_values_are_counted_over_the_files(tmp_path):
    root = write_voc(tmp_path)
    for name, value in (("2007_000000", 40), ("2007_000001", 40), ("2007_000002", 77)):
        save_palette(root / "SegmentationClass" / f"{name}.png", spot(value=value))
    with pytest.raises(UserError, match="4 problems") as error:
        check_data(open_data(root))
    assert "3 masks hold unexpected values (40 in 2 files, 77 in 1 file); expected 0 to 20 (21 classes) or 255" in str(error.value)
    assert "2007_000000.png: holds the values 0, 40" in str(error.value)


def test_masks_of_colours_are_an_offence(tmp_path):
    root = write_voc(tmp_path)
    save(root / "SegmentationClass" / "2007_000000.png", np.dstack([spot(value=128), spot() * 0, spot() * 0]))
    with pytest.raises(UserError, match=r"2007_000000\.png: the mask holds colours"):
        check_data(open_data(root))


def test_the_real_set(real):
    data = open_data(real("VOCdevkit"))
    values = {value for item in data.splits["val"] for value in np.unique(data.read_mask(item)).tolist()}
    assert {0, VOID} < values <= {*range(21), VOID}
