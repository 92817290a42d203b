"""Presets: each runs with tiny settings, flags override them, and what is wrong in one is said with its file's name."""

import json
import subprocess
import sys

import pytest

from nas.errors import UserError
from nas.search import SearchConfig, preset_config, run_search
from nas.search.options import config_of, parse
from nas.search.presets import known_presets, load_preset, preset_folder
from tests.conftest import ROOT
from tests.data.layouts import writers as w

TINY = {"trials": 1, "epochs": 1, "workers": 0, "device": "cpu", "warm_start": "none", "finalists": 0}


def write_five(data):
    """The five sets where the preset looks for them, as their owners distribute them."""
    w.write_voc(data / "VOC2012")
    w.write_etis(data / "ETIS-LaribPolypDB")
    w.write_cvppp(data / "CVPPP2017")
    w.write_cfd(data / "CFD")
    w.write_coco(data / "CarDD")


def test_the_built_in_ones_are_the_files_of_studies():
    assert preset_folder() == ROOT / "studies"
    assert list(known_presets()) == ["five_datasets", "mcu", "quick"]
    assert all(len(summary) > 20 for summary in known_presets().values())


@pytest.mark.parametrize("name", known_presets())
def test_each_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    more = {} if "data" in load_preset(name) else {"data": ("synthetic:blobs",)}
    if not more:
        write_five(tmp_path / "data")
    result = run_search(preset_config(name, **TINY, **more))
    assert result.trials == 1
    document = json.loads(result.folder.config.read_text())
    assert document["config"]["preset"] == name
    assert document["config"]["budget"] == load_preset(name)["budget"]


def test_the_caps_for_a_microcontroller_are_kept(tmp_path):
    front = run_search(preset_config("mcu", **TINY | {"trials": 3}, data="synthetic:blobs", home=tmp_path)).front
    assert front["params"].max() <= 20_000
    assert front["macs"].max() <= 10_000_000
    assert front["memory"].max() <= 256 * 1024


def test_flags_override_it_and_only_those_that_are_given():
    config = config_of(parse(["--preset", "mcu"]))
    assert config == preset_config("mcu")
    assert (config.budget, config.max_memory, config.image_size, config.space) == (20_000, 262_144, (96, 96), "mobile")
    # Values that are the flags' own defaults override too.
    other = config_of(parse(["--preset", "mcu", "--budget", "10000", "--space=tiny_unet", "--data", "a", "--data", "b"]))
    assert (other.budget, other.max_memory, other.space, other.data) == (10_000, 262_144, "tiny_unet", ("a", "b"))


def test_switches_can_be_turned_either_way(tmp_path):
    path = tmp_path / "switched.toml"
    path.write_text('prune = false\njoint = true\ndata = ["a", "b"]\nworkers = 3\n')
    given = config_of(parse(["--preset", str(path)]))
    assert (given.prune, given.joint, given.workers, given.preset) == (False, True, 3, str(path))
    turned = config_of(parse(["--preset", str(path), "--prune", "--no-joint", "--workers", "auto"]))
    assert (turned.prune, turned.joint, turned.workers) == (True, False, None)


def test_values_are_those_of_the_fields_or_texts_of_the_flags(tmp_path):
    path = tmp_path / "all.toml"
    path.write_text(
        'data = "x"\nbudget = "5K"\nmax_macs = 7\nimage_size = "64x96"\nobjectives = ["dice", "params"]\ntimeout = 5\nlearning_rate = 0.1\n'
        'home = "there"\nseed = 3\n'
    )
    assert preset_config(str(path)) == SearchConfig(
        data=("x",),
        budget=5_000,
        max_macs=7,
        image_size=(64, 96),
        objectives=("dice", "params"),
        timeout=5,
        learning_rate=0.1,
        home="there",
        seed=3,
        preset=str(path),
    )


def test_workers_can_be_left_to_the_machine(tmp_path):
    path = tmp_path / "all.toml"
    path.write_text('workers = "auto"')
    assert load_preset(str(path)) == {"workers": None}
    path.write_text("workers = 3")
    assert load_preset(str(path)) == {"workers": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buget = 3", r"unknown setting 'buget' \(is budget meant\?\)"),
        ("max-macs = 3", "is max_macs meant"),
        ('preset = "quick"', "unknown setting 'preset'"),
        ('budget = "many"', r"budget: a number such as 10000.*'many' was given"),
        ('workers = "many"', "workers: a number of processes, or auto, is needed; 'many' was given"),
        ("budget = true", "budget must be a whole number, True was given"),
        ("trials = 1.5", r"trials must be a whole number, 1\.5 was given"),
        ("trials = 0", "--trials must be at least 1"),
        ('prune = "no"', "prune must be true or false, 'no' was given"),
        ("data = [1]", r"data must be a text, or a list of them, \[1\] was given"),
        ("image_size = [1, 2, 3]", "image_size must be a whole number, or a list of 2"),
        ('device = "tpu"', "unknown device 'tpu'"),
        ('space = ["a"]', "space must be a text"),
        ("[sampler]\nname = 3", "sampler must be a text"),
        ("budget = ", "cannot be read: "),
    ],
)
def test_mistakes_are_named_with_the_file(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=f"the preset {path}.*{message}"):
        load_preset(str(path))


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(UserError, match=r"unknown preset 'fast': give one of five_datasets, mcu, quick"):
        load_preset("fast")


def test_help_lists_them_and_keeps_its_defaults():
    said = subprocess.run([sys.executable, "-m", "nas.search", "--help"], capture_output=True, text=True).stdout
    for name, summary in known_presets().items():
        assert f"  {name:<15}{summary}" in said
    assert "(default 10000)" in said
    assert "SUPPRESS" not in said
