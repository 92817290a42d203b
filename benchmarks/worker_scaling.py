"""How much faster several workers are than one: the same networks, trained to the end, with 1, 2, ... workers up to the number of cores.

Searches by chance without stopping on the built-in synthetic data, so that all train the same. Time is from the first training's beginning
to the last one's end, so starting workers does not count, and the end, when some have nothing left to do, does.

Run: python benchmarks/worker_scaling.py [--trials 30] [--rounds 2] > reports/worker_scaling.md
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from nas.search import opened_study
from nas.search.environment import git_commit, machine, versions

CORES = len(os.sched_getaffinity(0))


def seconds(home: Path, workers: int, trials: int, name: str) -> tuple[float, set[str]]:
    """Wall time of all trainings, and what was trained."""
    command = [sys.executable, "-m", "nas.search", "--home", str(home), "--study", name, "--workers", str(workers), "--trials", str(trials)]
    command += ["--sampler", "random", "--no-prune", "--warm-start", "none", "--finalists", "0", "--device", "cpu", "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with opened_study(name, f"sqlite:///{home}/studies/{name}/study.db") as stored:
        done = stored.trials()
    began, ended = min(one.datetime_start for one in done), max(one.datetime_complete for one in done)
    return (ended - began).total_seconds(), {one.user_attrs["key"] for one in done}


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--trials", type=int, default=30)
    made.add_argument("--rounds", type=int, default=2, help="turns of each number of workers")
    flags = made.parse_args()
    taken: dict[int, list[float]] = {workers: [] for workers in range(1, CORES + 1)}
    trained = []
    with tempfile.TemporaryDirectory(prefix="nas-scaling-") as home:
        seconds(Path(home), CORES, 1, "views")  # draws the views
        for turn in range(flags.rounds):
            for workers, times in taken.items():
                spent, keys = seconds(Path(home), workers, flags.trials, f"w{workers}-{turn}")
                times.append(spent)
                trained.append(keys)
                print(f"{workers} workers: {spent:.1f} s", file=sys.stderr, flush=True)
    assert all(keys == trained[0] for keys in trained), "not all have trained the same networks"
    print("# Scaling over workers\n")
    print(f"`python benchmarks/worker_scaling.py --trials {flags.trials} --rounds {flags.rounds}`, commit {git_commit()},")
    print(f"{machine('cpu')['processor']}, {CORES} cores, PyTorch {versions()['torch']}. What is compared: the head of that file.\n")
    print("| workers | seconds of each turn | median | times faster than one | share of ideal |\n|---:|---|---:|---:|---:|")
    alone = statistics.median(taken[1])
    for workers, times in taken.items():
        middle = statistics.median(times)
        faster = alone / middle
        print(f"| {workers} | {', '.join(f'{one:.1f}' for one in times)} | {middle:.1f} | {faster:.2f} | {faster / workers:.2f} |")


if __name__ == "__main__":
    main()
