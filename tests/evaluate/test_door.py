"""`python -m nas.evaluate` as a person uses it, in this process."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from nas.errors import UserError
from nas.evaluate.__main__ import main
from nas.evaluate.trained import TrainingRecord, write_record
from nas.weights import save_weights
from tests.data.layouts.writers import write_coco
from tests.evaluate.test_trained import trained_set
from tests.search.conftest import write_set

MODEL = """
from torch import nn
NUM_CLASSES, INPUT_SIZE, CLASSES = 2, (32, 32), ("background", "square")
def build_model(in_channels=3, num_classes=2):
    return nn.Sequential(nn.Conv2d(in_channels, num_classes, 1))
"""


def bright(sharp=8.0):
    """Weights that know the squares: they are 100 brighter."""
    weight = torch.zeros(2, 3, 1, 1)
    weight[1] = sharp / 3
    return {"0.weight": weight, "0.bias": torch.tensor([0.0, 0.2 * sharp])}


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data") / "squares", val=8)


@pytest.fixture
def call(squares, tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(MODEL)
    save_weights(tmp_path / "good.safetensors", bright())
    save_weights(tmp_path / "poor.safetensors", bright(-1.0))
    monkeypatch.chdir(tmp_path)

    def run(*flags, weights="good.safetensors", data=True):
        own = ["--data", str(squares)] if data else []
        monkeypatch.setattr(sys, "argv", ["nas.evaluate", "model.py", "--weights", weights, *own, "--device", "cpu", "--quiet", *flags])
        assert main() == 0
        return json.loads((tmp_path / "evaluation.json").read_text())

    return run


def test_figures_cost_and_pages(call, tmp_path, capsys):
    found = call("--split", "val")
    assert found["images"] == 8
    assert found["figures"]["iou"]["value"] > 0.5
    assert found["figures"]["iou"]["low"] <= found["figures"]["iou"]["value"] <= found["figures"]["iou"]["high"]
    assert {"iou", "miou", "dice_pooled", "dice_per_image", "precision", "recall", "boundary_f", "iou class 1"} <= set(found["figures"])
    assert found["performance"]["params"] == 8
    assert found["performance"]["macs"] == found["passes"]["macs"] == 32 * 32 * 6
    said = capsys.readouterr().out
    assert said.startswith((tmp_path / "evaluation.md").read_text())
    assert "Cost: 8 parameters; at 3x32x32" in said
    assert "thread" in said


def test_the_default_is_the_test_split(call):
    assert call()["split"] == "test"


def test_threshold_comes_from_val_never_from_what_it_is_judged_by(call, capsys):
    found = call("--threshold", "auto", "--split", "test")
    assert 0 < found["threshold"] < 1
    with pytest.raises(UserError, match="cannot be judged by val"):
        call("--threshold", "auto", "--split", "val")
    assert call("--threshold", "0.999999", "--split", "val")["figures"]["recall"]["value"] < 0.9
    with pytest.raises(SystemExit):
        call("--threshold", "50")
    assert "auto, or a probability between 0 and 1 is needed, '50' was given" in capsys.readouterr().err


def test_augmentation_and_ensemble(call, capsys):
    found = call("--tta", "flips,scales", "--weights", "poor.safetensors", "--split", "val")
    assert found["tta"] == ["flips", "scales"]
    assert len(found["weights"]) == 2
    said = capsys.readouterr().out
    assert "an ensemble" in said
    # The cost is that of all passes: both networks, each image mirrored four ways, at 32, 32 and 48 pixels (24 and 40 in multiples of 16).
    passes, once = found["passes"], found["performance"]
    assert (passes["number"], passes["networks"], passes["mirrorings"]) == (24, 2, 4)
    assert passes["sizes"] == [[32, 32], [32, 32], [48, 48]]
    assert passes["params"] == 2 * once["params"]
    assert passes["macs"] == 8 * 6 * (32 * 32 + 32 * 32 + 48 * 48)
    assert passes["latency_ms"] > 8 * once["latency_ms"]
    assert "Cost: an image takes 24 passes (2 networks; 4 mirrorings; 3 sizes: 32x32, 32x32, 48x48): 16 parameters; 0.21M MACs" in said
    assert "One pass of one network: 8 parameters; at 3x32x32" in said


def test_two_models_on_the_same_images(call):
    found = call("--against", "model.py", "--against-weights", "poor.safetensors", "--split", "val")
    apart = found["against"]["differences"]["iou"]
    assert apart["low"] > 0
    assert apart["ahead"] == 1
    assert found["against"]["weights"] == ["poor.safetensors"]
    with pytest.raises(UserError, match="belong together"):
        call("--against", "model.py")


def names(*ranges):
    return tuple(f"{split}/{number:03}" for split, numbers in ranges for number in numbers)


def trained(tmp_path, *names, weights="good.safetensors"):
    """Says that weights were trained on some images of the squares."""
    own = trained_set("squares", train=names)
    write_record(tmp_path, TrainingRecord("model.py", "abc", (weights,), (own,)))


def test_images_that_were_trained_on_are_told(call, tmp_path, capsys):
    assert call("--split", "val")["warnings"] == []
    capsys.readouterr()
    trained(tmp_path, *names(("train", range(12)), ("val", range(3))))
    (warning,) = call("--split", "val")["warnings"]
    assert "good.safetensors was trained on 3 of these 8 images, 'val/000' for one" in warning
    assert f"**Warning: {warning}.**" in capsys.readouterr().out
    assert call("--split", "test")["warnings"] == []


def test_images_that_the_other_network_was_trained_on_are_told(call, tmp_path):
    trained(tmp_path, "test/001", weights="poor.safetensors")
    (warning,) = call("--against", "model.py", "--against-weights", "poor.safetensors")["warnings"]
    assert "poor.safetensors was trained on 1 of these 2 images" in warning


def test_a_threshold_is_chosen_on_images_that_were_not_trained_on(call, tmp_path, monkeypatch, capsys):
    used = []
    monkeypatch.setattr("nas.evaluate.__main__.best_threshold", lambda data, items, predictor: used.extend(items) or 0.5)
    trained(tmp_path, *names(("train", range(12)), ("val", range(5))))
    call("--threshold", "auto")
    assert [item.name for item in used] == list(names(("val", range(5, 8))))
    assert "chosen on the 3 of 8 images of val that were not trained on" in capsys.readouterr().out
    trained(tmp_path, *names(("val", range(8))))
    with pytest.raises(UserError, match="trained on all validation images of squares"):
        call("--threshold", "auto")


def test_errors_are_shown(call, tmp_path):
    other = ("--against", "model.py", "--against-weights", "good.safetensors")  # whose mistakes are not shown
    call("--errors", "wrong", "--worst", "3", "--split", "val", *other, weights="poor.safetensors")
    assert len(list((tmp_path / "wrong").glob("*.png"))) == 3
    assert "wrong" in (tmp_path / "wrong" / "errors.md").read_text()


def test_overlays_of_an_earlier_run_go_and_other_files_stay(call, tmp_path):
    call("--errors", "wrong", "--worst", "5", "--split", "val", weights="poor.safetensors")
    before = {path.name for path in (tmp_path / "wrong").glob("*.png")}
    (tmp_path / "wrong" / "03-mine.png").write_bytes(b"mine")
    call("--errors", "wrong", "--worst", "2", "--split", "train")
    after = {path.name for path in (tmp_path / "wrong").glob("*.png")}
    assert len(after) == 3
    assert after & before == set()
    assert "03-mine.png" in after


@pytest.mark.parametrize("text", ["{", "[]", '{"overlays": 3}', '{"overlays": ["../good.safetensors", "../kept.png", 7]}'])
def test_a_strange_record_of_overlays_removes_nothing(call, tmp_path, text):
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "errors.json").write_text(text)
    (tmp_path / "kept.png").write_bytes(b"mine")
    call("--errors", "wrong", "--worst", "1", "--split", "val")
    assert (tmp_path / "kept.png").is_file()


def test_mistakes_are_explained(call, squares, tmp_path):
    with pytest.raises(UserError, match="give --data"):
        call(data=False)
    with pytest.raises(UserError, match="nothing is ever written"):
        call("--out", str(squares))
    with pytest.raises(UserError, match=r"nothing is ever written: give --errors elsewhere"):
        call("--errors", str(squares / "wrong"))
    with pytest.raises(UserError, match="is not there"):
        call(weights="gone.safetensors")
    save_weights(tmp_path / "three.safetensors", nn.Sequential(nn.Conv2d(3, 3, 1)).state_dict())
    with pytest.raises(UserError, match=r"0\.weight is 3x3x1x1 in the file and 2x3x1x1 in the model"):
        call(weights="three.safetensors")


def test_masks_that_cannot_be_judged_by_are_named_before_anything_is_predicted(call, tmp_path, monkeypatch):
    data = write_set(tmp_path / "broken", train=1, val=2)
    (data / "classes.txt").write_text("background\nsquare\n")
    for mask, values in (("test/masks/001.png", np.full((32, 32), 7)), ("val/masks/000.png", np.ones((16, 32)))):
        Image.fromarray(values.astype(np.uint8)).save(data / mask)
    monkeypatch.setattr("nas.evaluate.whole.Predictor.__call__", lambda *_: pytest.fail("an image was predicted"))
    with pytest.raises(UserError, match=r"test/masks/001\.png: holds the values 7; expected 0 to 1") as error:
        call("--data", str(data))
    assert "val/masks" not in str(error.value)
    with pytest.raises(UserError, match=r"val/masks/000\.png: the mask is 32x16, its image 32x32"):
        call("--data", str(data), "--threshold", "auto")
    assert not (tmp_path / "evaluation.json").exists()


@pytest.mark.parametrize("channels", [3, 1])
def test_weights_of_the_files_own_classes_on_other_data_are_explained(call, tmp_path, channels):
    (tmp_path / "model.py").write_text(MODEL.replace("NUM_CLASSES, INPUT_SIZE, CLASSES = 2", "NUM_CLASSES, INPUT_SIZE, CLASSES = 3"))
    save_weights(tmp_path / "three.safetensors", nn.Sequential(nn.Conv2d(channels, 3, 1)).state_dict())
    with pytest.raises(UserError, match="trained for the 3 classes"):
        call("--channels", str(channels), weights="three.safetensors")


def coco(root, **changes):
    """A set that looking takes for one of four classes, and what a search on it as of two would have recorded."""
    write_coco(root, **changes)
    recorded = {"name": root.name, "location": str(root), "layout": "coco-binary", "in_channels": 3}
    return {"sets": [recorded]}


def test_the_recorded_layout_is_kept(call, tmp_path):
    recorded = coco(tmp_path / "data" / "cars")
    (tmp_path / "training_args.json").write_text(json.dumps(recorded))
    assert call("--split", "val", data=False)["data"] == "cars"
    (tmp_path / "data").rename(tmp_path / "moved")
    assert call("--split", "val", "--data", "moved/cars", data=False)["data"] == "cars"
    with pytest.raises(UserError, match="have 4"):
        call("--split", "val", "--data", "moved/cars", "--layout", "coco", data=False)


def test_the_recorded_layout_of_a_folder_within_is_kept_and_another_folder_is_looked_at(call, tmp_path, squares):
    recorded = coco(tmp_path / "release", inside="CarDD_COCO")
    recorded["sets"][0] |= {"name": "CarDD_COCO", "location": str(tmp_path / "release" / "CarDD_COCO")}
    (tmp_path / "training_args.json").write_text(json.dumps(recorded))
    assert call("--split", "val", "--data", "release", data=False)["data"] == "CarDD_COCO"
    recorded["sets"][0] |= {"name": "squares"}
    (tmp_path / "training_args.json").write_text(json.dumps(recorded))
    assert call("--split", "val")["data"] == "squares"


def test_without_data_it_is_measured_on_what_its_weights_were_trained_on(call, tmp_path, squares):
    searched = {"name": "searched", "location": str(tmp_path / "gone"), "in_channels": 3}
    (tmp_path / "training_args.json").write_text(json.dumps({"sets": [searched]}))
    own = trained_set("squares", location=str(squares))
    write_record(tmp_path, TrainingRecord("model.py", "abc", ("good.safetensors",), (own,)))
    assert call(data=False)["data"] == "squares"
    write_record(tmp_path, TrainingRecord("model.py", "abc", ("good.safetensors",), (replace(own, location=""),)))
    with pytest.raises(UserError, match="gone"):
        call(data=False)
    (tmp_path / "training_args.json").unlink()
    with pytest.raises(UserError, match="give --data"):
        call(data=False)


def test_a_set_without_such_a_split_is_explained(tmp_path, call):
    with pytest.raises(SystemExit):
        call("--split", "holiday")
