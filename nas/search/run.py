"""A search from settings to a front: the function behind the command line."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import nas
from nas.data import trim, using
from nas.errors import UserError
from nas.files import write_json, write_text
from nas.search.candidate import Candidate
from nas.search.config import SearchConfig
from nas.search.coordinator import Coordinator, Outcome
from nas.search.environment import git_commit, machine, versions
from nas.search.front import front_table
from nas.search.job import Workplace
from nas.search.ledger import Ledger
from nas.search.lock import locked
from nas.search.log import EventLog, command_line, logged_errors
from nas.search.objectives import directions
from nas.search.plan import Plan, available_cores, make_plan
from nas.search.pool import opened_pool
from nas.search.progress import Progress, Silence, duration
from nas.search.proposer import Counts, Proposer
from nas.search.quiet import optuna_quiet
from nas.search.record import Recorder
from nas.search.rungs import Ladder
from nas.search.sampler import make_sampler
from nas.search.signals import caught_signals
from nas.search.storage import readable_errors, shown_url
from nas.search.study import StoredStudy, StudyFolder, begun_study
from nas.search.warm_start import warm_start
from nas.space import load_peers


@dataclass(frozen=True)
class SearchResult:
    """How a search ended.

    Attributes:
        study: Name of the study.
        folder: Where its files lie.
        storage: URL of its storage.
        outcome: "complete", "exhausted", "interrupted" or "timeout".
        front: The Pareto front, best validation IoU first.
        trials: Trained networks in the study.
        counts: Draws of this run that became no trial.
        seconds: Wall time of this run.
        overhead: Share of the core time (cores x wall) not spent in training or validation.
        cores: Cores that the share refers to.
    """

    study: str
    folder: StudyFolder
    storage: str
    outcome: Outcome
    front: pd.DataFrame
    trials: int
    counts: Counts
    seconds: float
    overhead: float
    cores: int


def run_search(config: SearchConfig, progress: Progress | None = None) -> SearchResult:
    """Searches, or goes on with a search, until the study has `config.trials` trained networks.

    Args:
        config: What is wanted.
        progress: Is told how far it is; None for silence.

    Raises:
        UserError: Something must be mended first; nothing that was finished is lost.
    """
    began = time.monotonic()
    told = progress or Silence()
    plan = make_plan(config)
    url = plan.folder.storage_url(config.storage)
    told.say(describe_data(plan))
    with (
        optuna_quiet(),
        locked(plan.folder, url) as still_held,
        begun_study(plan.name, url, plan.settings(), plan.stored_facts(), still_held) as stored,
        readable_errors(url),
    ):
        _write_files(plan)
        log = EventLog(plan.folder.log, plan.folder.workers_log, told)
        with logged_errors(log):
            log.write(_begins(plan, stored))
            result = _search(plan, stored, log, began, told)
            log.write(_ends(result))
            return result


def _begins(plan: Plan, stored: StoredStudy) -> str:
    """The first line of a search in its log; a URL in the command may hold a password."""
    config, url = plan.config, shown_url(stored.url)
    settings = {
        **plan.settings(),
        "sets": ", ".join(one.data.name for one in plan.sets),
        "image_size": "x".join(map(str, plan.in_shape[1:])),
    }
    summary = ", ".join(f"{name} {value}" for name, value in settings.items() if value is not None)
    return (
        f"search begins: nas {nas.__version__}, process {os.getpid()}, {plan.workers} workers: {command_line(config.storage, url)}; study "
        f"{plan.name} in {url} with {len(stored.trials())} trials, {config.trials} wanted; {summary}"
    )


def _ends(result: SearchResult) -> str:
    """The last line of a search in its log."""
    return (
        f"search ends: {result.outcome}; {result.trials} trained networks, front of {len(result.front)}, {result.counts.duplicates} "
        f"duplicates and {result.counts.misfits} misfits not trained, {duration(result.seconds)}, overhead {100 * result.overhead:.1f} %"
    )


def _search(plan: Plan, stored: StoredStudy, log: EventLog, began: float, told: Progress) -> SearchResult:
    config = plan.config
    proposer = Proposer(
        plan.target, config.objectives, make_sampler(config.sampler, config.seed, len(stored.trials())), directions(config.objectives)
    )
    proposer.first.extend(_warm_start(plan, told))
    banks = [bank.path for bank in plan.banks()]
    with using(banks):
        for gone in trim(plan.bank_folder, config.cache_size):
            told.say(f"removed a bank of views that was not used for long: {gone}")
        return _train(plan, stored, proposer, banks, log, began)


def _train(plan: Plan, stored: StoredStudy, proposer: Proposer, banks: list[Path], log: EventLog, began: float) -> SearchResult:
    config, folder = plan.config, plan.folder
    ledger = Ledger(
        target=plan.target,
        objectives=config.objectives,
        ladder=Ladder(plan.rungs, config.prune),
        proposer=proposer,
        recorder=Recorder(stored, proposer.distributions),
        progress=log.progress,
        log=log,
        states=folder.states.resolve(),
    )
    workplace = Workplace(plan.space_file, banks, [one.recipe for one in plan.sets], plan.device, plan.rungs, config.joint)
    with caught_signals() as wish, opened_pool(workplace, plan.workers, folder.workers_log) as pool:
        deadline = None if config.timeout is None else began + config.timeout
        coordinator = Coordinator(ledger, pool, config.trials, deadline, wish)
        coordinator.take_over(stored.trials())
        try:
            outcome = coordinator.run()
        finally:
            table = front_table(stored.trials(), config.objectives, plan.in_shape[1:], plan.num_classes)
            write_text(folder.front, table.to_csv(index=False))
    seconds, cores = time.monotonic() - began, cores_used(plan)
    return SearchResult(
        study=plan.name,
        folder=folder,
        storage=stored.url,
        outcome=outcome,
        front=table,
        trials=ledger.counted,
        counts=proposer.counts,
        seconds=seconds,
        overhead=1 - ledger.busy_seconds / (cores * seconds),
        cores=cores,
    )


def _warm_start(plan: Plan, told: Progress) -> Sequence[Candidate]:
    """The known networks that a search begins with; says which are left out, and why."""
    if plan.config.warm_start == "none":
        return ()
    found = warm_start(plan.target, load_peers(), plan.config.trials, shared="params" in plan.config.objectives)
    told.say(f"warm start: {', '.join(candidate.peer for candidate in found.candidates) or 'none of the known networks fits'}")
    for reason, names in found.reasons().items():
        told.say(f"left out: {', '.join(names)} ({reason})")
    return found.candidates


def cores_used(plan: Plan) -> int:
    """Cores that could have trained: as many as there are workers, and no more than the machine has."""
    return max(1, min(plan.workers, available_cores()))


def describe_data(plan: Plan) -> str:
    """What a search works on, a paragraph a set."""
    processes = f"{plan.workers or 'no'} worker process{'es' if plan.workers != 1 else ''}"
    how = (
        "all sets together, with a head for each and a domain router" if plan.config.joint else "each set in turn, with a head for it alone"
    )
    views = [] if plan.transforms.built_in else [f"transforms: {plan.transforms.path}"]
    several = [f"each network is trained on {how}"] if len(plan.sets) > 1 else []
    return "\n".join([*(one.describe() for one in plan.sets), *several, *views, f"machine: {plan.device}, {processes}"])


def _write_files(plan: Plan) -> None:
    """What the study's folder holds from the beginning."""
    try:
        plan.folder.artifacts.mkdir(parents=True, exist_ok=True)
        write_text(plan.folder.space, plan.space_file.path.read_text(encoding="utf-8"))
        write_text(plan.folder.transforms, plan.transforms.source)
        write_json(plan.folder.config, config_document(plan))
    except OSError as error:
        raise UserError(f"cannot write to {plan.folder.root}: {error.strerror}. Free some space, or give another --home") from error


def config_document(plan: Plan) -> dict[str, Any]:
    """All that is needed to repeat the search."""
    return {
        "study": plan.name,
        "config": {
            **asdict(plan.config),
            "home": str(plan.config.home),
            "transforms": str(plan.config.transforms) if plan.config.transforms else None,
            "storage": shown_url(plan.folder.storage_url(plan.config.storage)),
        },
        "settings": plan.settings(),
        "sets": [one.document() for one in plan.sets],
        "split": {one.data.name: {split: [item.name for item in items] for split, items in one.data.splits.items()} for one in plan.sets},
        "space_file": str(plan.space_file.path),
        "transforms": plan.transforms.document(),
        "versions": versions(),
        "commit": git_commit(),
        "machine": machine(plan.device),
    }
