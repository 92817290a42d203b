"""Real processes: workers that die, coordinators that are killed or interrupted, and a user's own block on its way through them."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
from optuna.trial import TrialState

from nas.export import export_trials
from nas.proxy.job import Task
from nas.search import SearchConfig, run_search
from nas.search.workers import pool as pool_room

OWN_SPACE = '''
"""A space with a block of its own."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from nas.blocks import AddSkip, Conv, MaxPool, WideBlock
from nas.space import SearchSpace

SLOPE = 0.125


def squash(x):
    """A helper that an exported file must carry."""
    return nn.functional.leaky_relu(x, SLOPE)


class TwoByTwoMix(nn.Module):
    """A 1 x 1 convolution, scaled by a raw parameter."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.gain = nn.Parameter(torch.ones(out_channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return squash(self.mix(x) * self.gain)


@dataclass(frozen=True)
class Mix(WideBlock):
    kind: ClassVar[str] = "own_mix"
    module: ClassVar[type[nn.Module]] = TwoByTwoMix

    def params(self, in_shape):
        return in_shape[0] * self.width + self.width

    def macs(self, in_shape):
        return in_shape[0] * self.width * in_shape[1] * in_shape[2]

    def out_shape(self, in_shape):
        return (self.width, *in_shape[1:])

    def workspace(self, in_shape):
        return 2 * self.width * in_shape[1] * in_shape[2], 0

    def arguments(self, in_shape):
        return {"in_channels": in_shape[0], "out_channels": self.width}


SPACE = SearchSpace(stem=Conv, levels=(2, 3), blocks=(Mix,), downs=(MaxPool,), skips=(AddSkip,))
'''


def settings(squares, home, **changes) -> SearchConfig:
    given = {"data": (str(squares),), "trials": 4, "epochs": 2, "workers": 2, "device": "cpu", "home": home, "study": "s", "finalists": 0}
    return SearchConfig(**given | changes)


def trials_of(home):
    return optuna.load_study(study_name="s", storage=f"sqlite:///{home}/studies/s/study.db").trials


def has(home, state, least=1):
    """Whether there are trials in this state; asked of SQLite, since Optuna would make the tables that the search is making."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{home}/studies/s/study.db?mode=ro", uri=True)) as connection:
            return len(connection.execute("SELECT 1 FROM trials WHERE state = ?", (state.name,)).fetchall()) >= least
    except sqlite3.OperationalError:
        return False


def command(squares, home, *more):
    flags = ["--data", str(squares), "--study", "s", "--home", str(home), "--epochs", "2", "--device", "cpu", "--finalists", "0", *more]
    return [sys.executable, "-m", "nas.search", *flags]


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def workers_of(pid):
    done = subprocess.run(["pgrep", "-P", str(pid), "-f", "nas.proxy.worker"], capture_output=True, text=True)
    return [int(line) for line in done.stdout.split()]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow
def test_a_block_of_the_users_goes_through_workers_resume_and_export(squares, tmp_path):
    space = tmp_path / "elsewhere" / "own.py"
    space.parent.mkdir()
    space.write_text(OWN_SPACE)
    home = tmp_path / "home"
    run_search(settings(squares, home, space=str(space), trials=2))
    result = run_search(settings(squares, home, space=str(space), trials=3))
    assert result.trials == 3
    space.unlink()
    (model,) = export_trials("s", result.storage, "best", tmp_path / "out")
    text = model.read_text()
    assert "class TwoByTwoMix(nn.Module)" in text
    assert "SLOPE = 0.125" in text
    assert subprocess.run([sys.executable, str(model)], cwd="/", capture_output=True).returncode == 0


def test_workers_and_this_process_give_the_same_trials(squares, tmp_path):
    spawned = run_search(settings(squares, tmp_path / "a", workers=1))
    local = run_search(settings(squares, tmp_path / "b", workers=0))
    assert spawned.trials == local.trials == 4
    assert [t.values for t in trials_of(tmp_path / "a")] == [t.values for t in trials_of(tmp_path / "b")]


