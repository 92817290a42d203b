"""`python -m nas.predict` as a person uses it, in this process."""

import sys

import numpy as np
import pytest
from PIL import Image
from torch import nn

from nas.data import resize_image
from nas.errors import UserError
from nas.evaluate.trained import TrainingRecord, write_record
from nas.predict.__main__ import main
from nas.predict.files import find_images
from nas.weights import save_weights
from tests.evaluate.test_door import MODEL, bright
from tests.evaluate.test_trained import trained_set


def picture(path, height=40, width=60):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((height, width, 3), 30, dtype=np.uint8)
    image[10:30, 10:30] = 220
    Image.fromarray(image).save(path)
    return image


@pytest.fixture
def call(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(MODEL)
    save_weights(tmp_path / "w.safetensors", bright())
    monkeypatch.chdir(tmp_path)

    def run(*given):
        monkeypatch.setattr(sys, "argv", ["nas.predict", "model.py", *given, "--weights", "w.safetensors", "--device", "cpu", "--quiet"])
        return main()

    return run


def test_masks_in_the_images_own_size(call, tmp_path):
    image = picture(tmp_path / "photos" / "one.png")
    picture(tmp_path / "photos" / "süd 2" / "two.jpg", 33, 47)
    assert call("photos", "--out", "masks") == 0
    mask = Image.open(tmp_path / "masks" / "one.png")
    assert mask.mode == "P"
    assert (np.array(mask) == (image[..., 0] > 100)).mean() > 0.95
    assert Image.open(tmp_path / "masks" / "süd 2" / "two.png").size == (47, 33)


def test_overlays_and_probabilities(call, tmp_path):
    picture(tmp_path / "one.png")
    call("one.png", "--out", "masks", "--overlays", "--probabilities", "--tta", "flips")
    assert Image.open(tmp_path / "masks" / "overlays" / "one.png").size == (60, 40)
    shares = np.load(tmp_path / "masks" / "probabilities" / "one.npy")
    assert shares.shape == (2, 40, 60)
    assert shares.dtype == np.float16


def test_a_threshold(call, tmp_path):
    picture(tmp_path / "one.png")
    call("one.png", "--out", "masks", "--threshold", "0.0000001")
    assert (np.array(Image.open(tmp_path / "masks" / "one.png")) == 1).mean() > 0.9


@pytest.mark.parametrize("given", ["photos", "photos/**/*.png"])
def test_masks_of_an_earlier_run_within_the_folder_are_no_images(call, tmp_path, given, capsys):
    picture(tmp_path / "photos" / "one.png")
    picture(tmp_path / "photos" / "sub" / "two.png")
    for _ in range(2):
        call(given, "--out", "photos/masks", "--overlays")
        assert "2 masks in photos/masks" in capsys.readouterr().out
    assert len(list((tmp_path / "photos" / "masks").rglob("*.png"))) == 4


def test_an_out_around_the_images_leaves_none_of_them_out(call, tmp_path):
    picture(tmp_path / "photos" / "sub" / "one.png")
    call("photos", "--out", ".")
    assert (tmp_path / "sub" / "one.png").is_file()
    with pytest.raises(UserError, match=r"photos/sub is the folder of one\.png: masks would get between the images"):
        call("photos", "--out", "photos")


@pytest.mark.parametrize("given", ["50", "0", "auto", "half"])
def test_a_threshold_that_is_no_probability_is_refused(call, tmp_path, given, capsys):
    picture(tmp_path / "one.png")
    with pytest.raises(SystemExit) as ended:
        call("one.png", "--out", "masks", "--threshold", given)
    assert ended.value.code == 2
    assert f"a probability between 0 and 1 is needed, '{given}' was given" in capsys.readouterr().err
    assert not (tmp_path / "masks").exists()


def test_a_model_that_does_not_say_its_classes_needs_them(call, tmp_path):
    picture(tmp_path / "one.png")
    (tmp_path / "model.py").write_text(MODEL.replace("NUM_CLASSES, INPUT_SIZE, CLASSES = 2, ", "INPUT_SIZE, CLASSES = "))
    with pytest.raises(UserError, match="does not say its number of classes: give --classes") as error:
        call("one.png", "--out", "masks")
    assert "--data" not in str(error.value)
    assert call("one.png", "--out", "masks", "--classes", "2") == 0


def test_channels_classes_and_size_are_those_of_the_training(call, tmp_path, monkeypatch):
    picture(tmp_path / "one.png")
    seen = []
    monkeypatch.setattr("nas.evaluate.whole.resize_image", lambda image, size: seen.append(size) or resize_image(image, size))
    save_weights(tmp_path / "w.safetensors", nn.Sequential(nn.Conv2d(1, 5, 1)).state_dict())
    own = trained_set("grey", (64, 96), channels=1, classes=("background", "a", "b", "c", "d"))
    write_record(tmp_path, TrainingRecord("model.py", "abc", ("w.safetensors",), (own,)))
    assert call("one.png", "--out", "masks") == 0
    assert seen == [(64, 96)]


def test_files_folders_and_patterns(tmp_path):
    for name in ("a/one.png", "a/b/one.png", "a/two.jpg", "a/notes.txt", "c/three.png"):
        picture(tmp_path / name) if not name.endswith("txt") else (tmp_path / name).write_text("")
    found = find_images([str(tmp_path / "a"), str(tmp_path / "c" / "*.png"), str(tmp_path / "a" / "two.jpg")], tmp_path / "masks")
    assert [str(name) for _, name in found] == ["b/one", "one", "two", "three"]


def test_two_images_for_one_mask_are_refused(tmp_path):
    picture(tmp_path / "a" / "one.png")
    picture(tmp_path / "b" / "one.png")
    with pytest.raises(UserError, match=r"would both be written as one\.png"):
        find_images([str(tmp_path / "a" / "one.png"), str(tmp_path / "b" / "one.png")], tmp_path / "masks")


def test_mistakes_are_explained(call, tmp_path):
    with pytest.raises(UserError, match="means no image"):
        call("nothing/*.png", "--out", "masks")
    picture(tmp_path / "photos" / "one.png")
    with pytest.raises(UserError, match="masks would get between the images"):
        call("photos", "--out", "photos")
    with pytest.raises(UserError, match="--domain is for networks with several heads"):
        call("photos", "--out", "masks", "--domain", "kvasir")
    (tmp_path / "photos" / "two.png").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"two\.png"):
        call("photos", "--out", "masks")
