"""`nas.export --model --weights`: a model file goes on with other weights and its papers, or the door says why not."""

import json
import sys

import pytest
import torch

from nas.errors import UserError
from nas.evaluate.trained import TrainedSet, TrainingRecord, read_record, write_record
from nas.export.__main__ import main
from nas.model_code import load_model_code
from nas.weights import fit_weights, read_weights, save_weights
from tests.train.test_job import MODEL

CARD = "# A network\n\n## What it reached\n\n0.5\n"


@pytest.fixture
def export(tmp_path, monkeypatch, capsys):
    """Called with flags; gives what was printed. `net/m.py` has a card, `w.pt` its weights."""
    (tmp_path / "net").mkdir()
    path = tmp_path / "net" / "m.py"
    path.write_text(MODEL + "NUM_CLASSES = 2\n")
    (tmp_path / "net" / "MODEL_CARD.md").write_text(CARD)
    (tmp_path / "net" / "requirements.txt").write_text("torch>=2.6\n")
    (tmp_path / "net" / "training_args.json").write_text(json.dumps({"sets": []}))
    torch.save(load_model_code(str(path)).build(3, 2).state_dict(), tmp_path / "w.pt")
    monkeypatch.chdir(tmp_path)

    def run(*flags, model="net/m.py"):
        monkeypatch.setattr(sys, "argv", ["nas.export", "--model", model, "--weights", "w.pt", *flags])
        assert main() == 0
        return capsys.readouterr().out

    return run


def test_a_copy_holds_all_that_the_weights_need(export, tmp_path):
    said = export("--out", "d")
    names = {"model.py", "weights.safetensors", "training_args.json", "requirements.txt", "MODEL_CARD.md"}
    assert {path.name for path in (tmp_path / "d").iterdir()} == names
    assert set(said.split()) == {f"d/{name}" for name in names}
    copy = load_model_code(str(tmp_path / "d" / "model.py"))
    assert copy.arguments == {"sets": []}
    fit_weights(copy.build(3, 2), read_weights(tmp_path / "d" / "weights.safetensors"), "the copy")
    assert (tmp_path / "d" / "requirements.txt").read_text() == "torch>=2.6\nsafetensors>=0.4\n"


def test_the_card_says_whose_its_figures_are(export, tmp_path):
    export("--out", "d")
    card = (tmp_path / "d" / "MODEL_CARD.md").read_text()
    assert card.startswith(CARD)
    assert "a copy of `w.pt`" in card
    assert "build_model(in_channels=3, num_classes=2); model.load_state_dict" in card
    export("--out", "again", model="d/model.py")
    assert (tmp_path / "again" / "MODEL_CARD.md").read_text().count("## These weights") == 1


def test_a_card_beside_its_own_weights_stays_as_it_is(export, tmp_path, monkeypatch):
    save_weights(tmp_path / "net" / "weights.safetensors", read_weights(tmp_path / "w.pt"))
    export("--weights", "net/weights.safetensors", "--out", "d")
    assert (tmp_path / "d" / "MODEL_CARD.md").read_text() == CARD


def test_the_record_of_the_training_goes_with_its_weights(export, tmp_path):
    one = TrainedSet("a", None, "a", "folders", 3, ("background", "x"), (96, 64), (32, 32), 1, ("p",), ("q",))
    write_record(tmp_path, TrainingRecord("net/m.py", "", ("w.pt",), (one,)))
    assert "d/training.json" in export("--out", "d")
    assert read_record(tmp_path / "d" / "weights.safetensors").set_of().image_size == (96, 64)
    (tmp_path / "training.json").unlink()
    assert "d/training.json" not in export("--out", "d")
    assert not (tmp_path / "d" / "training.json").exists()


def record(folder, *weights, name="a"):
    one = TrainedSet(name, None, name, "folders", 3, ("background", "x"), (96, 64), (32, 32), 1, ("p",), ("q",))
    write_record(folder, TrainingRecord("net/m.py", "", weights, (one,)))


def test_a_copy_into_the_folder_of_its_training_leaves_the_others_their_record(export, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("best.safetensors", "last.safetensors"):
        save_weights(run / name, read_weights(tmp_path / "w.pt"))
    record(run, "best.safetensors", "last.safetensors")
    for _ in range(2):
        export("--weights", "run/best.safetensors", "--out", "run")
        for name in ("best.safetensors", "last.safetensors", "weights.safetensors"):
            assert read_record(run / name).set_of().name == "a"
    export("--out", "run")  # weights of no known training
    assert read_record(run / "weights.safetensors") is None
    assert read_record(run / "best.safetensors").set_of().name == "a"


def test_a_copy_into_the_folder_of_another_training_is_refused(export, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    save_weights(run / "best.safetensors", read_weights(tmp_path / "w.pt"))
    record(run, "best.safetensors", name="other")
    record(tmp_path, "w.pt")
    with pytest.raises(UserError, match=r"training\.json tells of the training that made best\.safetensors.*Give another --out"):
        export("--out", "run")
    assert {path.name for path in run.iterdir()} == {"best.safetensors", "training.json"}
    assert read_record(run / "best.safetensors").set_of().name == "other"


@pytest.mark.parametrize("paper", ["requirements.txt", "MODEL_CARD.md"])
def test_a_paper_in_another_encoding_is_named(export, tmp_path, paper):
    (tmp_path / "net" / paper).write_text("torch>=2.6\n", encoding="utf-16")
    with pytest.raises(UserError, match=rf"{paper} must be text in UTF-8"):
        export("--out", "d")
    assert not (tmp_path / "d").exists()


def test_nothing_to_write_is_said(export, tmp_path):
    with pytest.raises(UserError, match=r"net/m\.py is there already: give --out for a copy"):
        export()
    assert not (tmp_path / "net" / "weights.safetensors").exists()


def test_weights_of_another_network_are_not_copied(export, tmp_path):
    torch.save({"layer": torch.zeros(2)}, tmp_path / "w.pt")
    with pytest.raises(UserError, match="does not fit the model"):
        export("--out", "d")
    assert not (tmp_path / "d").exists()


def test_a_network_of_several_heads_is_copied_and_not_converted(export, tmp_path):
    path = tmp_path / "joint.py"
    path.write_text(
        MODEL + "NUM_CLASSES = (2, 3)\ndef build_model(in_channels=3, num_classes=NUM_CLASSES): return nn.Conv2d(in_channels, 5, 1)\n"
    )
    torch.save(load_model_code(str(path)).build(3, (2, 3)).state_dict(), tmp_path / "w.pt")
    assert "d/model.py" in export("--out", "d", model="joint.py")
    with pytest.raises(UserError, match="has several heads: pt2 are written for networks with one"):
        export("--out", "d", "--formats", "py,pt2", model="joint.py")


def test_a_function_has_no_file_to_copy(export, tmp_path, monkeypatch):
    (tmp_path / "functions.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match="functions:build_model is a function, and py copies a model file"):
        export("--out", "d", model="functions:build_model")
