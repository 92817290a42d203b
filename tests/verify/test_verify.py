"""`python -m nas.verify`: what passes, and every way to fail."""

import json
import sys
from dataclasses import asdict

import pytest

from nas.data import item_names, open_data
from nas.errors import UserError
from nas.train import Recipe
from nas.verify.__main__ import main
from nas.verify.checks import Case, check_file, check_network
from tests.search.conftest import write_set

RANDOM_IN_TRAINING = "(__import__('random').random() if self.training else 1)"

MODEL = """
import torch
from torch import nn
PARAMS, NUM_CLASSES, INPUT_SIZE = 14, 2, (32, 32)
class Net(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.layer = nn.Conv2d(in_channels, num_classes, 1)
        self.gain = nn.Parameter(torch.ones(6))
    def forward(self, x):
        return self.layer(x) * self.gain.mean()
def build_model(in_channels=3, num_classes=NUM_CLASSES):
    return Net(in_channels, num_classes)
"""


PAPERS = {"normalise": {}, "loss": "", "optimiser": ""}


def recorded(squares, **changed):
    known = {"name": "squares", "classes": ["background", "square"], "in_channels": 3, "image_size": [32, 32], "split": "folders"}
    return known | {"recipe": asdict(Recipe()), "items": item_names(open_data(squares))} | changed


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data") / "squares", train=3, val=2)


@pytest.fixture
def verify(squares, tmp_path, monkeypatch, capsys):
    def run(text=MODEL, budget=100, papers=True, arguments=None, *flags):
        path = tmp_path / "model.py"
        path.write_text(text)
        document = arguments or {**PAPERS, "sets": [recorded(squares)]}
        if papers:
            (tmp_path / "training_args.json").write_text(json.dumps(document))
            (tmp_path / "requirements.txt").write_text("torch>=2.6\n")
        monkeypatch.setattr(sys, "argv", ["nas.verify", str(path), "--budget", str(budget), "--data", str(squares), *flags])
        code = main()
        return code, capsys.readouterr().out

    return run


def test_a_good_file_passes(verify, tmp_path):
    code, said = verify()
    assert code == 0, said
    assert "FAIL" not in said
    assert "14 of 100" in said
    page = (tmp_path / "performance.md").read_text()
    assert "14 parameters; at 3x32x32" in page
    assert "| squares: repeatable | pass |" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budget": 13}, "14 parameters, 1 over the cap of 13: search with --budget 13"),
        ({"text": MODEL.replace("PARAMS, NUM", "import numpy\nPARAMS, NUM")}, "imports numpy"),
        (
            {"text": MODEL.replace("PARAMS, NUM_CLASSES, INPUT_SIZE = 14", "PARAMS, NUM_CLASSES, INPUT_SIZE = 9")},
            "14 parameters where the file says 9",
        ),
        ({"text": MODEL.replace("self.layer(x) *", "self.layer(x)[:, :, 1:] *")}, "logits of every class at the image's own size"),
        ({"text": MODEL.replace("self.layer(x) *", "torch.rand(1) * self.layer(x) *")}, "one image gets two answers"),
        ({"text": MODEL.replace("self.gain.mean()", "torch.sqrt(self.gain.mean() - 1)")}, "not finite"),
        ({"text": MODEL.replace("torch.ones(6)", "torch.tensor([__import__('random').random() for _ in range(6)])")}, "differ in gain"),
        ({"text": MODEL.replace("return self.layer(x)", "return self.layer(x[:, :2])")}, "fails with RuntimeError"),
        ({"papers": False}, "is not there"),
        ({"arguments": {"study": "s"}}, "lacks sets, normalise, loss, optimiser"),
        ({"arguments": {**PAPERS, "sets": []}}, "training_args.json: lacks sets: export"),
        ({"arguments": {"sets": ["squares"]}}, "opening: "),
        ({"text": "import absent_package\n" + MODEL}, "imports absent_package: torch and the standard library are allowed, move it in"),
        ({"text": "def build_model(:\n"}, "no Python that can be read"),
        ({"text": "from .blocks import Net\n" + MODEL}, "imports .blocks: torch"),
        ({"text": MODEL.replace("self.layer(x) *", RANDOM_IN_TRAINING + " * self.layer(x) *")}, "gives two gradients of gain"),
        ({"text": MODEL.replace("return self.layer(x)", "assert False; return self.layer(x)")}, "fails with AssertionError"),
    ],
    ids=[
        "cap",
        "imports",
        "claim",
        "shape",
        "random",
        "finite",
        "weights",
        "forward",
        "papers",
        "arguments",
        "sets",
        "entries",
        "absent",
        "syntax",
        "relative",
        "gradients",
        "assertion",
    ],
)
def test_each_failure_says_what_to_do(verify, change, message):
    code, said = verify(**change)
    assert code == 1
    assert message in said.split("FAIL", 1)[1]


