"""`python -m nas.data`: exit codes, what is printed, where the sheet goes and where it must not."""

import pytest
from PIL import Image

from nas.data import __main__ as door
from nas.door import enter
from tests.data.conftest import foldered, picture, save

COUNTS = {"train": 4, "val": 10, "test": 1}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to stand in, beside the data."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(here, monkeypatch, capsys):
    def go(*arguments):
        monkeypatch.setattr("sys.argv", ["nas.data", *map(str, arguments)])
        code = enter(door.main)
        return code, *capsys.readouterr()

    return go


def sound(root):
    foldered(root, COUNTS)
    for place, split in enumerate(COUNTS):
        for index in range(COUNTS[split]):
            save(root / split / "images" / f"{index:03d}.png", picture(100 * place + index))
    return root


def test_without_a_command_the_layouts_are_listed(run):
    code, out, _ = run()
    assert code == 0
    for words in ("CrackForest", "folder", "synthetic:cracks", "check PATH"):
        assert words in out


def test_a_sound_set(run, here, tmp_path):
    root = sound(tmp_path / "my set")
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = run("check", root)
    assert code == 0
    for words in (
        "folder, in ",
        "4 train, 10 val, 1 test; split: folders",
        "all 24x32",
        "1 class 1",
        "image size",
        "=> sound\n",
        "void          none",
    ):
        assert words in out
    assert "of test the images, to find copies" in out
    assert sorted(set(tmp_path.rglob("*")) - set(before)) == [here / "data_check_my-set.png"]
    assert Image.open(here / "data_check_my-set.png").size[0] > 300


def test_warnings_end_with_0_and_problems_with_2(run, tmp_path):
    root = sound(tmp_path / "set")
    save(root / "val" / "images" / "000.png", picture(1))
    code, out, _ = run("check", root)
    assert (code, "sound, with 1 warning" in out, "leakage" in out) == (0, True, True)
    (root / "train" / "masks" / "000.png").unlink()
    code, out, _ = run("check", root)
    assert (code, "1 problem:" in out, "000.png: an image without mask" in out) == (2, True, True)


def test_one_bad_set_does_not_hide_the_others(run, here, tmp_path):
    one, two = sound(tmp_path / "a" / "set"), sound(tmp_path / "b" / "set")
    code, out, errors = run("check", one, tmp_path / "nowhere", two)
    assert code == 2
    assert "nowhere does not exist" in errors
    assert out.count("=> sound") == 2
    assert sorted(file.name for file in here.iterdir()) == ["data_check_set-2.png", "data_check_set.png"]


def test_a_place_for_the_sheet(run, here, tmp_path):
    root = sound(tmp_path / "set")
    assert run("check", root, "--out", tmp_path / "deep" / "sheet.png")[0] == 0
    assert (tmp_path / "deep" / "sheet.png").is_file()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "message"),
    [("set/train/sheet.png", "nothing is ever written"), ("link/sheet.png", "nothing is ever written"), ("sheet.jpg", "ends in .png")],
)
def test_sheets_that_are_refused(run, tmp_path, out, message):
    root = sound(tmp_path / "set")
    (tmp_path / "link").symlink_to(root)
    before = sorted(tmp_path.rglob("*"))
    code, printed, errors = run("check", root, "--out", tmp_path / out)
    assert (code, printed) == (2, "")
    assert message in errors
    assert sorted(tmp_path.rglob("*")) == before


def test_one_sheet_is_not_for_two_sets_and_not_for_who_stands_in_the_data(run, tmp_path, monkeypatch):
    root = sound(tmp_path / "set")
    code, _, errors = run("check", root, "synthetic", "--out", "sheet.png")
    assert (code, "2 sets" in errors) == (2, True)
    monkeypatch.chdir(root)
    code, _, errors = run("check", ".")
    assert (code, "give --out FILE elsewhere" in errors) == (2, True)
