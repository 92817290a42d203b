"""Networks with several heads: which one answers for a data set, and what is refused where that cannot be told."""

import json
import sys

import pytest
import torch

from nas.data import open_data
from nas.errors import UserError
from nas.evaluate.__main__ import main as evaluate
from nas.evaluate.domains import domain_of, domains_of
from nas.model_code import load_model_code
from nas.verify.__main__ import main as verify
from nas.weights import save_weights
from tests.search.conftest import write_set

MODEL = """
import torch
from torch import nn
PARAMS, NUM_CLASSES, INPUT_SIZE = 10, (2, 2, 3), (32, 32)
DOMAINS = ("none", "all", "three")
class Net(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        # The first head says background everywhere, the second foreground.
        self.bias = nn.Parameter(torch.tensor([9.0, 0, 0, 9, 0, 0, 0]))
        self.scale = nn.Parameter(torch.zeros(3))
        self.counts = num_classes
    def forward(self, x, domain=None):
        heads = self.bias.split(self.counts)
        flat = x.mean(1, keepdim=True) * self.scale.mean()
        answers = [flat + head.view(1, -1, 1, 1) for head in heads]
        return tuple(answers) if domain is None else answers[domain]
def build_model(in_channels=3, num_classes=NUM_CLASSES):
    return Net(in_channels, num_classes)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A model file with three heads, weights, what is recorded, and a data set for each of two heads."""
    (tmp_path / "model.py").write_text(MODEL)
    sets = [{"name": name, "location": str(tmp_path / name), "in_channels": 3} for name in ("none", "all", "three")]
    (tmp_path / "training_args.json").write_text(json.dumps({"sets": sets}))
    save_weights(tmp_path / "w.safetensors", load_model_code(str(tmp_path / "model.py")).build(3, (2, 2, 3)).state_dict())
    write_set(tmp_path / "all", train=3, val=2)
    write_set(tmp_path / "none", train=3, val=2)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def measure(here, monkeypatch):
    def run(*flags):
        monkeypatch.setattr(sys, "argv", ["nas.evaluate", "model.py", "--weights", "w.safetensors", "--device", "cpu", "--quiet", *flags])
        assert evaluate() == 0
        found = json.loads((here / "evaluation.json").read_text())
        return found["domain"], found["figures"]["recall"]["value"]

    return run


def test_the_head_is_that_of_the_recorded_set(measure, here):
    assert measure("--data", "all") == ("all", 1)
    assert measure("--data", "none") == ("none", 0)
    assert measure() == ("none", 0)
    assert "The head of none answers." in (here / "evaluation.md").read_text()
    (here / "all").rename(here / "elsewhere")
    with pytest.raises(UserError, match=r"a head for each of none, all, three, and elsewhere is none of them: .*--domain"):
        measure("--data", "elsewhere")
    assert measure("--data", "elsewhere", "--domain", "all") == ("all", 1)


def test_a_recorded_set_is_known_by_its_place(measure, here):
    document = json.loads((here / "training_args.json").read_text())
    document["sets"][1]["location"] = str(here / "elsewhere")
    (here / "training_args.json").write_text(json.dumps(document))
    (here / "all").rename(here / "elsewhere")
    assert measure("--data", "elsewhere") == ("all", 1)


def test_a_compared_network_with_one_head_needs_no_domain(measure, here):
    (here / "one.py").write_text(
        "from torch import nn\ndef build_model(in_channels=3, num_classes=2):\n    return nn.Conv2d(in_channels, num_classes, 1)\n"
    )
    save_weights(here / "one.safetensors", torch.nn.Conv2d(3, 2, 1).state_dict())
    assert measure("--data", "all", "--domain", "all", "--against", "one.py", "--against-weights", "one.safetensors") == ("all", 1)


def test_what_does_not_go_together_is_refused(measure, here):
    with pytest.raises(UserError, match=r"3 classes for three, and all has 2"):
        measure("--data", "all", "--domain", "three")
    with pytest.raises(UserError, match=r"and four is none of them"):
        measure("--data", "all", "--domain", "four")
    code, sets = load_model_code("model.py"), [open_data("all"), open_data("none")]
    assert domains_of(code, sets) == ["all", "none"]
    assert domains_of(code, sets, ["none", "all"]) == ["none", "all"]
    with pytest.raises(UserError, match="given 1 times for 2 data sets"):
        domains_of(code, sets, ["all"])
    with pytest.raises(UserError, match="all and none would both have the head of all"):
        domains_of(code, sets, ["all", "all"])


def test_a_network_with_one_head_has_no_domains(measure, here):
    (here / "model.py").write_text(MODEL.replace("NUM_CLASSES, INPUT_SIZE = 10, (2, 2, 3)", "NUM_CLASSES, INPUT_SIZE = 10, 2"))
    assert domain_of(load_model_code("model.py"), open_data("all")) is None
    with pytest.raises(UserError, match="has one: leave it out"):
        measure("--data", "all", "--domain", "all")


def test_heads_without_names_have_numbers(measure, here):
    (here / "model.py").write_text(MODEL.replace('DOMAINS = ("none", "all", "three")', ""))
    with pytest.raises(UserError, match="each of 0, 1, 2"):
        measure("--data", "all")
    assert measure("--data", "all", "--domain", "1") == ("1", 1)


def test_verify_tries_the_head_of_each_set_whatever_their_order(here, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("nas.verify.__main__.check_network", lambda code, cases, budget: asked.extend(cases) or ())
    for flags in (["--data", "all", "--data", "none"], ["--data", "all"], ["--data", "all", "--domain", "none"]):
        monkeypatch.setattr(sys, "argv", ["nas.verify", "model.py", "--budget", "10", *flags])
        verify()
    assert [(case.name, case.domain) for case in asked] == [("all", 1), ("none", 0), ("all", 1), ("all", 0)]


def test_verify_builds_all_heads_for_a_part_of_the_sets(here, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["nas.verify", "model.py", "--budget", "10", "--data", "all"])
    verify()
    said = capsys.readouterr().out
    assert "pass  all: parameters: 10 of 10" in said
    assert "pass  all: 2 classes at 32x32" in said
    (here / "model.py").write_text(MODEL.replace("PARAMS, NUM_CLASSES, INPUT_SIZE = 10", "PARAMS, NUM_CLASSES, INPUT_SIZE = 9"))
    verify()
    assert "10 parameters where the file says 9" in capsys.readouterr().out
