import numpy as np
import pytest

from nas.data import check_data, open_data
from nas.errors import UserError
from tests.data.conftest import spot
from tests.data.layouts.writers import write_cardd_sod


def test_folders_are_splits_and_masks_binary(tmp_path):
    data = open_data(write_cardd_sod(tmp_path))
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [4, 2, 2]
    assert (data.classes, data.split_source) == (("background", "damage"), "folders")
    assert np.array_equal(data.read_mask(data.splits["train"][0]), spot())


def test_without_val_and_test(tmp_path):
    data = open_data(write_cardd_sod(tmp_path, parts=("TR",)))
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [3, 1, 0]
    assert "75/25" in data.split_source
    assert "no test split" in data.split_source


def test_missing_masks_and_images_are_offences(tmp_path):
    write_cardd_sod(tmp_path)
    (tmp_path / "CarDD-TR" / "CarDD-TR-Mask" / "TR000001.png").unlink()
    (tmp_path / "CarDD-TE" / "CarDD-TE-Image" / "TE000000.jpg").unlink()
    with pytest.raises(UserError, match="2 problems") as error:
        check_data(open_data(tmp_path))
    assert "TR000001.jpg: an image without mask" in str(error.value)
    assert "TE000000.png: a mask without image" in str(error.value)
