"""Shipped text is code: every command of the README runs, with few trials."""

import importlib
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.search.conftest import write_set

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)


def commands():
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [part.strip() for line in lines for part in line.split("&&") if not part.strip().startswith("pip install")]


def few(command):
    """The same command with two trials of one epoch, or one epoch of full training."""
    command = re.sub(r"--trials \d+", "--trials 2 --epochs 1", command)
    command = re.sub(r"--epochs 40", "--epochs 1", command)
    return [sys.executable if word == "python" else word for word in shlex.split(command)]


def test_the_first_two_commands_set_up_by_themselves():
    first, second = (block.strip() for block in blocks("bash")[:2])
    assert first == "pip install -e . && python -m nas.search --budget 10000 --trials 200"
    assert second == 'pip install -e ".[dev]" && pytest'


def test_every_flag_named_is_one():
    places = ("search.options", "export.__main__", "train.options", "evaluate.options", "predict.__main__", "verify.__main__")
    parsers = [importlib.import_module(f"nas.{place}").parser() for place in (*places, "space.__main__", "data.__main__")]
    inner = [one for made in parsers for action in made._actions if action.choices for one in _parsers(action.choices)]
    helped = "".join(one.format_help() for one in (*parsers, *inner))
    named = set(re.findall(r"--[a-z][a-z-]+", TEXT)) - {"--artifact-dir"}
    assert named
    assert not {flag for flag in named if flag not in helped}


def _parsers(choices):
    return [one for one in choices.values() if hasattr(one, "format_help")] if isinstance(choices, dict) else []


@pytest.mark.slow
def test_every_command_runs(tmp_path):
    write_set(tmp_path / "path" / "to" / "your" / "data")
    seen = []
    for command in commands():
        if command.startswith("pytest"):
            continue
        if command.startswith("optuna-dashboard"):
            dashboard_answers(command, tmp_path)
        else:
            done = subprocess.run(few(command), cwd=tmp_path, capture_output=True, text=True)
            assert done.returncode == 0, f"{command}: {done.stderr}"
        seen.append(command.split()[0])
    assert seen.count("python") >= 4
    assert "optuna-dashboard" in seen


def dashboard_answers(command, folder, port=18765):
    program = shutil.which("optuna-dashboard", path=str(Path(sys.executable).parent))
    process = subprocess.Popen([program, *shlex.split(command)[1:], "--port", str(port)], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.2)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=5) as answer:
                    assert "synthetic-10000" in answer.read().decode()
                    return
            except OSError:
                continue
        raise AssertionError("the dashboard did not answer")
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_the_python_example_runs(tmp_path):
    (code,) = blocks("python")
    code = code.replace("trials=20", "trials=1, epochs=1")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "studies" / "synthetic-blobs-10000" / "best" / "model.py").exists()
