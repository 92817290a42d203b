import json

import numpy as np
import pytest

from nas.data import VOID, check_data, open_data
from nas.errors import UserError
from tests.data.layouts.writers import edit_json, write_coco


@pytest.fixture
def folder(tmp_path):
    return write_coco(tmp_path / "mine")


def train_json(folder):
    return folder / "annotations" / "instances_train2017.json"


def complaint(folder):
    with pytest.raises(UserError) as error:
        check_data(open_data(folder))
    return str(error.value)


def test_small_ones_are_drawn_over_large_ones(folder):
    data = open_data(folder)
    assert data.classes == ("background", "dent", "scratch", "glass shatter")
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [4, 2, 2]
    expected = np.zeros((24, 32), dtype=np.uint8)
    expected[2:20, 4:28] = 1
    expected[6:12, 8:16] = 3
    assert np.array_equal(data.read_mask(data.splits["train"][0]), expected)


def test_equal_areas_are_drawn_by_id(folder):
    def same(content):
        for annotation in content["annotations"]:
            annotation["area"] = 7

    edit_json(train_json(folder), same)
    data = open_data(folder)
    # The dent has the higher number and covers the rest.
    assert set(np.unique(data.read_mask(data.splits["train"][0]))) == {0, 1}


def test_all_categories_as_one_by_name(folder):
    data = open_data(folder, layout="coco-binary")
    assert data.classes == ("background", "object")
    assert data.read_mask(data.splits["train"][0]).sum() == 18 * 24
    assert data.fingerprint() != open_data(folder).fingerprint()


def test_crowds_are_void_below_everything(folder):
    counts = [0, 24 * 32]
    edit_json(
        train_json(folder),
        lambda content: content["annotations"].append(
            {"id": 99, "image_id": 1, "category_id": 2, "iscrowd": 1, "area": 1, "segmentation": {"size": [24, 32], "counts": counts}}
        ),
    )
    data = open_data(folder)
    mask = data.read_mask(data.splits["train"][0])
    assert (mask[0] == VOID).all()
    assert set(np.unique(mask)) == {1, 3, VOID}


def test_without_val_and_test(tmp_path):
    data = open_data(write_coco(tmp_path, counts={"train": 8}))
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [6, 2, 0]
    assert "75/25" in data.split_source
    assert "no test split" in data.split_source


def test_a_test_file_without_annotations_is_left_out(folder):
    edit_json(folder / "annotations" / "instances_test2017.json", lambda content: content.pop("annotations"))
    data = open_data(folder)
    assert data.splits["test"] == ()
    check_data(data)


def test_doubled_names_of_categories_stay_apart(folder):
    for file in (folder / "annotations").iterdir():
        edit_json(file, lambda content: [entry.update(name="damage") for entry in content["categories"]])
    assert open_data(folder).classes == ("background", "damage 1", "damage 2", "damage 4")


def test_every_offence_of_the_json_is_named(folder):
    def spoil(content):
        notes = content["annotations"]
        notes[0]["image_id"] = 77
        notes[1]["category_id"] = 5
        notes[2]["segmentation"] = [[1, 1, 5, 5]]
        notes[3]["segmentation"] = []
        notes[4]["segmentation"] = {"size": [24, 31], "counts": [744]}
        notes[5]["segmentation"] = {"size": [24, 32], "counts": [10, 20]}
        notes[6]["segmentation"] = [[1, 1, 5, 5, 9, float("nan")]]
        content["images"].append({"id": 4, "file_name": "again.jpg", "width": 32, "height": 24})
        content["images"].append({"id": 5, "file_name": "../x.jpg", "width": 32, "height": 24})
        content["images"].append({"id": 6, "file_name": "y.jpg", "height": 24})

    edit_json(train_json(folder), spoil)
    (folder / "train2017" / "train_000002.jpg").unlink()
    text = complaint(folder)
    for words in (
        "annotation 1 is of image 77; expected the id of one of the file's images",
        "annotation 2 is of category 5; expected one of 1, 2, 4",
        "annotation 3 a polygon of it has 4 coordinates; expected x and y of at least 3 points",
        "annotation 4 has no segmentation",
        "annotation 5 its run lengths are of size [24, 31]; expected [24, 32]",
        "annotation 6 its run lengths cover 30 pixels; expected the 768",
        "annotation 7 a polygon of it is no list of numbers",
        "image 4 has no id of its own",
        "image 5 has the file name '../x.jpg'",
        "image 6 is None wide and 24 high",
        "train_000002.jpg: no such file",
    ):
        assert words in text
    assert "11 problems" in text


def test_a_size_that_is_not_the_images_is_an_offence(folder):
    edit_json(train_json(folder), lambda content: content["images"][0].update(width=30))
    edit_json(folder / "annotations" / "instances_test2017.json", lambda content: content["images"][0].update(width=31))
    text = complaint(folder)
    assert "instances_train2017.json, image train_000000.jpg: the mask is 30x24, its image 32x24" in text
    assert "instances_test2017.json, image test_000000.jpg: the mask is 31x24, its image 32x24" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\x89garbage\x00", "cannot be read"),
        (b'{"images": [', "cannot be read"),
        (b"[1, 2]", "has no list images and no list annotations"),
        (b'{"images": [], "annotations": []}', "has no list categories"),
    ],
)
def test_files_that_are_no_annotations_are_named(folder, content, words):
    train_json(folder).write_bytes(content)
    text = complaint(folder)
    assert "instances_train2017.json" in text
    assert words in text


def test_a_missing_image_folder_is_one_offence(folder):
    (folder / "train2017").rename(folder / "pictures")
    text = complaint(folder)
    assert "there is no folder of its images; expected" in text
    assert text.count("no such file") == 0


def test_other_categories_in_validation_are_an_offence(folder):
    edit_json(folder / "annotations" / "instances_val2017.json", lambda content: content["categories"][0].update(name="hail"))
    assert "its categories are 1 hail, 2 scratch, 4 glass shatter; expected those of instances_train2017.json" in complaint(folder)


def test_two_files_for_one_split_are_an_offence(folder):
    (folder / "annotations" / "instances_train2014.json").write_text(json.dumps({}))
    assert "instances_train2017.json: a second file of annotations beside instances_train2014.json" in complaint(folder)


def test_each_file_is_read_once(folder, monkeypatch):
    from nas.data.layouts import coco_json

    read = []
    monkeypatch.setattr(coco_json.json, "loads", lambda text, loads=json.loads: read.append(1) or loads(text))
    data = open_data(folder)
    check_data(data)
    data.fingerprint()
    assert len(read) == 3


def test_the_real_set(real):
    data = open_data(real("CocoCarDamage"))
    assert data.classes == ("background", "damage")
    assert open_data(real("CocoCarDamage"), layout="coco-binary").classes == ("background", "damage")
    shares = [float((data.read_mask(item) == 1).mean()) for item in data.splits["val"]]
    assert 0.02 < np.mean(shares) < 0.2
