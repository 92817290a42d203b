"""Model files: standalone, equal to the network, and honest; and the door that writes them."""

import ast
import importlib.util
import json
import random
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from nas.blocks import Conv
from nas.cost import Budget
from nas.errors import UserError
from nas.export import ModelFacts, export_trials, model_source
from nas.export.check import ExportMismatch, check_model_file
from nas.genome import Genome
from nas.network import build_network
from nas.proxy.training import train_rung, trainings
from nas.search import opened_study, run_search, study_folder
from nas.space import known_spaces, load_space, random_params, routed
from tests.search.conftest import finished, squares  # noqa: F401 - fixtures

CLASSES = ("background", "crack", "hole")
FACTS = ModelFacts(3, (48, 64), (("cracks", CLASSES),), ("Found in a test.",))


def genomes(name, count, seed=0):
    space, draw = load_space(name), random.Random(seed)
    for _ in range(count):
        yield space.scale_to(space.decode(random_params(space, draw)), Budget(10_000), FACTS.in_shape, 3)


def load(path):
    spec = importlib.util.spec_from_file_location("model_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", known_spaces())
@pytest.mark.parametrize("count", [25, pytest.param(200, marks=pytest.mark.slow)])
def test_files_equal_their_networks(name, count):
    for genome in genomes(name, count):
        check_model_file(model_source(genome, FACTS), genome, FACTS)


def test_a_file_imports_torch_and_the_standard_library_only():
    for genome in genomes("tiny_unet", 10):
        tree = ast.parse(model_source(genome, FACTS))
        roots = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        roots |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert roots <= {"torch"} | set(sys.stdlib_module_names)


def test_a_file_says_what_it_is(tmp_path):
    (genome,) = genomes("tiny_unet", 1)
    path = tmp_path / "model.py"
    path.write_text(model_source(genome, FACTS))
    module = load(path)
    assert module.INPUT_SIZE == (48, 64)
    assert module.NUM_CLASSES == 3
    assert module.CLASSES == CLASSES
    assert genome.to_json() == module.GENOME
    assert genome.key in module.__doc__
    assert "Found in a test." in module.__doc__
    other = module.build_model(in_channels=5, num_classes=7)
    assert other(torch.zeros(2, 5, 33, 49)).shape == (2, 7, 33, 49)


def test_a_file_that_lies_is_found_out(tmp_path):
    (genome,) = genomes("tiny_unet", 1)
    source = model_source(genome, FACTS)
    path = tmp_path / "model.py"
    path.write_text(source.replace("PARAMS = ", "PARAMS = 1"))
    assert subprocess.run([sys.executable, str(path)], capture_output=True).returncode == 1
    with pytest.raises(ExportMismatch):
        check_model_file(path.read_text(), genome, FACTS)
    path.write_text(source)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 0
    assert "output (1, 3, 48, 64)" in done.stdout


def test_a_wrong_network_is_found_out():
    first, second = genomes("tiny_unet", 2)
    source = model_source(first, FACTS)
    with pytest.raises((ExportMismatch, RuntimeError)):
        check_model_file(source, second, FACTS)


class NumpyBlock(torch.nn.Module):
    def __init__(self, in_channels, out_channels, kernel):
        super().__init__()
        self.conv = torch.nn.Conv2d(in_channels, out_channels, kernel)

    def forward(self, x):
        return self.conv(x) * pytest.approx(1)


def test_a_block_that_needs_another_package_is_refused(monkeypatch):
    class Foreign(Conv):
        kind = "foreign"
        module = NumpyBlock

    (genome,) = genomes("tiny_unet", 1)
    with pytest.raises(UserError, match="uses pytest"):
        model_source(Genome((Foreign(4),), genome.encoder, genome.context, genome.decoder), FACTS)


@pytest.mark.parametrize("name", ["Network", "MACS"])
def test_names_with_a_meaning_in_the_file_are_refused(name):
    class Block(Conv):
        kind = "named"
        module = type(name, (NumpyBlock,), {"__module__": __name__})

    (genome,) = genomes("tiny_unet", 1)
    with pytest.raises(UserError, match=f"called {name}"):
        model_source(Genome((Block(4),), genome.encoder, genome.context, genome.decoder), FACTS)