@pytest.mark.slow
def test_a_script_without_a_main_guard_can_search(squares, tmp_path):
    script = tmp_path / "five_lines.py"
    script.write_text(
        "from pathlib import Path\nfrom nas.search import SearchConfig, run_search\n"
        f"config = SearchConfig(data=({str(squares)!r},), trials=1, epochs=1, workers=1, device='cpu', home=Path({str(tmp_path)!r}))\n"
        "print(run_search(config).trials)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "1", done.stderr


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
class TestSignals:
    @pytest.mark.slow
    def test_interrupt_puts_running_trials_back_and_the_next_run_takes_them_up(self, squares, tmp_path):
        slow = ("--trials", "3", "--epochs", "40")
        process = subprocess.Popen(command(squares, tmp_path, *slow), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: has(tmp_path, TrialState.RUNNING))
        keys = {t.user_attrs["key"] for t in trials_of(tmp_path)}
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        assert process.returncode == 130, errors
        assert "Traceback" not in errors
        assert "Interrupted" in output
        waiting = trials_of(tmp_path)
        assert {t.state for t in waiting} <= {TrialState.WAITING, TrialState.COMPLETE}
        assert all(t.params for t in waiting)
        log = tmp_path / "studies" / "s" / "search.log"
        assert "interrupted: trials in training are put back" in log.read_text()
        assert log.read_text().count("is put back at rung") == sum(t.state == TrialState.WAITING for t in waiting)
        assert subprocess.run(command(squares, tmp_path, *slow), capture_output=True).returncode == 0
        assert "goes on at rung" in log.read_text()
        after = trials_of(tmp_path)
        assert [t.state for t in after] == [TrialState.COMPLETE] * 3
        assert keys <= {t.user_attrs["key"] for t in after}

    @pytest.mark.slow
    def test_workers_end_when_their_coordinator_is_killed(self, squares, tmp_path):
        process = subprocess.Popen(command(squares, tmp_path, "--trials", "500"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: has(tmp_path, TrialState.COMPLETE))
        workers = workers_of(process.pid)
        assert workers
        second = subprocess.run(command(squares, tmp_path, "--trials", "500"), capture_output=True, text=True)
        assert second.returncode == 2
        assert "is being searched by process" in second.stderr
        process.kill()
        process.wait()
        until(lambda: not [worker for worker in workers if alive(worker)], seconds=10)
        finished = {t.number: t.values for t in trials_of(tmp_path) if t.state == TrialState.COMPLETE}
        more = len(finished) + 2
        assert subprocess.run(command(squares, tmp_path, "--trials", str(more)), capture_output=True).returncode == 0
        after = trials_of(tmp_path)
        assert {number: after[number].values for number in finished} == finished
        assert TrialState.RUNNING not in {t.state for t in after}
        keys = [t.user_attrs["key"] for t in after if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        assert len(keys) == len(set(keys)) >= more

    @pytest.mark.slow
    def test_a_killed_worker_costs_nothing_but_its_time(self, squares, tmp_path):
        process = subprocess.Popen(command(squares, tmp_path, "--trials", "8", "--epochs", "30"), stdout=subprocess.PIPE, text=True)
        until(lambda: has(tmp_path, TrialState.COMPLETE))
        os.kill(workers_of(process.pid)[0], signal.SIGKILL)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert "a worker died" in output
        after = trials_of(tmp_path)
        assert len(after) == 8
        assert {t.state for t in after} <= {TrialState.COMPLETE, TrialState.PRUNED}

    @pytest.mark.slow
    def test_a_trial_that_kills_two_workers_fails(self, squares, tmp_path, monkeypatch):
        crash = tmp_path / "crash.py"
        crash.write_text(OWN_SPACE.replace("return squash(self.mix(x) * self.gain)", "import os; os.abort()"))
        monkeypatch.setattr("nas.search.ledger.MAX_FAILURES", 2)
        from nas.errors import UserError

        with pytest.raises(UserError, match=r"2 trials failed in a row.*worker process died twice"):
            run_search(settings(squares, tmp_path, space=str(crash), workers=1))
        assert {t.state for t in trials_of(tmp_path)} <= {TrialState.FAIL, TrialState.WAITING}


@pytest.mark.slow
def test_a_worker_short_of_memory_is_replaced_and_its_trial_trained(squares, tmp_path):
    space, first, forward = tmp_path / "short.py", tmp_path / "first", "return squash(self.mix(x) * self.gain)"
    once = f"import pathlib; first = pathlib.Path({str(first)!r})"
    short = f"{once}\n        if not first.exists():\n            first.touch()\n            raise torch.OutOfMemoryError('for a moment')"
    space.write_text(OWN_SPACE.replace(forward, f"{short}\n        {forward}"))
    result = run_search(settings(squares, tmp_path, space=str(space), workers=1, trials=1))
    assert [trial.state for trial in trials_of(tmp_path)] == [TrialState.COMPLETE]
    assert "(OutOfMemoryError: for a moment): that rung is trained once more" in result.folder.log.read_text()
    assert "OutOfMemoryError: for a moment" in result.folder.workers_log.read_text()


def test_a_worker_that_cannot_start_is_explained(squares, tmp_path, monkeypatch):
    from nas.errors import UserError

    monkeypatch.setattr(pool_room.sys, "executable", "/bin/false")
    with pytest.raises(UserError, match=r"workers\.log"):
        run_search(settings(squares, tmp_path, workers=1))


def test_an_answer_cut_short_by_death_is_a_death(tmp_path, monkeypatch):
    half = tmp_path / "half.sh"
    half.write_text("#!/bin/sh\nread line; echo '{\"ready\": true}'; read line; printf '{\"resu'\n")
    half.chmod(0o755)
    monkeypatch.setattr(pool_room.sys, "executable", str(half))
    workplace = SimpleNamespace(to_dict=dict)
    pool = pool_room.ProcessPool(1, tmp_path / "log")
    pool.open(workplace)
    assert pool.wait(20) == pool_room.Event(0)
    pool.submit(0, Task("{}", 0))
    assert pool.wait(20) == pool_room.Event(0, died=True)
    pool.close()
