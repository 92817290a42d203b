"""Bad files in every layout of image files: each is named with what was expected, and all come at once."""

from dataclasses import replace

import pytest

from nas.data import check_data, open_data
from nas.errors import UserError
from tests.data.conftest import picture, save, spot
from tests.data.layouts import writers as w

WRITERS = {
    "CrackForest": w.write_cfd,
    "voc": w.write_voc,
    "cvppp": w.write_cvppp,
    "etis": w.write_etis,
    "kvasir": w.write_kvasir,
    "coco": w.write_coco,
    "cardd-sod": w.write_cardd_sod,
    "folder": w.write_folder,
}
ENCRYPTED = b"Salted__" + bytes(range(256)) * 4


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b""), "the file is empty"),
        (cut, "cannot be read"),
        (lambda path: path.write_bytes(ENCRYPTED), "cannot be read"),
        (lambda path: path.write_bytes(b"<html>404</html>"), "cannot be read"),
    ],
    ids=["empty", "truncated", "encrypted", "a web page"],
)
@pytest.mark.parametrize("layout", WRITERS)
def test_bad_images_and_masks(tmp_path, layout, spoil, words):
    folder = WRITERS[layout](tmp_path)
    first, second = open_data(folder).splits["train"][:2]
    spoiled = [first.image, *([second.mask] if layout != "coco" else [])]
    for path in spoiled:
        spoil(path)
    data = open_data(folder)
    # Spoiled masks may be dealt otherwise; every offender is looked at in full, so it must not fall to the test split.
    data = replace(data, splits={**data.splits, "train": data.splits["train"] + data.splits["test"], "test": ()})
    with pytest.raises(UserError) as error:
        check_data(data)
    lines = str(error.value).splitlines()
    assert len(lines) == 1 + len(spoiled)
    for path in spoiled:
        assert any(f"{path}: {words}" in line and "expected" in line for line in lines)


@pytest.mark.parametrize("layout", [name for name in WRITERS if name not in ("CrackForest", "coco")])
def test_masks_of_another_size(tmp_path, layout):
    folder = WRITERS[layout](tmp_path)
    item = open_data(folder).splits["train"][0]
    save(item.mask, spot((30, 40)))
    with pytest.raises(UserError, match=r"the mask is 40x30, its image \d+x\d+; expected the same size"):
        check_data(open_data(folder))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_links_that_go_round_in_circles(tmp_path, kind):
    folder = w.write_flat(tmp_path / "set")
    if kind == "folder":
        (folder / "images" / "again").symlink_to(folder, target_is_directory=True)
        check_data(open_data(folder))
        return
    (folder / "images" / "loop.png").symlink_to(folder / "images" / "loop.png")
    with pytest.raises(UserError, match=r"loop\.png: a link that leads to no file"):
        check_data(open_data(folder))


def test_a_folder_that_is_a_circle(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UserError, match="does not exist"):
        open_data(tmp_path / "loop")


@pytest.mark.parametrize("layout", ["voc", "coco"])
def test_images_that_are_circles(tmp_path, layout):
    folder = WRITERS[layout](tmp_path)
    image = open_data(folder).splits["train"][0].image
    image.unlink()
    image.symlink_to(image)
    with pytest.raises(UserError, match="cannot be read"):
        check_data(open_data(folder))


def test_a_folder_where_a_file_belongs(tmp_path):
    folder = w.write_voc(tmp_path)
    image = open_data(folder).splits["train"][0].image
    image.unlink()
    image.mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        check_data(open_data(folder))


def test_garbage_beside_a_set_does_no_harm(tmp_path):
    folder = w.write_flat(tmp_path / "set")
    before = open_data(folder).fingerprint()
    for name in ("Thumbs.db", ".DS_Store", "images/._000.png", "notes.pdf", "masks/readme"):
        (folder / name).write_bytes(ENCRYPTED)
    save(tmp_path / "outside.png", picture(1))
    assert open_data(folder).fingerprint() == before
    check_data(open_data(folder))
