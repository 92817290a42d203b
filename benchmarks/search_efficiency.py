"""Hypervolume over time: the search against random sampling, and rungs against none, with equal wall-clock on real data.

Arms: a sampler (surrogate, TPE, random) with rungs or with every network trained to the end. Each run is a search of its own, started as
a person would, with one worker, no warm start and no finalists, held to one core with its coordinator; as many run at a time as there are
cores, arms side by side, so that what disturbs one disturbs another too. Views are drawn beforehand. Hypervolume is that of the finished
trials in (validation IoU, log10 MACs), with reference IoU 0 and the largest MACs of the space under the cap, on a clock that starts with
the process.

Run: python benchmarks/search_efficiency.py --data PATH --data PATH [--seconds 180] [--seeds 5] > reports/search_efficiency.md
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from optuna.trial import TrialState

from nas.machine import WORKER_ENVIRONMENT
from nas.search import SearchConfig, opened_study
from nas.search.environment import git_commit, machine, versions
from nas.search.plan import make_plan
from nas.search.volume import reference_costs, volumes

ARMS = {
    "surrogate, rungs": ["--sampler", "surrogate"],
    "TPE, rungs": ["--sampler", "tpe"],
    "random, rungs": ["--sampler", "random"],
    "surrogate, no rungs": ["--sampler", "surrogate", "--no-prune"],
    "TPE, no rungs": ["--sampler", "tpe", "--no-prune"],
    "random, no rungs": ["--sampler", "random", "--no-prune"],
}
QUARTERS = (0.25, 0.5, 0.75, 1.0)
CORES = sorted(os.sched_getaffinity(0))
OBJECTIVES = ("iou", "macs")


@dataclass(frozen=True)
class Run:
    """One search."""

    data: Path
    arm: str
    seed: int

    @property
    def study(self) -> str:
        return f"{self.data.name}-{list(ARMS).index(self.arm)}-{self.seed}"


@dataclass(frozen=True)
class Outcome:
    """What a run has found: hypervolume at the end of each quarter, networks trained to the end, stopped early, best IoU."""

    volumes: list[float]
    complete: int
    pruned: int
    iou: float


def searched(run: Run, flags: argparse.Namespace, home: Path, core: int) -> Outcome:
    """Runs a search on one core."""
    command = [sys.executable, "-m", "nas.search", *common(run.data, flags, home), *ARMS[run.arm], "--study", run.study]
    command += ["--trials", "1000000", "--seed", str(run.seed), "--timeout", str(flags.seconds), "--quiet"]
    began = datetime.datetime.now()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        env={**os.environ, **WORKER_ENVIRONMENT},
    )
    found = outcome(run, flags, home, began)
    print(f"{run.study} {run.arm}: {found}", file=sys.stderr, flush=True)
    return found


def common(data: Path, flags: argparse.Namespace, home: Path) -> list[str]:
    size = "x".join(map(str, flags.image_size))
    kept = ["--home", str(home), "--workers", "1", "--device", "cpu", "--warm-start", "none", "--finalists", "0"]
    return ["--data", str(data), "--budget", "10000", "--image-size", size, *kept]


def outcome(run: Run, flags: argparse.Namespace, home: Path, began: datetime.datetime) -> Outcome:
    """Reads a study; what ended after the time is left out."""
    plan = make_plan(SearchConfig(data=(str(run.data),), image_size=flags.image_size, home=home, device="cpu", workers=1))
    corner = reference_costs(plan.target, OBJECTIVES)
    with opened_study(run.study, f"sqlite:///{home}/studies/{run.study}/study.db") as stored:
        trials = stored.trials()
    found = []
    for share in QUARTERS:
        end = began + datetime.timedelta(seconds=share * flags.seconds)
        done = [one for one in trials if one.datetime_complete and one.datetime_complete <= end]
        found.append(volumes(done, OBJECTIVES, corner)[-1][1] if any(one.state == TrialState.COMPLETE for one in done) else 0.0)
    complete = [one for one in done if one.state == TrialState.COMPLETE]
    pruned = sum(one.state == TrialState.PRUNED for one in done)
    return Outcome(found, len(complete), pruned, max((one.values[0] for one in complete), default=0.0))


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--data", action="append", type=Path, required=True)
    made.add_argument("--seconds", type=float, default=180.0)
    made.add_argument("--seeds", type=int, default=5)
    made.add_argument("--image-size", type=int, nargs=2, default=(64, 64))
    made.add_argument("--arms", nargs="*", default=list(ARMS), choices=list(ARMS))
    made.add_argument("--raw", type=Path, help="file that takes every run as JSON")
    made.add_argument("--home", type=Path, help="folder that keeps the studies (default: one that is removed)")
    flags = made.parse_args()
    flags.data, flags.image_size = [path.resolve() for path in flags.data], tuple(flags.image_size)
    runs = [Run(data, arm, seed) for seed in range(flags.seeds) for data in flags.data for arm in flags.arms]
    free: SimpleQueue[int] = SimpleQueue()
    for core in CORES:
        free.put(core)

    def on_a_free_core(run: Run) -> Outcome:
        core = free.get()
        try:
            return searched(run, flags, home, core)
        finally:
            free.put(core)

    began = time.time()
    with tempfile.TemporaryDirectory(prefix="nas-efficiency-") as folder:
        home = (flags.home or Path(folder)).resolve()
        for data in flags.data:  # draws the views
            draws = [
                sys.executable,
                "-m",
                "nas.search",
                *common(data, flags, home),
                "--study",
                f"views-{data.name}",
                "--trials",
                "1",
                "--quiet",
            ]
            subprocess.run(draws, check=True, stdout=subprocess.DEVNULL)
        with ThreadPoolExecutor(len(CORES)) as hands:
            found = dict(zip(runs, hands.map(on_a_free_core, runs), strict=True))
    if flags.raw:
        rows = [{"data": run.data.name, "arm": run.arm, "seed": run.seed, **vars(one)} for run, one in found.items()]
        flags.raw.write_text(json.dumps(rows, indent=1))
    print_report(flags, found, time.time() - began)


def print_report(flags: argparse.Namespace, found: dict[Run, Outcome], seconds: float) -> None:
    print("# Hypervolume over time\n")
    sets = " ".join(f"--data {path.name}" for path in flags.data)
    size = "x".join(map(str, flags.image_size))
    arms = "" if flags.arms == list(ARMS) else f" --arms {' '.join(map(repr, flags.arms))}"
    settings = f"--seconds {flags.seconds:g} --seeds {flags.seeds} --image-size {size.replace('x', ' ')}{arms}"
    print(f"`python benchmarks/search_efficiency.py {sets} {settings}`,")
    print(f"commit {git_commit()}, {machine('cpu')['processor']}, {len(CORES)} cores,")
    print(f"PyTorch {versions()['torch']}, Optuna {versions()['optuna']};")
    print(f"{len(found)} runs of {flags.seconds:g} s, {seconds / 60:.0f} minutes in all. What is compared: the head of that file.")
    for data in flags.data:
        print(f"\n## {data.name} at {size}\n")
        own = {arm: [found[Run(data, arm, seed)] for seed in range(flags.seeds)] for arm in flags.arms}
        print_set(flags, own)


def print_set(flags: argparse.Namespace, own: dict[str, list[Outcome]]) -> None:
    columns = [f"after {share * flags.seconds:g} s" for share in QUARTERS]
    print(f"| arm | {' | '.join(columns)} | trained to the end | stopped early | best IoU |\n|---|{'---:|' * (len(columns) + 3)}")
    for arm, outcomes in own.items():
        over_time = [_mean_and_spread([one.volumes[i] for one in outcomes]) for i in range(len(QUARTERS))]
        counts = [f"{statistics.mean(counted):.0f}" for counted in zip(*((one.complete, one.pruned) for one in outcomes), strict=True)]
        print(f"| {arm} | {' | '.join(over_time)} | {' | '.join(counts)} | {_mean_and_spread([one.iou for one in outcomes])} |")
    print("\nMeans and standard deviations over seeds. At the end, seed by seed:\n")
    print(f"| arm | {' | '.join(f'seed {seed}' for seed in range(flags.seeds))} |\n|---|{'---:|' * flags.seeds}")
    for arm, outcomes in own.items():
        print(f"| {arm} | {' | '.join(f'{one.volumes[-1]:.3f}' for one in outcomes)} |")
    first, *others = own
    print()
    for other in others:
        ahead = sum(ours.volumes[-1] > theirs.volumes[-1] for ours, theirs in zip(own[first], own[other], strict=True))
        print(f"- {first} ahead of {other} in {ahead} of {flags.seeds} at the end")


def _mean_and_spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.3f} +- {statistics.stdev(values) if len(values) > 1 else 0:.3f}"


if __name__ == "__main__":
    main()
