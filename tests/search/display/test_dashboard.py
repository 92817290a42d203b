"""The real dashboard on a real study: what a person would see there."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


@pytest.fixture
def dashboard(finished):
    """The dashboard's own view of the study, as JSON."""
    _, result = finished
    program = shutil.which("optuna-dashboard", path=str(Path(sys.executable).parent))
    assert program, "optuna-dashboard is installed with the tool"
    address = f"http://127.0.0.1:{(port := free_port())}/api/studies"
    command = [program, result.storage, "--artifact-dir", str(result.folder.artifacts), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(150):
            try:
                study_id = json.load(urllib.request.urlopen(address, timeout=5))["study_summaries"][0]["study_id"]
                yield json.load(urllib.request.urlopen(f"{address}/{study_id}", timeout=5))
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the dashboard did not answer")
    finally:
        process.terminate()
        process.wait()


def test_objectives_constraints_notes_and_best(dashboard, finished):
    _, result = finished
    assert dashboard["objective_names"] == ["iou", "macs"]
    assert len(dashboard["trials"]) == 5
    for trial in dashboard["trials"]:
        (constraint,) = trial["constraints"]
        assert -1 < constraint <= 0
        assert "mean of the foreground" in trial["note"]["body"]
        assert "encoder1" in trial["note"]["body"]
    # Final training may have put a finalist of the search behind another one.
    assert {trial["number"] for trial in dashboard["best_trials"]} >= set(result.front["trial"])
