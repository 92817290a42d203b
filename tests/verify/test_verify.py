"""`python -m nas.verify`: what passes, and every way to fail."""

import json
import sys
from dataclasses import asdict

import pytest

from nas.errors import UserError
from nas.train import Recipe
from nas.verify.__main__ import main
from nas.verify.checks import Case, check_file, check_network
from tests.search.conftest import write_set

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


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data") / "squares", train=3, val=2)


@pytest.fixture
def verify(squares, tmp_path, monkeypatch, capsys):
    def run(text=MODEL, budget=100, papers=True, arguments=None, *flags):
        path = tmp_path / "model.py"
        path.write_text(text)
        recorded = {"name": "squares", "classes": ["background", "square"], "in_channels": 3, "image_size": [32, 32], "split": "folders"}
        document = arguments or {"sets": [{**recorded, "recipe": asdict(Recipe())}], "normalise": {}, "loss": "", "optimiser": ""}
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
        ({"arguments": {"sets": []}}, "lacks normalise, loss, optimiser"),
    ],
    ids=["cap", "imports", "claim", "shape", "random", "finite", "weights", "forward", "papers", "arguments"],
)
def test_each_failure_says_what_to_do(verify, change, message):
    code, said = verify(**change)
    assert code == 1
    assert message in said.split("FAIL", 1)[1]


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
