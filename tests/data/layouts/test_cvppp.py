import numpy as np
import pytest

from nas.data import check_data, open_data
from nas.data.layouts import cvppp
from nas.errors import UserError
from tests.data.layouts.writers import frames, save, write_cvppp


def splits_of(data):
    return {item.name: split for split, items in data.splits.items() for item in items}


def test_any_leaf_is_plant_and_transparency_is_dropped(tmp_path):
    data = open_data(write_cvppp(tmp_path))
    assert (data.name, data.classes) == ("CVPPP2017_LSC", ("background", "plant"))
    image, mask = data.read(data.splits["train"][0])
    assert image.shape == (48, 64, 3)
    assert mask.max() == 1
    assert mask[20:30, 20:30].all()


def test_frames_of_a_plant_stay_together(tmp_path):
    data = open_data(write_cvppp(tmp_path, plants=20, each=3))
    where = splits_of(data)
    assert len(where) == 60
    for part in ("A1", "A4"):
        for first in range(1, 31, 3):
            assert len({where[f"{part}/plant{number:03d}"] for number in range(first, first + 3)}) == 1
    assert data.split_source == "20 groups of consecutive frames that look alike; hash of names, seed 0, 60/20/20 of the groups"
    assert set(where.values()) == {"train", "val", "test"}


def test_a_chain_through_everything_is_cut(tmp_path):
    data = open_data(write_cvppp(tmp_path, plants=2, each=40))
    where = splits_of(data)
    groups = cvppp._groups({item.name: item for items in data.splits.values() for item in items})
    assert max(map(len, groups.values())) == 8
    assert set(where.values()) == {"train", "val", "test"}


def test_broken_and_missing_files_are_offences(tmp_path):
    root = write_cvppp(tmp_path)
    (root / "A1" / "plant001_rgb.png").write_bytes(b"")
    (root / "A1" / "plant002_label.png").unlink()
    (root / "A4" / "plant001_rgb.png").unlink()
    with pytest.raises(UserError) as error:
        check_data(open_data(root))
    for words in ("plant001_rgb.png: the file is empty", "plant002_rgb.png: an image without mask", "plant001_label.png: a mask without"):
        assert words in str(error.value)


def test_the_archive_of_images_without_labels_is_not_recognised(tmp_path):
    save(tmp_path / "A1" / "plant001_rgb.png", np.dstack([frames(0, 1)[0], np.full((48, 64), 255, dtype=np.uint8)]))
    with pytest.raises(UserError, match="no known layout"):
        open_data(tmp_path)
