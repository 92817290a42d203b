"""Kvasir-SEG and ETIS-LaribPolypDB."""

import numpy as np
import pytest

from nas.data import check_data, open_data
from nas.errors import UserError
from tests.data.conftest import picture, save, spot
from tests.data.layouts.writers import write_etis, write_kvasir, write_pranet


def sizes(data):
    return [len(data.splits[split]) for split in ("train", "val", "test")]


@pytest.mark.parametrize("lists", ["Data-split", "."])
def test_kvasirs_lists_are_used(tmp_path, lists):
    data = open_data(write_kvasir(tmp_path, lists))
    assert (sizes(data), data.classes) == ([6, 2, 2], ("background", "polyp"))
    mask = data.read_mask(data.splits["val"][0])
    assert set(np.unique(mask)) == {0, 1}
    assert (mask != spot()).sum() < 10


def test_kvasirs_archive_is_split_by_hash(tmp_path):
    data = open_data(write_kvasir(tmp_path, lists="", boxes=True))
    assert (data.layout, sizes(data), data.split_source) == ("kvasir", [6, 2, 2], "stratified by foreground share, seed 0, 60/20/20")


def test_jpeg_masks_alone_make_no_kvasir(tmp_path):
    assert open_data(write_kvasir(tmp_path, lists="")).layout == "folder"


def test_images_in_no_list_are_left_out_and_said(tmp_path):
    data = open_data(write_kvasir(tmp_path, counts=(5, 2, 0)))
    assert sizes(data) == [5, 2, 0]
    assert "3 images are in no list and left out" in data.split_source


def test_a_test_list_that_repeats_validation_is_left_out(tmp_path):
    root = write_kvasir(tmp_path)
    (root / "Data-split" / "test.txt").write_text((root / "Data-split" / "val.txt").read_text())
    data = open_data(root)
    assert sizes(data) == [6, 2, 0]
    assert "the test list names the validation images" in data.split_source


def test_listed_images_that_are_missing_are_offences(tmp_path):
    root = write_kvasir(tmp_path)
    (root / "images" / "cju00.jpg").unlink()
    (root / "masks" / "cju01.jpg").unlink()
    with pytest.raises(UserError) as error:
        check_data(open_data(root))
    assert "cju00.jpg: no such file" in str(error.value)
    assert "cju01.jpg: an image without mask" in str(error.value)


def test_the_real_kvasir_overlaps(real):
    """Its lists share 10 images of training and validation, and its test list is its validation list."""
    data = open_data(real("Kvasir-SEG"))
    assert sizes(data) == [80, 30, 0]
    assert "10 images listed for train and val are in val alone" in data.split_source


def test_etis_pairs_a_number_with_its_truth(tmp_path):
    data = open_data(write_etis(tmp_path))
    assert (data.name, sizes(data)) == ("ETIS-LaribPolypDB", [6, 2, 2])
    image, mask = data.read(next(item for items in data.splits.values() for item in items if item.name == "7"))
    assert np.array_equal(image, picture(7))
    assert np.array_equal(mask, spot())


def test_etis_of_pranet_is_a_plain_folder(tmp_path):
    data = open_data(write_pranet(tmp_path))
    assert (data.name, data.layout, data.num_classes, sizes(data)) == ("ETIS-LaribPolypDB", "folder", 2, [6, 2, 2])


def test_etis_without_an_image_or_a_truth(tmp_path):
    write_etis(tmp_path)
    (tmp_path / "Ground Truth" / "p3.tif").unlink()
    save(tmp_path / "Ground Truth" / "p99.tif", spot(value=255))
    with pytest.raises(UserError, match="2 problems") as error:
        check_data(open_data(tmp_path))
    assert "3.tif: an image without mask" in str(error.value)
    assert "p99.tif: a mask without image" in str(error.value)
