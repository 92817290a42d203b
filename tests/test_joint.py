"""A network for two data sets, from the search to the hand-in, in this process: each door finds the head of the data by itself."""

import json
import shlex
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from nas.errors import UserError
from nas.evaluate.__main__ import main as evaluate
from nas.export import export_trials
from nas.predict.__main__ import main as predict
from nas.search import SearchConfig, run_search
from nas.train.__main__ import main as train
from nas.verify.__main__ import main as verify
from tests.search.conftest import write_set


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of two data sets of two and three classes, and of the model file of both."""
    home = tmp_path_factory.mktemp("joint")
    write_set(home / "squares")
    write_set(home / "bands", train=8, size=(48, 32))
    for mask in (home / "bands").rglob("masks/*.png"):
        values = np.asarray(Image.open(mask)).copy()
        values[40:, :] = 2
        Image.fromarray(values).save(mask)
    given = {"epochs": 1, "workers": 0, "device": "cpu", "home": home, "study": "j", "warm_start": "none"}
    result = run_search(SearchConfig(data=(str(home / "squares"), str(home / "bands")), joint=True, trials=1, finalists=0, **given))
    export_trials(result.study, result.storage, "best", home / "net")
    return home


@pytest.fixture
def go(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(door, *flags):
        monkeypatch.setattr(sys, "argv", ["nas", str(made / "net" / "model.py"), *map(str, flags)])
        return door()

    return run


FEW = ("--epochs", 2, "--views", 1, "--device", "cpu", "--quiet")


def test_the_whole_way(go, made, tmp_path, monkeypatch, capsys):
    go(train, *FEW, "--out", "run")
    line = capsys.readouterr().out.split("Evaluate: ")[1]
    weights = ("--weights", "run/best.safetensors")
    monkeypatch.setattr(sys, "argv", shlex.split(line)[2:])
    evaluate()
    assert "on the test split of squares" in capsys.readouterr().out
    go(evaluate, *weights, "--data", made / "bands", "--split", "val", "--device", "cpu", "--quiet")
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert (found["domain"], found["image_size"]) == ("bands", [48, 32])
    assert "iou class 2" in found["figures"]
    with pytest.raises(UserError, match="a head for each of squares, bands, and none is named"):
        go(predict, made / "bands" / "test" / "images", *weights, "--out", "masks")
    assert go(predict, made / "bands" / "test" / "images", *weights, "--out", "masks", "--domain", "bands", "--quiet") == 0
    assert Image.open(tmp_path / "masks" / "000.png").size == (32, 48)
    for order in ((), ("--data", made / "bands", "--data", made / "squares"), ("--data", made / "bands")):
        assert go(verify, "--budget", 10_000, "--out", "page.md", *order) == 0
    assert "--data path/to/squares --data path/to/bands" in (made / "net" / "MODEL_CARD.md").read_text()


def test_the_order_of_the_data_is_that_of_the_heads(go, made, tmp_path):
    go(train, *FEW, "--out", "one")
    go(train, *FEW, "--out", "other", "--data", made / "bands", "--data", made / "squares")
    same = [(tmp_path / name / "best.safetensors").read_bytes() for name in ("one", "other")]
    assert same[0] == same[1]


def test_other_data_for_the_same_heads_are_named(go, made, tmp_path, capsys, monkeypatch):
    mine = [shutil.copytree(made / name, tmp_path / f"my-{name}") for name in ("squares", "bands")]
    data = ("--data", mine[1], "--data", mine[0])
    with pytest.raises(UserError, match=r"my-bands is none of them: .*--domain"):
        go(train, *FEW, *data)
    go(train, *FEW, *data, "--domain", "bands", "--domain", "squares", "--out", "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [(one["domain"], one["name"]) for one in summary["sets"]] == [("squares", "my-squares"), ("bands", "my-bands")]
    monkeypatch.setattr(sys, "argv", shlex.split(capsys.readouterr().out.split("Evaluate: ")[1])[2:])
    assert evaluate() == 0
    go(predict, mine[1] / "test" / "images", "--weights", "run/best.safetensors", "--out", "masks", "--domain", "bands", "--quiet")


def test_what_does_not_fit_the_heads_is_refused(go, made, tmp_path):
    with pytest.raises(UserError, match="learns squares, bands together, and there are no data for squares"):
        go(train, *FEW, "--data", made / "bands")
    with pytest.raises(UserError, match="3 classes for bands, and squares has 2"):
        go(train, *FEW, "--data", made / "squares", "--data", made / "bands", "--domain", "bands", "--domain", "squares")


def test_one_recipe_for_all_heads_at_the_length_of_the_mean_set(go, made, monkeypatch):
    from nas.model_code import load_model_code
    from nas.train.full_config import FullConfig
    from nas.train.full_sets import make_full_sets

    monkeypatch.setattr("nas.train.full_sets.SHOWN", 1_000)  # of 12 and 8 training images
    path = str(made / "net" / "model.py")
    sets = make_full_sets(FullConfig(path), load_model_code(path))
    assert sets[0].recipe == sets[1].recipe
    assert sets[0].recipe.epochs == 100