def test_the_split_belongs_to_the_papers(verify, squares):
    found = []
    for lacking in ({"items": {}}, {"items": {**item_names(open_data(squares)), "test": ["a/lost/one"]}}):
        code, said = verify(MODEL, 100, True, {**PAPERS, "sets": [recorded(squares, **lacking)]})
        assert code == 1
        found.append(said.split("FAIL", 1)[1])
    assert "lacks items of a set" in found[0]
    assert "'a/lost/one' for one: put them back" in found[1]
    assert "--new-split" not in found[1]


def test_data_that_are_not_recorded_are_named(verify, squares):
    code, said = verify(MODEL, 100, True, {**PAPERS, "sets": [recorded(squares, name="others", items={"train": ["somebody/else"]})]})
    assert code == 0
    assert "no images of squares: a split of its own, and the recipe of the set that the file is written for" in said


def test_requirements_in_another_encoding_fail(verify, tmp_path):
    verify()
    (tmp_path / "requirements.txt").write_text("torch>=2.6\n", encoding="utf-16")
    code, said = verify(MODEL, 100, False)
    assert code == 1
    assert "FAIL  requirements.txt: is no text in UTF-8" in said


@pytest.mark.parametrize("final", [0.83, [0.83], [{"seed": 1}], [{"iou": None}], "0.83"])
def test_figures_that_are_none_are_not_in_the_summary(verify, tmp_path, squares, final):
    code, said = verify(MODEL, 100, True, {**PAPERS, "sets": [recorded(squares, validation_iou="high")], "final": final})
    assert code == 0, said
    assert "nothing is recorded" in (tmp_path / "performance.md").read_text()


def test_a_file_that_cannot_be_opened_leaves_no_page_of_an_earlier_check(verify, tmp_path):
    verify()
    verify("raise ValueError")
    page = (tmp_path / "performance.md").read_text()
    assert "| opening | FAIL |" in page
    assert "Mend what is named" in page
    assert "parameters" not in page


def test_the_summary_goes_into_no_data(verify, squares):
    with pytest.raises(UserError, match="nothing is ever written"):
        verify(MODEL, 100, True, None, "--out", str(squares / "page.md"))
    assert not (squares / "page.md").exists()


def test_imports_by_name_are_seen(tmp_path):
    path = tmp_path / "m.py"
    path.write_text("import torch, json\ndef f():\n    import importlib\n    return importlib.import_module('pandas')\n")
    (finding,) = check_file(path)
    assert not finding.passed
    assert "pandas" in finding.said


def test_every_exported_peer_passes():
    from nas.export import ModelFacts, model_source
    from nas.model_code import ModelCode
    from nas.space import load_peers

    peer = next(iter(load_peers()))
    facts = ModelFacts(3, (32, 32), (("a", ("background", "x")),), ())
    space: dict = {"__name__": "m"}
    exec(model_source(peer.genome, facts), space)
    constants = {name: value for name, value in space.items() if name.isupper()}
    code = ModelCode("m", space["build_model"], constants=constants)
    findings = list(check_network(code, [Case("a", 2, 3, ((32, 32), (45, 70)))], 100_000))
    assert all(finding.passed for finding in findings), findings
