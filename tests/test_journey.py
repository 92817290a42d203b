"""The whole way, with real processes and few steps: search, train, evaluate, predict, verify; on the built-in set and on real data."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow


def go(folder, *words, code=0):
    done = subprocess.run([sys.executable, "-m", *map(str, words)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(params=["synthetic:blobs", "Peanut", "Kvasir-SEG"])
def source(request, tmp_path):
    if ":" in request.param:
        return request.param
    return str(request.getfixturevalue("real_data") / request.param)


def test_the_whole_way(source, tmp_path):
    few = ("--trials", 2, "--epochs", 1, "--finalists", 1, "--final-seeds", 1, "--image-size", 64)
    go(tmp_path, "nas.search", "--data", source, "--budget", 10000, "--study", "j", *few)
    model = tmp_path / "studies" / "j" / "best" / "model.py"
    recorded = json.loads((model.parent / "training_args.json").read_text())["sets"][0]
    assert sum(map(len, recorded["items"].values())) == sum(recorded["images"].values())

    said = go(tmp_path, "nas.train", model, "--epochs", 1, "--views", 1, "--image-size", 96, "--out", "run", "--quiet")
    weights = tmp_path / "run" / "best.safetensors"
    assert str(weights.relative_to(tmp_path)) in said

    measured = "test" if recorded["images"]["test"] else "val"  # Kvasir-SEG's test list repeats its validation, and is left out
    go(tmp_path, "nas.evaluate", model, "--weights", weights, "--split", measured, "--errors", "wrong", "--quiet")
    found = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert found["images"] == recorded["images"][measured]
    assert found["image_size"] == [96, 96]
    assert 0 <= found["figures"]["miou"]["value"] <= 1

    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (50, 70, 3), dtype=np.uint8)).save(tmp_path / "one.png")
    go(tmp_path, "nas.predict", model, "one.png", "--weights", weights, "--out", "masks", "--overlays", "--quiet")
    assert Image.open(tmp_path / "masks" / "one.png").size == (70, 50)

    assert "FAIL" not in go(tmp_path, "nas.verify", model, "--budget", 10000)
    card = (model.parent / "MODEL_CARD.md").read_text()
    assert "architecture.svg" in card
    assert (model.parent / "architecture.svg").is_file()
    said = go(tmp_path, "nas.export", "--study", "j", "--formats", "py,onnx,pt2", "--out", "deployed")
    assert said.count("largest difference to the network") == 2
    assert {"model.py", "model.onnx", "model.pt2"} <= {path.name for path in (tmp_path / "deployed").iterdir()}
    go(tmp_path, "nas.export", "--model", model, "--weights", weights, "--formats", "folded", "--out", "mine")

    assert "over the cap" in go(tmp_path, "nas.verify", model, "--budget", 500, code=1)