def test_trained_weights_give_the_same_outputs(finished, tmp_path, monkeypatch):  # noqa: F811
    """The network that was trained, against the file, with the trained weights: difference 0."""
    _, result = finished
    (path,) = export_trials(result.study, result.storage, "best", tmp_path)
    module = load(path)
    kept = {}

    def keep(*arguments, **named):
        kept["network"] = build_network(*arguments, **named)
        return kept["network"]

    monkeypatch.setattr("nas.proxy.training.build_network", keep)
    from nas.data import open_bank
    from nas.genome import genome_from_json
    from nas.train import Recipe

    arguments = json.loads((tmp_path / "training_args.json").read_text())
    (bank,) = [open_bank(folder) for folder in (result.folder.root.parent / ".banks").iterdir() if (folder / "meta.json").exists()]
    recipe = Recipe.from_dict(arguments["sets"][0]["recipe"])
    again, _ = train_rung(genome_from_json(module.GENOME), [trainings([bank], [recipe], joint=False)], "cpu")
    assert again.evaluations["squares"].mean_iou == arguments["validation_iou"]
    exported = module.build_model().eval()
    exported.load_state_dict(kept["network"].state_dict())
    # Training leaves the weights in channels_last, where convolutions round differently in the last bit.
    trained = kept["network"].eval().to(memory_format=torch.contiguous_format)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert (exported(images) - trained(images)).abs().max().item() == 0


def test_the_front_is_exported_whole(finished, tmp_path):  # noqa: F811
    _, result = finished
    paths = export_trials(result.study, result.storage, "front", tmp_path)
    assert [path.parent.name for path in paths] == [f"trial_{number}" for number in result.front["trial"]]
    for path, seeds in zip(paths, result.front["final_seeds"], strict=True):
        trained = {"weights.safetensors"} if seeds else set()
        assert {entry.name for entry in path.parent.iterdir()} == {
            "model.py",
            "training_args.json",
            "requirements.txt",
            "MODEL_CARD.md",
            "architecture.svg",
        } | trained


def test_a_study_is_exported_from_where_it_is_now(finished, tmp_path):  # noqa: F811
    """Folders are moved and renamed, with the study in them; the storage knows where it began."""
    config, result = finished
    home = tmp_path / "moved"
    shutil.copytree(config.home, home)
    folder = study_folder(home, result.study)
    with opened_study(result.study, folder.storage_url(None)) as stored:
        document = stored.document
        facts = {**document["facts"], "space_file": "/gone/space.py", "space_copy": "/gone/studies/finished/space.py"}
        stored.storage.set_study_user_attr(stored.id, "nas", document | {"facts": facts})
    export_trials(result.study, folder.storage_url(None), "best", tmp_path / "out")
    assert (tmp_path / "out" / "weights.safetensors").is_file()
    arguments = json.loads((tmp_path / "out" / "training_args.json").read_text())
    assert arguments["sets"][0]["items"]["val"]
    assert arguments["transforms"]["copy"] == str(folder.transforms)
    again = run_search(replace(config, home=home))
    assert again.front.equals(result.front)
    with opened_study(result.study, again.storage) as stored:
        assert stored.document["facts"]["space_copy"] == str(folder.space)
        assert stored.document["facts"]["space_file"] == document["facts"]["space_file"]


def test_training_arguments_state_the_recipe_and_the_data(finished, tmp_path):  # noqa: F811
    config, result = finished
    export_trials(result.study, result.storage, "0", tmp_path)
    document = json.loads((tmp_path / "training_args.json").read_text())
    assert document["trial"] == 0
    (own,) = document["sets"]
    assert own["recipe"]["epochs"] == config.epochs
    assert own["recipe"]["class_weights"]
    assert own["classes"] == ["background", "class 1"]
    assert document["normalise"]["mean"] > 0
    assert (tmp_path / "requirements.txt").read_text().startswith("torch>=")


@pytest.mark.parametrize(("which", "message"), [("99", "no trial 99"), ("worst", "takes best, front or a trial's number")])
def test_unknown_trials_are_refused(finished, tmp_path, which, message):  # noqa: F811
    _, result = finished
    with pytest.raises(UserError, match=message):
        export_trials(result.study, result.storage, which, tmp_path)


def test_the_door_writes_and_refuses(finished, tmp_path):  # noqa: F811
    config, result = finished
    door = [sys.executable, "-m", "nas.export", "--home", str(config.home)]
    done = subprocess.run([*door, "--study", result.study, "--out", str(tmp_path / "o")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "o" / "model.py")
    done = subprocess.run([*door, "--study", "nothing"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (config.home / "studies" / "nothing").exists()


def test_strings_in_facts_cannot_break_the_file():
    (genome,) = genomes("tiny_unet", 1)
    facts = replace(FACTS, sets=(("set", ("back\\ground", 'a "quoted" """ name', "naïve\n")),), provenance=('odd """ \\ name',))
    source = model_source(genome, facts)
    check_model_file(source, genome, facts)


def test_files_of_several_heads_equal_their_networks():
    facts = ModelFacts(3, (48, 64), (("cracks", CLASSES[:2]), ("holes", CLASSES)), ())
    space, draw = routed(load_space("tiny_unet")), random.Random(0)
    for _ in range(15):
        genome = space.scale_to(space.decode(random_params(space, draw)), Budget(10_000), facts.in_shape, facts.num_classes)
        check_model_file(model_source(genome, facts), genome, facts)
