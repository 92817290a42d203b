"""`nas.export --model` builds what the weights were trained for: as recorded beside them, or as flags say."""

import sys

import pytest
from torch import nn

from nas.errors import UserError
from nas.evaluate.trained import TrainingRecord, write_record
from nas.export.__main__ import main
from nas.weights import save_weights
from tests.evaluate.test_trained import trained_set
from tests.train.test_job import MODEL


@pytest.fixture
def export(tmp_path, monkeypatch):
    """Called with flags; gives what would be written: input channels and classes. `w.safetensors` are of one channel and three classes."""
    (tmp_path / "functions.py").write_text(MODEL)
    (tmp_path / "m.py").write_text(MODEL + "NUM_CLASSES = 2\n")
    layers = [nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(6, 3, 1)]
    save_weights(tmp_path / "w.safetensors", nn.Sequential(*layers).state_dict())
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = []

    def deploy(model, channels, wanted, out):
        made.append((channels, model[0].in_channels, model[4].out_channels))
        return []

    monkeypatch.setattr("nas.export.__main__.deploy", deploy)

    def run(*flags):
        monkeypatch.setattr(sys, "argv", ["nas.export", *flags])
        assert main() == 0
        return made[-1]

    return run


@pytest.mark.parametrize("model", ["m.py", "functions:build_model"])
def test_classes_and_channels_are_those_of_the_training_or_given(export, tmp_path, model):
    words = ("--model", model, "--weights", "w.safetensors", "--formats", "pt2")
    with pytest.raises(UserError, match=r"does not fit the model|give --classes"):
        export(*words)
    assert export(*words, "--classes", "3", "--channels", "1") == (1, 1, 3)
    own = trained_set("grey", channels=1, classes=("background", "a", "b"))
    write_record(tmp_path, TrainingRecord(model, "abc", ("w.safetensors",), (own,)))
    assert export(*words) == (1, 1, 3)


def test_a_study_takes_neither(export):
    with pytest.raises(UserError, match="go with --model"):
        export("--study", "s", "--classes", "3")


def test_weights_for_a_model_file_alone_are_not_passed_over(export):
    with pytest.raises(UserError, match=r"give --formats.*or, for a copy of a model file with them, --model and --out"):
        export("--study", "s", "--weights", "w.safetensors")
