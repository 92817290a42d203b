import dataclasses

import numpy as np
import pytest
from PIL import Image

from nas.data import check_data, check_items, open_data
from nas.data.look import structure_widths
from nas.errors import UserError
from tests.data.conftest import flat, foldered, picture, save, spot


def complaint(data):
    with pytest.raises(UserError) as error:
        check_data(data)
    return str(error.value)


def test_all_offences_come_in_one_pass(tmp_path):
    flat(tmp_path, 30)
    images, masks = tmp_path / "images", tmp_path / "masks"
    (masks / "003.png").unlink()
    save(masks / "004.png", spot((24, 30)))
    save(masks / "005.png", spot(value=9))
    (images / "006.png").write_bytes(b"")
    (masks / "007.png").write_bytes(b"rubbish")
    for file in (images / "008.png", masks / "009.png"):
        file.write_bytes(file.read_bytes()[:60])
    (images / "010.png").write_bytes(b"")
    (masks / "010.png").write_bytes(b"")
    save(masks / "stray.png", spot())
    (tmp_path / "classes.txt").write_text("ground\ncrop\n")
    data = open_data(tmp_path)
    # Every offender is looked at in full, so it must not fall to the test split.
    data = dataclasses.replace(data, splits={**data.splits, "train": data.splits["train"] + data.splits["test"], "test": ()})
    text = complaint(data)
    expected = [
        (images / "003.png", "an image without mask; expected a mask of the same name"),
        (masks / "004.png", "the mask is 30x24, its image 32x24; expected the same size"),
        (masks / "005.png", "holds the values 0, 9; expected 0 to 1 (2 classes) or 255"),
        (images / "006.png", "the file is empty"),
        (masks / "007.png", "cannot be read"),
        (images / "008.png", "cannot be read"),
        (masks / "009.png", "cannot be read"),
        (images / "010.png", "the file is empty"),
        (masks / "010.png", "the file is empty"),
        (masks / "stray.png", "a mask without image"),
    ]
    assert "has 10 problems" in text
    for path, words in expected:
        assert f"{path}: {words}" in text


def test_long_lists_are_cut(tmp_path):
    foldered(tmp_path, {"train": 60, "val": 1})
    for file in (tmp_path / "train" / "masks").iterdir():
        file.unlink()
    lines = complaint(open_data(tmp_path)).splitlines()
    # 60 missing masks. The first line counts, 50 are spelled out, the last counts the rest.
    assert "60 problems" in lines[0]
    assert len(lines) == 52
    assert lines[-1].strip() == "and 10 more"


def test_an_empty_split_is_an_offence(tmp_path):
    foldered(tmp_path, {"train": 2, "val": 1})
    for file in (tmp_path / "val").rglob("*.png"):
        file.unlink()
    assert "val: no images; expected at least one" in complaint(open_data(tmp_path))


def test_masks_of_background_alone_are_an_offence(tmp_path):
    assert "the masks hold the background alone" in complaint(open_data(flat(tmp_path / "a", value=0)))
    flat(tmp_path / "b", value=0)
    (tmp_path / "b" / "classes.txt").write_text("ground\ncrop\n")
    assert "train: no mask holds a foreground pixel" in complaint(open_data(tmp_path / "b"))


def test_of_the_test_split_only_headers_are_read(tmp_path):
    foldered(tmp_path)
    test = tmp_path / "test"
    (tmp_path / "classes.txt").write_text("ground\ncrop\n")
    save(test / "masks" / "000.png", spot(value=9))
    check_data(open_data(tmp_path))
    save(test / "masks" / "000.png", spot((24, 30)))
    assert "the mask is 30x24" in complaint(open_data(tmp_path))
    (test / "masks" / "000.png").unlink()
    assert "an image without mask" in complaint(open_data(tmp_path))


def test_facts(tmp_path):
    foldered(tmp_path, {"train": 2, "val": 1, "test": 1})
    mask = spot()
    mask[20:] = 255
    save(tmp_path / "train" / "masks" / "000.png", mask)
    for part in ("images", "masks"):
        save(tmp_path / "val" / part / "000.png", picture(5, (48, 40)) if part == "images" else spot((48, 40)))
    facts = check_data(open_data(tmp_path))
    assert facts.counts == {"train": 2, "val": 1, "test": 1}
    assert (facts.min_size, facts.median_size, facts.max_size) == ((24, 32), (24, 32), (48, 40))
    labelled = 2 * 24 * 32 - 4 * 32
    assert facts.pixel_shares == pytest.approx((1 - 2 * 8 * 14 / labelled, 2 * 8 * 14 / labelled))
    assert facts.void_share == pytest.approx(4 * 32 / (2 * 24 * 32))
    assert 5 < facts.thickness < 9


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 12, 20])
def test_the_width_of_a_strip(width):
    mask = np.zeros((64, 200), dtype=np.uint8)
    mask[20 : 20 + width] = 3
    assert structure_widths(mask) == (pytest.approx(width, abs=1),)


def test_widths_come_per_class_and_full_masks_have_an_end():
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[10:13], mask[30:42], mask[60:] = 1, 2, 255
    thin, thick = structure_widths(mask)
    assert 3 <= thin < 4 < 11 < thick < 13
    assert structure_widths(np.ones((64, 64), dtype=np.uint8)) == (62.0,)
    assert structure_widths(np.zeros((64, 64), dtype=np.uint8)) == ()


def test_the_real_cracks_are_thin(real):
    data = open_data(real("CFD"))
    few = {split: items[:8] for split, items in data.splits.items()}
    facts = check_data(dataclasses.replace(data, splits=few))
    assert 2 < facts.thickness < 4
    assert facts.median_size == (320, 480)
    assert 0.005 < facts.pixel_shares[1] < 0.04


def test_a_validation_split_without_foreground_is_an_offence(tmp_path):
    from tests.search.conftest import write_set

    root = write_set(tmp_path / "set")
    for path in (root / "val" / "masks").iterdir():
        Image.fromarray(np.zeros((32, 32), dtype=np.uint8)).save(path)
    with pytest.raises(UserError, match="val: no mask holds a foreground pixel"):
        check_data(open_data(root))


def test_items_to_be_judged_by_are_read_whole(tmp_path):
    foldered(tmp_path, {"train": 1, "val": 1, "test": 2})
    (tmp_path / "classes.txt").write_text("ground\ncrop\n")
    check_items(open_data(tmp_path), open_data(tmp_path).splits["test"])
    masks = tmp_path / "test" / "masks"
    save(masks / "000.png", spot(value=9))
    save(masks / "001.png", spot((24, 30)))
    data = open_data(tmp_path)
    with pytest.raises(UserError) as error:
        check_items(data, data.splits["test"])
    text = str(error.value)
    assert "has 2 problems" in text
    assert f"{masks / '000.png'}: holds the values 0, 9; expected 0 to 1" in text
    assert f"{masks / '001.png'}: the mask is 30x24, its image" in text
    check_items(data, data.splits["val"])
