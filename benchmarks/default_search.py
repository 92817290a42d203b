"""What the README's first command takes on this machine: time, the share of it that is not training, memory, and what comes out.

Each seed is a search of its own, with views of its own to draw, as a person's first one. The search alone is from the first line of its
log to the first final training. Memory is the most that all its processes hold at once, shared pages counted once (proportional set
size).

Run: python benchmarks/default_search.py [--seeds 2] [--sampler tpe] > reports/default_search.md
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
from memory_of_large_sets import tree

from nas.search.environment import git_commit, machine, versions

COMMAND = ["-m", "nas.search", "--budget", "10000", "--trials", "200"]
SAMPLE = 2.0
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Measured:
    """A search.

    Attributes:
        seconds: From the command to its end, in all.
        search: From the first line of the log to the first final training.
        overhead: Percent of the workers' time not spent in training or validation.
        mib: Most memory of all processes together.
        ends: Its last line in the log.
        front: As `front.csv` has it.
    """

    seconds: float
    search: float
    overhead: float
    mib: float
    ends: str
    front: pd.DataFrame


def proportional_kib(process: int) -> int:
    """Memory of a process, what it shares counted by its share; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def measured(seed: int, sampler: str, home: Path) -> Measured:
    """Runs one search and watches it."""
    command = [sys.executable, *COMMAND, "--seed", str(seed), "--sampler", sampler, "--home", str(home), "--quiet"]
    began, most = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, sum(map(proportional_kib, tree(process.pid))))
            time.sleep(SAMPLE)
    spent = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    (folder,) = (path for path in (home / "studies").iterdir() if (path / "search.log").is_file())
    lines = (folder / "search.log").read_text().splitlines()
    begins, ends = lines[0], lines[-1]
    finals = next(line for line in lines if " final training of " in line)
    share = re.search(r"overhead ([\d.]+) %", ends)
    assert share is not None
    told, front = ends.partition("search ends: ")[2], pd.read_csv(folder / "front.csv")
    return Measured(spent, (written_at(finals) - written_at(begins)).total_seconds(), float(share[1]), most / 1024, told, front)


def written_at(line: str) -> datetime:
    """When a line of the log was written."""
    return datetime.fromisoformat(line[:19])


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--seeds", type=int, default=2)
    made.add_argument("--sampler", default="surrogate")
    flags = made.parse_args()
    rows = []
    for seed in range(flags.seeds):
        with tempfile.TemporaryDirectory(prefix="nas-default-") as home:
            rows.append(measured(seed, flags.sampler, Path(home)))
        print(rows[-1].ends, file=sys.stderr, flush=True)
    print("# The default search\n")
    print(f"`python benchmarks/default_search.py --seeds {flags.seeds} --sampler {flags.sampler}`, commit {git_commit()},")
    print(f"{machine('cpu')['processor']}, {len(os.sched_getaffinity(0))} cores, PyTorch {versions()['torch']}.")
    print("What is measured: the head of that file. Best IoU: mean of the best finalist's fresh seeds, validation split.\n")
    print("| seed | seconds in all | search alone | overhead, % | peak memory, MiB | front | best IoU, final | best IoU, search |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for seed, row in enumerate(rows):
        final = row.front["final_iou"].max()
        best = row.front["iou"].max()
        spent = f"{row.seconds:.0f} | {row.search:.0f} | {row.overhead:.1f} | {row.mib:,.0f}"
        print(f"| {seed} | {spent} | {len(row.front)} | {final:.4f} | {best:.4f} |")
    print("\n" + "\n".join(f"- seed {seed}: {row.ends}" for seed, row in enumerate(rows)))


if __name__ == "__main__":
    main()
