"""Trains an exported model file, or any network, in full: at the data's own size, to the end, with checkpoints."""

import shlex
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from nas.data.cache import trim, using
from nas.door import INTERRUPTED, enter
from nas.errors import UserError
from nas.evaluate.cost import measured_cost
from nas.evaluate.domains import head_of
from nas.files import write_json
from nas.machine import keep_memory
from nas.train.checkpoint import BEST, LAST, STATE, Progress, forget, load_progress
from nas.train.fit import Diverged
from nas.train.full import FullPlan, make_full_plan, workers_of
from nas.train.job import Job
from nas.train.options import config_of, parser
from nas.train.several import run_jobs
from nas.train.suitable import check_networks

SUMMARY = "summary.json"
"""File in which a training in full says how it ended."""


def main() -> int:
    """Parses, trains, prints."""
    flags = parser().parse_args()
    plan = make_full_plan(config_of(flags))
    check_networks(plan)
    if not flags.quiet:
        print(describe(plan), flush=True)
    banks = plan.draw()
    with using([bank.path for rounds in banks for bank in rounds]):
        for gone in trim(plan.bank_folder, plan.config.cache_size):
            if not flags.quiet:
                print(f"removed a bank of views that was not used for long: {gone}", flush=True)
        return train_and_tell(plan, plan.jobs(banks), flags.quiet)


def train_and_tell(plan: FullPlan, jobs: Sequence[Job], quiet: bool) -> int:
    """Trains on banks that are there, and says how it ended; gives the exit code."""
    if plan.config.restart:
        begin_anew(plan, jobs)
    try:
        ended = train(jobs, workers_of(plan.config, plan.device, len(jobs)), quiet)
    except KeyboardInterrupt:
        print(f"interrupted; the same command goes on from the last completed epoch in {plan.out}", file=sys.stderr)
        return INTERRUPTED
    except Diverged as diverged:
        raise UserError(f"{diverged}: give a lower --learning-rate, and --restart") from diverged
    write_json(plan.out / SUMMARY, summary(plan, jobs, ended))
    print(results(jobs, ended, plan))
    return 0


def begin_anew(plan: FullPlan, jobs: Sequence[Job]) -> None:
    """Removes what earlier trainings of these jobs left, and nothing else.

    Raises:
        UserError: The weights to start from would go with it.
    """
    begun = [job for job in jobs if (job.folder / STATE).exists()]
    for job in begun:
        if job.start is not None and job.start.resolve() in {(job.folder / name).resolve() for name in (BEST, LAST)}:
            raise UserError(f"--restart would remove {job.start}, which --weights starts from: give another --out, or copy the file first")
    for job in begun:
        forget(job.folder)
    if begun:
        (plan.out / SUMMARY).unlink(missing_ok=True)


def describe(plan: FullPlan) -> str:
    """What will be trained, for a person."""
    transforms = "built in" if plan.transforms.built_in else plan.transforms.path
    lines = [*(one.describe() for one in plan.sets), f"transforms: {transforms}", *costs(plan)]
    return "\n".join([*lines, f"machine: {plan.device}; results in {plan.out}"])


def costs(plan: FullPlan) -> list[str]:
    """The network's size, and what it costs at the sizes of the file and of use, where they differ."""
    lines = []
    for one in plan.sets:
        model = plan.network_of(one.data)
        filed = plan.code.constants.get("INPUT_SIZE")
        sizes = [one.size.image_size, *([tuple(filed)] if filed and tuple(filed) != one.size.image_size else [])]
        head = head_of(plan.code, one.domain) if one.domain is not None else None
        found = [measured_cost(model, (one.data.channels, *size), head) for size in sizes]
        told = "; ".join(f"{cost.macs / 1e6:.2f}M MACs at {height}x{width}" for cost, (height, width) in zip(found, sizes, strict=True))
        where = " (the file's size)" if len(sizes) > 1 else ""
        name = f" for {one.data.name}" if len(plan.sets) > 1 else ""
        lines.append(f"network{name}: {found[0].params:,} parameters, {told}{where}")
        lines += difference(plan, one.data.num_classes, found[0].params)
    return lines


def difference(plan: FullPlan, classes: int, params: int) -> list[str]:
    """What a person should know where the data have other classes than the file."""
    filed, counted = plan.code.constants.get("NUM_CLASSES"), plan.code.constants.get("PARAMS")
    if plan.code.joint or filed is None or filed == classes:
        return []
    instead = f", not {counted:,}" if counted is not None else ""
    return [f"the file is written for {filed} classes, the data have {classes}: built for {classes}, {params:,} parameters{instead}"]


