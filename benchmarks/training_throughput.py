"""Images a second of a whole machine: this project's training against the loop that people write, on ten networks of 10,000 parameters.

Ours: one single-threaded process a core in the environment of a search's workers, `nas.train.fit` on a bank of views. Theirs: one process
with all cores (`plain_loop.py`), a `DataLoader` that reads the same pictures from PNG files and augments them alike, with the best of 1 or
all threads and of 0, 1, ... workers for each network. Both sides take turns; turns disturbed by other programs are repeated.

Run: python benchmarks/training_throughput.py > reports/throughput.md
One network for each operator instead: --operators --no-levers --rounds 3 > reports/throughput_operators.md
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from operator_networks import operator_networks
from PIL import Image

from nas.cost import Budget, estimate
from nas.data import Bank, build_bank, open_data
from nas.genome import Genome
from nas.machine import WORKER_ENVIRONMENT
from nas.search.environment import git_commit, machine, versions
from nas.space import load_peers, load_space
from nas.space.draws import ScaledDraws

PEERS = ("MicroUNet", "MiniNetV3-style", "MK-UNet", "DistillationNet-style", "HWNet-style", "MiniNet-v2", "MobileNetV2 + LR-ASPP")
DRAWS = (0, 1, 7)  # of seed 0: between them every operator that these peers have not
LEVERS = ("bank", "one process a core", "memory layout", "malloc", "faster layers", "blocks")
CORES = os.cpu_count() or 1
WORKER = Path(__file__).with_name("throughput_worker.py")


def write_set(folder: Path) -> None:
    """The mixed synthetic set as a folder of PNG files."""
    for split, items in open_data("synthetic").splits.items():
        for kind in ("images", "masks"):
            (folder / split / kind).mkdir(parents=True)
        for number, item in enumerate(items):
            for kind, pixels in zip(("images", "masks"), open_data("synthetic").read(item), strict=True):
                Image.fromarray(pixels).save(folder / split / kind / f"{number:04d}.png")


def ten_networks(bank: Bank) -> dict[str, Genome]:
    space, shape, classes = load_space("tiny_unet"), (3, *bank.image_size), bank.num_classes
    genomes = {peer.name: peer.genome for peer in load_peers()}
    found = {name: space.scale_to(genomes[name], Budget(10_000), shape, classes) for name in PEERS}
    for number, genome in zip(range(max(DRAWS) + 1), ScaledDraws(space, Budget(10_000), shape, classes, seed=0), strict=False):
        if number in DRAWS:
            found[f"draw {number}"] = genome
    return found


@dataclass
class Team:
    """Processes that do the same job at the same time."""

    folder: Path
    bank: Path
    size: int
    threads: int
    environment: dict[str, str]
    _members: list[subprocess.Popen] = field(default_factory=list)

    def __post_init__(self) -> None:
        command = [sys.executable, str(WORKER), str(self.folder), str(self.bank), str(self.threads)]
        environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1", **self.environment}
        for _ in range(self.size):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
            self._members.append(process)

    def rate(self, job: dict) -> float:
        """Images a second of all members together."""
        for member in self._members:
            member.stdin.write(json.dumps(job) + "\n")
            member.stdin.flush()
        return sum(json.loads(member.stdout.readline()) for member in self._members)

    def close(self) -> None:
        for member in self._members:
            member.stdin.close()
            member.wait()


@dataclass
class Quiet:
    """Takes a measurement again while other programs use more than a share of one core; keeps the least disturbed."""

    limit: float
    tries: int
    disturbances: list[float] = field(default_factory=list)

    def __call__(self, measure: Callable[[], float]) -> float:
        best = (math.inf, 0.0)
        for _ in range(self.tries):
            began, busy, own = time.perf_counter(), _busy_seconds(), _seconds_of_children()
            rate = measure()
            others = (_busy_seconds() - busy - _seconds_of_children() + own) / (time.perf_counter() - began)
            best = min(best, (max(others, 0.0), rate))
            if best[0] <= self.limit:
                break
            time.sleep(2)
        self.disturbances.append(best[0])
        return best[1]


def _busy_seconds() -> float:
    values = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(values) - values[3] - values[4]) / os.sysconf("SC_CLK_TCK")


def _seconds_of_children() -> float:
    """Of this process and all below it, the dead ones whom somebody waited for included."""
    parents, seconds = {}, {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            values = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended just now
        parents[int(entry.parent.name)] = int(values[1])
        seconds[int(entry.parent.name)] = sum(map(int, values[11:15])) / os.sysconf("SC_CLK_TCK")
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(seconds.get(pid, 0.0) for pid in family)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--rounds", type=int, default=5, help="turns of both sides on each network")
    made.add_argument("--seconds", type=float, default=3.0, help="least length of a turn")
    made.add_argument("--batch-size", type=int, default=8)
    made.add_argument("--limit", type=float, default=0.1, help="cores that other programs may use during a turn")
    made.add_argument("--tries", type=int, default=5, help="how often a disturbed turn is taken")
    made.add_argument("--networks", nargs="*", help="only these")
    made.add_argument("--no-levers", action="store_true")
    made.add_argument("--operators", action="store_true", help="a network for each operator instead of the ten")
    flags = made.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "set")
        write_set(folder)
        bank = build_bank(open_data(str(folder)), (64, 64), (64, 64), 10, 0, Path(place, "cache"))
        all_networks = operator_networks(Budget(10_000), (3, *bank.image_size), bank.num_classes) if flags.operators else ten_networks(bank)
        networks = {name: genome for name, genome in all_networks.items() if not flags.networks or name in flags.networks}
        measure_and_print(flags, folder, bank, networks)


def measure_and_print(flags: argparse.Namespace, folder: Path, bank: Bank, networks: dict[str, Genome]) -> None:
    without_malloc = {name: value for name, value in WORKER_ENVIRONMENT.items() if not name.startswith("MALLOC")}
    ours, unmalloced, alone = (
        Team(folder, bank.path, size, threads, dict(environment))
        for size, threads, environment in ((CORES, 1, WORKER_ENVIRONMENT), (CORES, 1, without_malloc), (1, 1, WORKER_ENVIRONMENT))
    )
    theirs = {threads: Team(folder, bank.path, 1, threads, {}) for threads in sorted({1, CORES})}
    quiet = Quiet(flags.limit, flags.tries)
    rows, levers = [], []
    for name, genome in networks.items():
        job = {"genome": genome.to_json(), "seconds": flags.seconds, "batch_size": flags.batch_size, "off": "", "side": "ours"}
        threads, loaders = _best_of_theirs(theirs, job, quiet)
        plain = partial(theirs[threads].rate, job | {"side": "plain", "loaders": loaders})
        turns = [(quiet(partial(ours.rate, job)), quiet(plain)) for _ in range(flags.rounds)]
        macs = estimate(genome, (3, *bank.image_size), bank.num_classes).macs
        rows.append((name, genome.key, macs, threads, loaders, turns))
        print(f"{name}: {[(round(a), round(b)) for a, b in turns]}", file=sys.stderr, flush=True)
        if not flags.no_levers:
            levers.append({lever: _without(lever, job, ours, unmalloced, alone, quiet) for lever in LEVERS})
    for team in (ours, unmalloced, alone, *theirs.values()):
        team.close()
    print_report(flags, rows, levers, quiet)


def _best_of_theirs(theirs: dict[int, Team], job: dict, quiet: Quiet) -> tuple[int, int]:
    """Threads and loader workers with which the plain loop is fastest on this network."""
    tried = {}
    for threads, team in theirs.items():
        for loaders in range(CORES + 1):
            tried[threads, loaders] = quiet(partial(team.rate, job | {"side": "plain", "loaders": loaders, "seconds": 1.0}))
    return max(tried, key=tried.__getitem__)


def _without(lever: str, job: dict, ours: Team, unmalloced: Team, alone: Team, quiet: Quiet) -> float:
    """How many times faster the whole is with a lever than without it alone; both sides in turn, median of three."""
    team = {"malloc": unmalloced, "one process a core": alone}.get(lever, ours)
    off = job | {"off": "" if team is not ours else lever}
    return statistics.median(quiet(partial(ours.rate, job)) / quiet(partial(team.rate, off)) for _ in range(3))


def print_report(flags: argparse.Namespace, rows: list, levers: list, quiet: Quiet) -> None:
    print("# Training throughput\n")
    more = f"{' --operators' if flags.operators else ''}{' --no-levers' if flags.no_levers else ''}"
    print(f"`python benchmarks/training_throughput.py --rounds {flags.rounds} --seconds {flags.seconds:g}{more}`, commit {git_commit()},")
    print(f"{machine('cpu')['processor']}, {CORES} cores, PyTorch {versions()['torch']}. What is compared: the head of that file.")
    worst = max(quiet.disturbances)
    print(
        f"64x64 pixels, batches of {flags.batch_size}, 240 images in PNG files, 6 classes. Other programs used {worst:.2f} cores at worst,"
    )
    print(f"{statistics.median(quiet.disturbances):.2f} in the median turn. Rates are medians over turns, ratios are of turns in pairs.\n")
    print("| network | key | MACs | ours, images/s | plain, images/s | its threads + loader workers | ratio | least to most |")
    print("|---|---|---:|---:|---:|---|---:|---|")
    ratios = []
    for name, key, macs, threads, loaders, turns in rows:
        pairs = [a / b for a, b in turns]
        ratios.append(statistics.median(pairs))
        us, them = (statistics.median(column) for column in zip(*turns, strict=True))
        spread = f"{min(pairs):.2f} to {max(pairs):.2f}"
        print(f"| {name} | {key} | {macs / 1e6:.1f}M | {us:.0f} | {them:.0f} | {threads} + {loaders} | {ratios[-1]:.2f} | {spread} |")
    print(f"\nGeometric mean {_mean(ratios):.2f}, least {min(ratios):.2f}.")
    if levers:
        print("\nHow many times faster the whole is with each lever than without that one alone:\n")
        print(f"| network | {' | '.join(LEVERS)} |\n|---|{'---:|' * len(LEVERS)}")
        for row, found in zip(rows, levers, strict=True):
            print(f"| {row[0]} | {' | '.join(f'{found[lever]:.2f}' for lever in LEVERS)} |")
        print(f"| geometric mean | {' | '.join(f'{_mean([found[lever] for found in levers]):.2f}' for lever in LEVERS)} |")


def _mean(ratios: list[float]) -> float:
    return math.exp(statistics.mean(math.log(ratio) for ratio in ratios))


if __name__ == "__main__":
    main()
