"""How well early rungs foretell the end: rank correlation of what they measure with the final IoU, of networks that were all trained to it.

Reads studies that were searched by chance and without stopping (`--sampler random --no-prune`): what was stopped early has no end, and a
sampler that learns draws what looks alike. A network that two studies have counts once. For each rung and measure: Spearman's correlation
with the final IoU, with an interval of 95 % over 2,000 bootstrap samples of networks, and the share of the final best quarter that is among
the best third, which is what goes on.

Run: python benchmarks/rung_fidelity.py HOME/studies/NAME... > reports/rung_fidelity.md
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.trial import TrialState

from nas.search import opened_study
from nas.search.environment import git_commit

Floats = NDArray[np.float64]

MEASURES: Mapping[str, Callable[[Mapping[str, Any]], float]] = {
    "IoU of the most probable class": lambda entry: entry["iou"],
    "IoU at the break-even point": lambda entry: entry["break_even"]["iou"],
    "loss of the last epoch, negated": lambda entry: -entry["curve"][-1]["loss"],
}
SAMPLES = 2_000


def networks(folders: list[Path]) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
    """Data set -> key of a genome -> entries of its rungs."""
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for folder in folders:
        with opened_study(folder.name, f"sqlite:///{folder.resolve()}/study.db") as stored:
            trials = stored.trials()
        for trial in trials:
            if trial.state == TrialState.COMPLETE:
                name = " + ".join(trial.user_attrs["iou_per_set"])
                found.setdefault(name, {})[trial.user_attrs["key"]] = trial.user_attrs["rungs"]
    return found


def correlation(one: Floats, other: Floats) -> float:
    return float(pd.Series(one).corr(pd.Series(other), method="spearman"))


def interval(one: Floats, other: Floats) -> tuple[float, float]:
    random = np.random.default_rng(0)
    drawn = (random.integers(len(one), size=len(one)) for _ in range(SAMPLES))
    low, high = np.nanquantile([correlation(one[chosen], other[chosen]) for chosen in drawn], [0.025, 0.975])
    return float(low), float(high)


def kept(early: Floats, final: Floats) -> float:
    """Share of the best quarter at the end that is among the best third early on; of equals those that came first."""
    best = set(np.argsort(-final, kind="stable")[: len(final) // 4].tolist())
    going_on = set(np.argsort(-early, kind="stable")[: -(-len(final) // 3)].tolist())
    return len(best & going_on) / len(best)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("studies", nargs="+", type=Path, help="folders of studies")
    folders = made.parse_args().studies
    print("# What early rungs foretell\n")
    print(f"`python benchmarks/rung_fidelity.py STUDIES`, commit {git_commit()}. What is measured: the head of that file.")
    configs = [json.loads((folder / "config.json").read_text(encoding="utf-8")) for folder in folders]
    sizes = {"x".join(map(str, one["image_size"])) for config in configs for one in config["sets"]}
    commits = {str(config["commit"]) for config in configs}
    print(f"The {len(folders)} studies: {', '.join(sorted(folder.name for folder in folders))};")
    print(f"images of {', '.join(sorted(sizes))}, searched at commit {', '.join(sorted(commits))}.")
    for name, known in networks(folders).items():
        rungs = list(known.values())
        final = np.array([entries[-1]["iou"] for entries in rungs])
        spread = f"final IoU {final.mean():.3f} +- {final.std(ddof=1):.3f}, best {final.max():.3f}"
        print(f"\n## {name}: {len(rungs)} networks, {spread}\n")
        print("| rung | measure | equal to 0 | rank correlation with the final IoU | 95 % | best quarter kept |")
        print("|---:|---|---:|---:|---:|---:|")
        for rung in range(len(rungs[0]) - 1):
            for measure, value in MEASURES.items():
                early = np.array([value(entries[rung]) for entries in rungs])
                low, high = interval(early, final)
                cells = [
                    f"{(early == 0).mean():.0%}",
                    f"{correlation(early, final):.2f}",
                    f"{low:.2f} to {high:.2f}",
                    f"{kept(early, final):.0%}",
                ]
                print(f"| {rung + 1} | {measure} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
