"""A search from settings to a front: the function behind the command line."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

import nas
from nas.data import trim, using
from nas.files import write_text
from nas.proxy.job import Workplace
from nas.proxy.states import remove_half_written
from nas.search.candidate import Candidate
from nas.search.config import SearchConfig
from nas.search.coordinator import Coordinator, Outcome
from nas.search.display.front import front_table
from nas.search.display.log import EventLog, command_line, logged_errors
from nas.search.display.pictures import Pictures
from nas.search.display.plots import Plots
from nas.search.display.progress import Progress, Silence, duration
from nas.search.finals.prediction_sheet import attach_sheets
from nas.search.finals.training import FinalRound
from nas.search.folder import StudyFolder
from nas.search.ladder import Ladder
from nas.search.ledger import Ledger
from nas.search.objectives import directions
from nas.search.plan import Plan, make_plan
from nas.search.proposer import Counts, Proposer
from nas.search.quiet import optuna_quiet
from nas.search.sampling import make_sampler
from nas.search.signals import Wish, caught_signals
from nas.search.storage.database import readable_errors, shown_url
from nas.search.storage.lock import locked
from nas.search.storage.record import Recorder
from nas.search.study import StoredStudy, begun_study
from nas.search.study_files import write_files
from nas.search.volume import reference_costs
from nas.search.warm_start import warm_start
from nas.search.workers.pool import Pool, started_pool
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
        overhead: Share of the workers' time (workers x wall) not spent in training or validation.
        workers: That the share refers to.
        folds: Folds that the front's values are pooled over; None where they are those of the validation split.
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
    workers: int
    folds: int | None = None


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
        write_files(plan)
        log = EventLog(plan.folder.log, plan.folder.workers_log, told)
        with logged_errors(log):
            log.write(_begins(plan, stored))
            with started_pool(plan.workers, plan.folder.workers_log) as pool:
                result = _search(plan, stored, pool, log, began, told)
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


def _search(plan: Plan, stored: StoredStudy, pool: Pool, log: EventLog, began: float, told: Progress) -> SearchResult:
    config = plan.config
    proposer = Proposer(
        plan.target, config.objectives, make_sampler(config.sampler, config.seed, len(stored.trials())), directions(config.objectives)
    )
    proposer.first.extend(_warm_start(plan, told))
    stages = [[[bank.path for bank in banks] for banks in rounds] for rounds in plan.stages()]
    with using([path for rounds in stages for banks in rounds for path in banks]):
        for gone in trim(plan.bank_folder, config.cache_size):
            told.say(f"removed a bank of views that was not used for long: {gone}")
        return _train(plan, stored, pool, proposer, stages, log, began)


def _train(
    plan: Plan, stored: StoredStudy, pool: Pool, proposer: Proposer, stages: list[list[list[Path]]], log: EventLog, began: float
) -> SearchResult:
    config, folder = plan.config, plan.folder
    ledger = Ledger(
        target=plan.target,
        objectives=config.objectives,
        ladder=Ladder(plan.rungs, config.prune),
        proposer=proposer,
        recorder=Recorder(stored, proposer.distributions, Pictures(folder.artifacts, plan.target)),
        progress=log.progress,
        log=log,
        states=folder.states.resolve(),
        plots=Plots(stored, reference_costs(plan.target, config.objectives)),
    )
    # A worker that is replaced reads the space again: in the study's copy where a person has gone on editing.
    space_file = replace(plan.space_file, copy=folder.space.resolve())
    workplace = Workplace(space_file, stages, [one.recipe for one in plan.sets], plan.device, plan.rungs, config.joint)
    pool.open(workplace)
    remove_half_written(folder.weights)
    with caught_signals() as wish:
        deadline = None if config.timeout is None else began + config.timeout
        coordinator = Coordinator(ledger, pool, config.trials, deadline, wish)
        coordinator.take_over(stored.trials())
        finals = _final_round(plan, stored, log, wish, deadline)
        try:
            outcome = coordinator.run()
            if outcome in ("complete", "exhausted") and config.finalists:
                outcome = finals.run(coordinator.crew.handed_over(finals.say_death)) or outcome
                attach_sheets(stored, workplace, plan.space.vocabulary, folder.artifacts, log)
        finally:
            settled = stored.finals()
            table = front_table(stored.trials(), config.objectives, plan.in_shape[1:], plan.num_classes, config.folds, settled)
            write_text(folder.front, table.to_csv(index=False))
            ledger.plots.draw()
    seconds, workers = time.monotonic() - began, max(1, plan.workers)
    return SearchResult(
        study=plan.name,
        folder=folder,
        storage=stored.url,
        outcome=outcome,
        front=table,
        trials=ledger.counted,
        counts=proposer.counts,
        seconds=seconds,
        overhead=1 - (ledger.busy_seconds + finals.busy_seconds) / (workers * seconds),
        workers=workers,
        folds=config.folds,
    )


def _final_round(plan: Plan, stored: StoredStudy, log: EventLog, wish: Wish, deadline: float | None) -> FinalRound:
    config = plan.config
    return FinalRound(
        stored=stored,
        objectives=config.objectives,
        finalists=config.finalists,
        seeds=[config.seed + 1 + i for i in range(config.final_seeds)],
        epochs=config.final_epochs,
        rungs=plan.rungs,
        folder=plan.folder.weights.resolve(),
        log=log,
        wish=wish,
        deadline=deadline,
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


def describe_data(plan: Plan) -> str:
    """What a search works on, a paragraph a set."""
    processes = f"{plan.workers or 'no'} worker process{'es' if plan.workers != 1 else ''}"
    how = (
        "all sets together, with a head for each and a domain router" if plan.config.joint else "each set in turn, with a head for it alone"
    )
    views = [] if plan.transforms.built_in else [f"transforms: {plan.transforms.path}"]
    several = [f"each network is trained on {how}"] if len(plan.sets) > 1 else []
    return "\n".join([*(one.describe() for one in plan.sets), *several, *views, f"machine: {plan.device}, {processes}"])
