import numpy as np
import pytest
from scipy.io import savemat

from nas.data import check_data, open_data
from nas.errors import UserError
from tests.data.conftest import picture, save


def write(root, count=5, without_truth=2):
    (root / "groundTruth").mkdir(parents=True)
    for index in range(count + without_truth):
        save(root / "image" / f"{index:03d}.jpg", picture(index))
    for index in range(count):
        regions = np.ones((24, 32), dtype=np.uint8)
        regions[4:6], regions[8:12, 8:12], regions[20:22] = 2, 3, 4
        truth = np.array([[(regions, np.zeros_like(regions))]], dtype=[("Segmentation", "O"), ("Boundaries", "O")])
        savemat(root / "groundTruth" / f"{index:03d}.mat", {"groundTruth": truth})
    return root


def test_cracks_are_regions_two_and_four(tmp_path):
    data = open_data(write(tmp_path / "CFD"))
    assert (data.name, data.layout, data.classes) == ("CFD", "CrackForest", ("background", "crack"))
    mask = data.read(data.splits["train"][0])[1]
    assert np.flatnonzero(mask.all(axis=1)).tolist() == [4, 5, 20, 21]
    assert mask.sum() == 4 * 32


def test_only_images_with_truth_are_items(tmp_path):
    data = open_data(write(tmp_path))
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [3, 1, 1]
    assert data.split_source == "stratified by foreground share, seed 0, 60/20/20"
    check_data(data)


def test_broken_truths_and_missing_images_are_offences(tmp_path):
    write(tmp_path, count=8)
    (tmp_path / "groundTruth" / "000.mat").write_bytes(b"")
    (tmp_path / "groundTruth" / "001.mat").write_bytes(b"no MATLAB file at all, whatever its name says" * 9)
    (tmp_path / "image" / "002.jpg").unlink()
    with pytest.raises(UserError, match="3 problems") as error:
        check_data(open_data(tmp_path))
    for words in (r"000.mat: the file is empty", "001.mat: cannot be read", "002.mat: a truth without image"):
        assert words in str(error.value)


def test_the_real_set(real):
    data = open_data(real("CFD"))
    assert sum(map(len, data.splits.values())) == 118
    items = {item.name: item for items in data.splits.values() for item in items}
    # Image 093 encloses pavement (region 3), image 084 has separate thin cracks (region 4).
    assert data.read_mask(items["093"]).mean() < 0.06
    assert data.read_mask(items["084"]).shape == (320, 480)
