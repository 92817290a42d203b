"""Real processes, killed at random moments: nothing that was finished is lost, changed or counted twice."""

import os
import random
import signal
import subprocess
import time

import pytest
from optuna.trial import TrialState

from tests.search.workers.test_processes import alive, command, has, trials_of, until, workers_of

KILLS = 21
"""Seven each of: the coordinator alone, one worker, all."""

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")]


def ended(home):
    """What must never change: number -> state, values, genome and rungs of the finished trials."""
    kept = [trial for trial in trials_of(home) if trial.state in ENDED]
    return {one.number: (one.state, one.values, one.user_attrs["key"], one.user_attrs["rungs"]) for one in kept}


def start(squares, home, trials):
    flags = command(squares, home, "--epochs", "9", "--trials", str(trials), "--workers", "2")
    return subprocess.Popen(flags, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def kill(process, whom, draw):
    """Kills and waits for what must follow: a coordinator's workers end by themselves within 10 s."""
    workers = workers_of(process.pid)
    if whom == "worker" and workers:
        os.kill(draw.choice(workers), signal.SIGKILL)
        return process
    if whom == "all":
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    until(lambda: not any(alive(worker) for worker in workers), seconds=10)
    return None


def test_kills_at_random_moments_cost_at_most_a_rung(squares, tmp_path):
    draw, process, seen, trials = random.Random(0), None, {}, 500
    whoms = ["coordinator", "worker", "all"] * (KILLS // 3)
    draw.shuffle(whoms)
    for kill_number, whom in enumerate(whoms):
        if process is None:
            process = start(squares, tmp_path, trials)
            until(lambda: workers_of(process.pid))  # noqa: B023 - called at once
        if kill_number % 3:  # Every third kill may hit processes that are still starting.
            until(lambda: has(tmp_path, TrialState.RUNNING))
        time.sleep(draw.uniform(0, 4))
        assert process.poll() is None, "the search ended by itself"
        process = kill(process, whom, draw)
        if has(tmp_path, TrialState.COMPLETE) and process is None:
            now = ended(tmp_path)
            assert {number: now.get(number) for number in seen} == seen
            seen = now
    if process is not None:
        kill(process, "all", draw)
    assert seen, "no trial finished before a kill: nothing was shown"
    wanted = len(ended(tmp_path)) + 2
    assert start(squares, tmp_path, wanted).wait(timeout=300) == 0
    after = trials_of(tmp_path)
    now = ended(tmp_path)
    assert {number: now[number] for number in seen} == seen
    assert TrialState.RUNNING not in {trial.state for trial in after}
    keys = [trial.user_attrs["key"] for trial in after]
    assert len(keys) == len(set(keys))
    assert len(now) >= wanted
    assert not list((tmp_path / "studies" / "s" / "states").glob(".*")), "a killed process left a half-written state"


def test_a_rung_goes_on_from_the_state_of_the_one_before(squares, tmp_path):
    """Killed between rungs, a trial ends with the values that it has when nothing is killed."""
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    flags = ("--epochs", "27", "--trials", "3", "--workers", "1", "--no-prune")
    assert subprocess.run(command(squares, calm, *flags), capture_output=True).returncode == 0
    for _ in range(8):
        process = subprocess.Popen(command(squares, rough, *flags), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: process.poll() is not None or any((rough / "studies" / "s" / "states").glob("*-?.state")))  # noqa: B023
        time.sleep(0.5)
        process.kill()
        if process.wait() == 0:
            break
    assert subprocess.run(command(squares, rough, *flags), capture_output=True).returncode == 0

    def rungs(home):
        return {one.user_attrs["key"]: [entry["iou"] for entry in one.user_attrs["rungs"]] for one in trials_of(home)}

    shared = rungs(calm).keys() & rungs(rough).keys()
    assert shared
    assert {key: rungs(calm)[key] for key in shared} == {key: rungs(rough)[key] for key in shared}
