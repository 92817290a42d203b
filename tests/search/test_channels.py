"""Searches on images of other than three channels, from the data to the model file."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from nas.errors import UserError
from nas.export import export_trials
from nas.search import run_search
from nas.search.dry_run import dry_run
from nas.search.plan import make_plan
from tests.data.layouts.writers import save_array
from tests.search.conftest import write_set


@pytest.fixture
def sensed(tmp_path):
    """The squares as a sensor of so many bands sees them: in the last band alone."""

    def made(channels):
        root = write_set(tmp_path / f"sensed{channels}")
        for path in sorted(root.rglob("images/*.png")):
            mask = np.asarray(Image.open(path.parents[1] / "masks" / path.name))
            noise = np.random.default_rng(int(path.stem)).integers(0, 100, (*mask.shape, channels), dtype=np.uint8)
            noise[..., -1] += 120 * mask
            if channels in (1, 4):
                Image.fromarray(noise.squeeze()).save(path)
            else:
                path.unlink()
                save_array(path.with_suffix(".npy"), noise)
        return root

    return made


@pytest.mark.parametrize("channels", [1, 4, 6])
def test_from_the_data_to_the_model_file(quick, sensed, channels, tmp_path):
    config = quick(data=(str(sensed(channels)),), channels=channels, trials=2, epochs=3)
    assert f"channels: {channels} of each image" in dry_run(config)
    result = run_search(config)
    assert json.loads(result.folder.config.read_text())["settings"]["channels"] == channels
    (path,) = export_trials(result.study, result.storage, "best", tmp_path / "best")
    arguments = json.loads((path.parent / "training_args.json").read_text())
    assert arguments["sets"][0]["in_channels"] == channels
    assert {1: "grey", 4: "4 channels", 6: "6 channels"}[channels] in arguments["normalise"]["formula"]
    spec = importlib.util.spec_from_file_location("model_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.build_model().eval()
    assert model(torch.zeros(2, channels, 33, 47)).shape == (2, 2, 33, 47)
    assert sum(parameter.numel() for parameter in model.parameters()) == module.PARAMS == result.front["params"][0]
    assert subprocess.run([sys.executable, str(path)], capture_output=True).returncode == 0


def test_the_last_channel_is_really_seen(quick, sensed):
    """What is to be found is in the fourth band alone: as RGB it is invisible."""
    config = quick(data=(str(sensed(4)),), trials=1, epochs=20, learning_rate=0.01, warm_start="none")
    four, three = (run_search(replace(config, channels=channels, study=f"channels{channels}")) for channels in (4, None))
    assert four.front["iou"][0] > three.front["iou"][0] + 0.2


def test_costs_are_those_of_the_channels(quick, sensed):
    assert make_plan(quick(data=(str(sensed(4)),), channels=4)).in_shape == (4, 32, 32)


def test_other_channels_are_other_settings(quick, sensed):
    folder = str(sensed(4))
    run_search(quick(data=(folder,), trials=1))
    with pytest.raises(UserError, match="channels is 3, now 4"):
        run_search(quick(data=(folder,), channels=4, trials=2))


def test_all_sets_have_as_many_channels(quick, sensed, squares):
    four = str(sensed(4))
    with pytest.raises(UserError, match="synthetic is built in and has 3 channels, 4 were asked for"):
        make_plan(quick(data=(four, "synthetic"), channels=4))
    with pytest.raises(UserError, match=r"squares has 18 problems.*\n.*000\.png: has 3 channels; expected 4"):
        make_plan(quick(data=(four, str(squares)), channels=4))
