"""The report says what check_data would raise, and what spoils results besides; nothing is raised."""

import dataclasses

import numpy as np
import pytest

from nas.data import check_data, look_at, open_data
from nas.errors import UserError
from tests.data.conftest import flat, foldered, picture, save, spot

MANY = {"train": 4, "val": 10, "test": 2}


@pytest.fixture
def varied(tmp_path):
    """Splits whose images differ, in folders."""
    foldered(tmp_path, MANY)
    for place, split in enumerate(MANY):
        for index in range(MANY[split]):
            save(tmp_path / split / "images" / f"{index:03d}.png", picture(100 * place + index))
    return tmp_path


def test_a_sound_set_has_facts_alone(varied):
    report = look_at(open_data(varied), compare=True)
    assert (report.warnings, report.problems, report.strange) == ((), (), {})
    assert report.facts == check_data(open_data(varied))
    background, first = report.classes
    assert (background.name, background.images, background.width) == ("background", {"train": 4, "val": 10}, None)
    assert first.images == {"train": 4, "val": 10}
    assert first.share == pytest.approx(8 * 14 / (24 * 32))
    assert 5 < first.width < 9


def test_facts_are_there_beside_problems(varied):
    (varied / "train" / "images" / "000.png").write_bytes(b"")
    (varied / "test" / "masks" / "001.png").unlink()
    report = look_at(open_data(varied))
    assert report.facts is not None
    assert report.classes[1].images == {"train": 3, "val": 10}
    assert [problem.partition(": ")[2][:22] for problem in report.problems] == ["the file is empty; exp", "an image without mask;"]
    with pytest.raises(UserError, match="2 problems"):
        check_data(open_data(varied))


def test_every_file_is_read_once(varied, monkeypatch):
    (varied / "val" / "masks" / "000.png").write_bytes(b"rubbish")
    data, seen = open_data(varied), []
    for name in ("read_image", "read_mask"):
        read = getattr(type(data), name)

        def noted(self, item, read=read, name=name):
            seen.append((name, item.name))
            return read(self, item)

        monkeypatch.setattr(type(data), name, noted)
    look_at(data, compare=True)
    assert len(seen) == len(set(seen)) == 2 * 14 + 2
    assert {name for name, item in seen if item.startswith("test/")} == {"read_image"}
    seen.clear()
    look_at(data)
    assert not [item for _, item in seen if item.startswith("test/")]


def test_unexpected_values_are_counted_over_all_masks(varied):
    (varied / "classes.txt").write_text("ground\ncrop\n")
    for index, value in ((0, 7), (1, 7), (2, 9)):
        save(varied / "train" / "masks" / f"{index:03d}.png", spot(value=value))
    report = look_at(open_data(varied))
    assert report.strange == {7: 2, 9: 1}
    assert report.problems[0] == "3 masks hold unexpected values (7 in 2 files, 9 in 1 file); expected 0 to 1 (2 classes) or 255"


def test_copies_across_splits_are_warned_of_where_asked(varied):
    for split, index in (("val", 3), ("test", 1)):
        save(varied / split / "images" / f"{index:03d}.png", picture(2))
    assert look_at(open_data(varied)).warnings == ()
    warnings = look_at(open_data(varied), compare=True).warnings
    assert len(warnings) == 3
    assert "1 of 10 val images is in train too, pixel by pixel (train/002 and val/003)" in warnings[0]


def test_absent_and_sparse_classes(varied):
    (varied / "classes.txt").write_text("ground\ncrop\nweed\nstone\npath\n")
    save(varied / "train" / "masks" / "000.png", spot(value=2))
    save(varied / "val" / "masks" / "000.png", spot(value=3))
    sparse, train, val = look_at(open_data(varied)).warnings
    assert "sparse classes: 4 (path) is in no mask" in sparse
    assert train.startswith("train: 3 (stone) is in no mask")
    assert val.startswith("val: 2 (weed) is in no mask")


def test_gaps_among_unnamed_indices_are_sparse_classes(varied):
    for split in MANY:
        for index in range(MANY[split]):
            save(varied / split / "masks" / f"{index:03d}.png", spot(value=5))
    (warning,) = look_at(open_data(varied)).warnings
    assert "1 (class 1), 2 (class 2), 3 (class 3), 4 (class 4) are in no mask of training or validation" in warning


def test_rare_classes_and_few_validation_images(tmp_path):
    foldered(tmp_path, {"train": 2, "val": 3}, value=1)
    for split, index in (("train", 1), ("val", 0)):
        mask = spot(size=(24, 32))
        mask[0, 0] = 2
        save(tmp_path / split / "masks" / f"{index:03d}.png", mask)
    rare, few = look_at(open_data(tmp_path)).warnings
    assert rare.startswith("imbalance: class 2 (class 2) has 0.065 % of the training pixels, in 1 images")
    assert few.startswith("val: 3 images: the ranking")


def test_nothing_to_look_at_is_no_accident(tmp_path):
    data = open_data(flat(tmp_path, 3))
    empty = dataclasses.replace(data, splits={"train": (), "val": (), "test": ()})
    report = look_at(empty, compare=True)
    assert report.facts is None
    assert report.problems == ("train: no images; expected at least one", "val: no images; expected at least one")
    for file in tmp_path.rglob("*.png"):
        file.write_bytes(b"")
    assert look_at(data).facts is None
    save(tmp_path / "masks" / "000.png", np.full((24, 32), 255, dtype=np.uint8))
    assert look_at(open_data(tmp_path)).facts is None
