import pytest

from nas.data import LAYOUTS, open_data
from nas.errors import UserError
from tests.data.conftest import flat


def test_unknown_paths_say_what_to_give(tmp_path):
    with pytest.raises(UserError, match=r"does not exist: give the folder of a data set, or a built-in set .*synthetic:cracks"):
        open_data(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file, not a folder"):
        open_data(str(tmp_path / "file"))


def test_unknown_kinds_list_the_known_ones():
    with pytest.raises(UserError, match=r"'stars'.*synthetic:blobs"):
        open_data("synthetic:stars")


def test_unrecognised_folders_say_what_was_found_and_what_is_known(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_bytes(b"")
    with pytest.raises(UserError) as error:
        open_data(tmp_path)
    assert "pictures/ (0 entries), 2 x .jpg" in str(error.value)
    assert all(layout.shape in str(error.value) for layout in LAYOUTS)


def test_a_folder_named_synthetic_can_be_opened_as_a_path(tmp_path, monkeypatch):
    flat(tmp_path / "synthetic")
    monkeypatch.chdir(tmp_path)
    assert open_data("./synthetic").layout == "folder"
    assert open_data("synthetic").layout == "synthetic"


def test_a_layout_can_be_named(tmp_path):
    flat(tmp_path / "set")
    assert open_data(tmp_path / "set", layout="FOLDER").layout == "folder"
    with pytest.raises(UserError, match=r"unknown layout 'zip': give one of CrackForest, voc.*coco-binary"):
        open_data(tmp_path / "set", layout="zip")
    with pytest.raises(UserError, match=r"has not the layout voc: it holds images/ \(10 entries\), masks/ .*expected VOC2012/"):
        open_data(tmp_path / "set", layout="voc")
    with pytest.raises(UserError, match="synthetic is built in and has no layout: leave 'folder' out"):
        open_data("synthetic", layout="folder")
