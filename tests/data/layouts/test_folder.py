import numpy as np
import pytest
from PIL import Image

from nas.data import check_data, open_data
from nas.errors import UserError
from tests.data.conftest import flat, foldered, picture, save, spot


def test_split_folders_are_kept(tmp_path):
    data = open_data(foldered(tmp_path / "mine"))
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 3, "val": 2, "test": 1}
    assert (data.name, data.layout, data.split_source, data.classes) == ("mine", "folder", "folders", ("background", "class 1"))
    image, mask = data.read(data.splits["train"][1])
    assert np.array_equal(image, picture(1))
    assert np.array_equal(mask, spot())


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_names_of_the_validation_folder(tmp_path, name):
    data = open_data(foldered(tmp_path, {"train": 4, name: 2}))
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [4, 2, 0]


def test_validation_is_cut_off_training_where_it_is_missing(tmp_path):
    data = open_data(foldered(tmp_path, {"train": 8, "test": 3}))
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [6, 2, 3]
    assert "75/25" in data.split_source


def test_a_test_folder_without_masks_is_left_out(tmp_path):
    foldered(tmp_path)
    for file in (tmp_path / "test" / "masks").iterdir():
        file.unlink()
    (tmp_path / "test" / "masks").rmdir()
    assert open_data(tmp_path).splits["test"] == ()


def test_flat_folders_are_split_by_hash(tmp_path):
    data = open_data(flat(tmp_path))
    assert [len(data.splits[split]) for split in ("train", "val", "test")] == [6, 2, 2]
    assert data.split_source == "stratified by foreground share, seed 0, 60/20/20"
    again = open_data(tmp_path)
    assert again.splits == data.splits
    assert again.fingerprint() == data.fingerprint()
    assert open_data(tmp_path, split_seed=1).splits != data.splits


def test_masks_match_by_stem_in_subfolders_and_with_a_suffix(tmp_path):
    for name in ("a", "sub/b"):
        save(tmp_path / "images" / f"{name}.jpg", picture(0))
    save(tmp_path / "masks" / "a_mask.png", spot())
    save(tmp_path / "masks" / "sub" / "b.tif", spot())
    (tmp_path / "images" / "._a.jpg").write_bytes(b"what a Mac leaves behind")
    data = open_data(tmp_path)
    found = {item.name: item.mask for items in data.splits.values() for item in items}
    assert found == {"a": tmp_path / "masks" / "a_mask.png", "sub/b": tmp_path / "masks" / "sub" / "b.tif"}
    assert data.problems == ()


def test_zero_and_255_alone_is_binary(tmp_path):
    data = open_data(flat(tmp_path, value=255))
    assert data.num_classes == 2
    assert np.array_equal(data.read(data.splits["train"][0])[1], spot())


def test_255_beside_indices_is_void(tmp_path):
    flat(tmp_path, value=255)
    save(tmp_path / "masks" / "000.png", spot(value=2))
    data = open_data(tmp_path)
    assert data.num_classes == 3
    values = {value for items in data.splits.values() for item in items for value in np.unique(data.read_mask(item))}
    assert values == {0, 2, 255}


def test_bitmaps_and_jpegs_are_binary(tmp_path):
    for index in range(4):
        save(tmp_path / "images" / f"{index}.png", picture(index))
    for index in range(2):
        save(tmp_path / "masks" / f"{index}.jpg", spot(value=255))
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(spot(value=255)).convert("1").save(tmp_path / "masks" / f"{index + 2}.png")
    data = open_data(tmp_path)
    assert data.num_classes == 2
    for items in data.splits.values():
        for item in items:
            assert set(np.unique(data.read_mask(item))) == {0, 1}


def test_declared_classes_name_and_bound_the_indices(tmp_path):
    flat(tmp_path, value=2)
    (tmp_path / "classes.txt").write_text("ground\ncrop\nweed\nstone\n")
    assert open_data(tmp_path).classes == ("ground", "crop", "weed", "stone")
    check_data(open_data(tmp_path))
    (tmp_path / "classes.txt").write_text("ground\ncrop\n")
    with pytest.raises(UserError, match="holds the values 0, 2; expected 0 to 1"):
        check_data(open_data(tmp_path))


def test_a_useless_classes_file_is_an_offence(tmp_path):
    (flat(tmp_path) / "classes.txt").write_text("ground\nground\n")
    with pytest.raises(UserError, match=r"classes\.txt: holds ground, ground; expected two or more different"):
        check_data(open_data(tmp_path))


def test_grey_masks_do_not_pass_for_many_classes(tmp_path):
    flat(tmp_path, value=128)
    with pytest.raises(UserError, match=r"2 different values between 0 and 128.*classes\.txt"):
        check_data(open_data(tmp_path))


def test_two_forms_of_binary_masks_in_one_set_are_an_offence(tmp_path):
    flat(tmp_path, value=255)
    save(tmp_path / "masks" / "003.png", spot())
    with pytest.raises(UserError, match="9 masks hold 255 and no 1, 1 hold 1 and no 255"):
        check_data(open_data(tmp_path))
    both = spot()
    both[20:] = 255
    save(tmp_path / "masks" / "004.png", both)  # a mask that holds both shows that 255 is void
    assert open_data(tmp_path).problems == ()


def test_masks_without_images_and_doubles_are_offences(tmp_path):
    flat(tmp_path)
    save(tmp_path / "masks" / "lonely.png", spot())
    save(tmp_path / "images" / "000.jpg", picture(0))
    with pytest.raises(UserError, match="2 problems") as error:
        check_data(open_data(tmp_path))
    assert "lonely.png: a mask without image" in str(error.value)
    assert "has the same name as" in str(error.value)


def test_the_fingerprint_follows_content_and_split(tmp_path):
    flat(tmp_path)
    before = open_data(tmp_path).fingerprint()
    assert len(before) == 16
    assert int(before, 16) >= 0
    assert open_data(tmp_path, split_seed=1).fingerprint() != before
    save(tmp_path / "images" / "004.png", picture(99))
    assert open_data(tmp_path).fingerprint() != before


def test_the_fingerprint_does_not_follow_the_place(tmp_path):
    assert open_data(flat(tmp_path / "a")).fingerprint() == open_data(flat(tmp_path / "b")).fingerprint()


def test_real_folders(real):
    peanut = open_data(real("Peanut"))
    assert [len(peanut.splits[split]) for split in ("train", "val", "test")] == [90, 30, 30]
    assert peanut.num_classes == 3
    image, mask = peanut.read(peanut.splits["val"][0])
    assert image.shape == (240, 320, 3)
    assert set(np.unique(mask)) <= {0, 1, 2}
