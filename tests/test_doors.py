"""Doors: what they list, and what they do with mistakes."""

import subprocess
import sys

import pytest


def run(*arguments, **more):
    return subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, **more)


def test_the_doors_are_listed():
    done = run("nas")
    assert done.returncode == 0
    for door in ("data", "search", "space", "export", "train", "evaluate", "predict", "verify"):
        assert f"python -m nas.{door}" in done.stdout


@pytest.mark.parametrize("door", ["nas.search", "nas.export", "nas.train", "nas.evaluate", "nas.predict", "nas.verify"])
def test_help_has_no_surprises(door):
    done = run(door, "--help")
    assert done.returncode == 0
    assert "default" in done.stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--budget", "50"], "its smallest has"),
        (["--space", "nothing"], "tiny_unet"),
        (["--data", "nowhere"], "nowhere"),
        (["--data", "synthetic:cats"], "synthetic:cracks"),
        (["--objectives", "iou,fun"], "dice"),
        (["--sampler", "fun"], "nsga2"),
        (["--storage", "sqlite:////proc/none/study.db"], "cannot be used"),
        (["--image-size", "8"], "32"),
        (["--image-size", "axb"], "pixels"),
        (["--device", "cuda"], "cuda"),
    ],
)
def test_mistakes_get_a_message_and_exit_code_2(flags, message, tmp_path):
    if flags == ["--device", "cuda"]:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has CUDA")
    done = run("nas.search", *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "" or "data:" in done.stdout


def test_a_dry_run_tells_and_writes_nothing(tmp_path):
    done = run("nas.search", "--dry-run", "--data", "synthetic:blobs", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in ("data: ", "image size: ", "bank of views: ", "5 sample draws", "estimate: "):
        assert words in done.stdout
    assert done.stdout.count(" parameters, ") == 5
    assert list(tmp_path.iterdir()) == []