def train(jobs: Sequence[Job], workers: int, quiet: bool) -> list[Progress]:
    """Runs all jobs under one bar."""
    import torch

    if workers == 1:
        keep_memory()
        if jobs[0].device == "cpu":
            torch.set_num_threads(1)  # Two are slower on a network of this size; and results depend on it in the last bit.
    before = [load_progress(job.folder, job.identity) for job in jobs]
    best = max(progress.best["iou"] if progress.best else 0.0 for progress in before)
    done, total = sum(progress.epoch for progress in before), sum(job.recipe.epochs for job in jobs)
    with tqdm(total=total, initial=done, unit="epoch", dynamic_ncols=True, disable=quiet) as bar:

        def told(row: dict[str, Any]) -> None:
            nonlocal best
            best = max(best, row["iou"] or 0.0)
            bar.set_postfix_str(f"loss {row['loss']:.3f}, best IoU {best:.3f}", refresh=False)
            bar.update()

        return run_jobs(jobs, workers, told)


def summary(plan: FullPlan, jobs: Sequence[Job], ended: Sequence[Progress]) -> dict[str, Any]:
    """What was trained and how it ended, JSON-ready."""
    trainings = []
    for job, progress in zip(jobs, ended, strict=True):
        best = progress.best or {}
        own = {"name": job.name, "weights": str(job.folder / BEST), "seed": job.recipe.seed, "epochs": progress.epoch}
        trainings.append({**own, "stopped_early": progress.stopped, "best_epoch": best.get("epoch"), "best_iou": best.get("iou")})
    return {
        "model": plan.config.model,
        "digest": plan.code.digest,
        "trainings": trainings,
        "means": means(jobs, ended),
        "recipe": jobs[0].recipe.as_dict(),
        "sets": [
            {
                "name": one.data.name,
                "domain": one.domain,
                "location": one.data.location,
                "split": one.data.split_source,
                "fingerprint": one.data.fingerprint(),
                "image_size": list(one.size.image_size),
                "train_size": list(one.size.train_size),
                "views": one.views,
            }
            for one in plan.sets
        ],
    }


def means(jobs: Sequence[Job], ended: Sequence[Progress]) -> list[dict[str, Any]]:
    """Of the best validation IoUs of each set that was trained on several times, over seeds and folds."""
    groups: dict[str, list[float]] = {}
    for job, progress in zip(jobs, ended, strict=True):
        groups.setdefault(job.banks[0].name.rpartition("-")[0], []).append((progress.best or {"iou": 0.0})["iou"])
    return [
        {"name": name, "mean_iou": statistics.mean(ious), "std_iou": statistics.stdev(ious), "trainings": len(ious)}
        for name, ious in groups.items()
        if len(ious) > 1
    ]


def results(jobs: Sequence[Job], ended: Sequence[Progress], plan: FullPlan) -> str:
    """The table at the end."""
    lines = []
    for job, progress in zip(jobs, ended, strict=True):
        best = progress.best
        assert best is not None  # the last epoch is validated
        early = ", stopped early" if progress.stopped else ""
        name = f"{job.name}: " if job.name else ""
        lines.append(f"{name}validation IoU {best['iou']:.4f} after epoch {best['epoch']} of {progress.epoch}{early}; {job.folder / BEST}")
    lines += [
        f"{one['name']}: mean {one['mean_iou']:.4f}, standard deviation {one['std_iou']:.4f} over {one['trainings']}"
        for one in means(jobs, ended)
    ]
    if plan.config.folds and not plan.sets[0].data.splits["test"]:
        return "\n".join(
            [*lines, "\nThere is no test split, and each fold's network was trained on images of all others: the mean is the figure."]
        )
    return "\n".join([*lines, f"\nEvaluate: {next_command(plan, jobs[0].folder / BEST)}"])


def next_command(plan: FullPlan, weights: Path) -> str:
    """The command that measures the first network on its set, as a shell takes it, with the flags that say how the data are read."""
    config, data, domain = plan.config, plan.sets[0].data, plan.sets[0].domain
    words = ["python", "-m", "nas.evaluate", config.model, "--weights", str(weights), "--data", data.location]
    words += ["--split", "test" if data.splits["test"] else "val"]
    words += ["--layout", config.layout] if config.layout else []
    words += ["--domain", domain] if domain is not None and config.domain else []
    words += ["--channels", str(config.channels)] if config.channels else []
    return shlex.join([*words, *(["--new-split"] if config.new_split else [])])


if __name__ == "__main__":
    sys.exit(enter(main))
