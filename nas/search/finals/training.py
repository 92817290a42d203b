"""Trains the top of the front again, to the end and with fresh seeds, and keeps each finalist's best weights."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from optuna.trial import FrozenTrial

from nas.proxy.job import Answer, Task
from nas.search.display.front import front_trials
from nas.search.display.log import EventLog
from nas.search.finals.values import CompleteRound, Final, best_weights, fresh, weights_file, with_spread
from nas.search.objectives import accuracies
from nas.search.signals import Wish
from nas.search.study import StoredStudy
from nas.search.workers.crew import Crew


@dataclass(frozen=True)
class FinalTraining:
    """One seed of one finalist."""

    trial: FrozenTrial
    seed: int

    @property
    def name(self) -> str:
        """For messages."""
        return f"final training of trial {self.trial.number} {self.trial.user_attrs['key']} seed {self.seed}"


@dataclass
class FinalRound:
    """All final trainings of a study.

    Attributes:
        stored: The study, which keeps the values.
        objectives: Names.
        finalists: How many of the front, from the top.
        seeds: Of the trainings; none of them the search's.
        epochs: Of each; None for the recipe's.
        rungs: Of the workplace.
        folder: For the weights.
        log: Is told, and tells the person.
        wish: Whether the person wants an end.
        deadline: `time.monotonic()` after which nothing is begun; None for never.
        busy_seconds: Time that workers spent in training and validation.
    """

    stored: StoredStudy
    objectives: Sequence[str]
    finalists: int
    seeds: Sequence[int]
    epochs: int | None
    rungs: int
    folder: Path
    log: EventLog
    wish: Wish
    deadline: float | None
    busy_seconds: float = 0.0
    _waiting: deque[FinalTraining] = field(default_factory=deque)

    def run(self, workers: Crew[FinalTraining]) -> Literal["interrupted", "timeout"] | None:
        """Trains what is missing.

        Returns:
            Why it stopped before all was trained, None where all is; the next run trains what is left.
        """
        chosen = front_trials(self.stored.trials(), self.objectives)[: self.finalists]
        # The longest first: what is left at the end, when workers run out of tasks one by one, is short.
        slowest_first = sorted(chosen, key=lambda trial: -float(trial.user_attrs.get("seconds", 0.0)))
        self._waiting.extend(FinalTraining(trial, seed) for trial in slowest_first for seed in self._missing(trial))
        if self._waiting:
            self.log.write(
                f"final training of {len(chosen)} networks with {len(self.seeds)} fresh seeds each: {len(self._waiting)} trainings",
                news=True,
            )
        while self._waiting or workers.at_work:
            if self.wish.to_end:
                return "interrupted"
            if self.deadline is not None and time.monotonic() > self.deadline:
                return "timeout"
            while self._waiting and workers.has_free:
                one = self._waiting.popleft()
                workers.give(self._task(one), one)
            news = workers.wait(0.2)
            if news is not None:
                self._settle(*news)
        self._conclude(chosen)
        return None

    def say_death(self, one: FinalTraining, reason: str) -> None:
        """Tells that a worker died over a training, which is done once more."""
        why = f" ({reason})" if reason else ""
        self.log.write(f"a worker died over the {one.name}{why}: it is done once more; {self.log.workers} may say why", news=True)

    def _entries(self, trial: FrozenTrial) -> list[dict[str, Any]]:
        """Final trainings of a finalist with the wanted length, by whatever seeds."""
        entries = self.stored.final_entries().get(trial.user_attrs["key"], [])
        return [entry for entry in entries if entry["epochs"] == self.epochs]

    def _task(self, one: FinalTraining) -> Task:
        save = weights_file(self.folder, one.trial.user_attrs["key"], one.seed, self.epochs)
        return Task(one.trial.user_attrs["genome"], self.rungs - 1, save=save, seed=one.seed, epochs=self.epochs, label=one.name)

    def _settle(self, one: FinalTraining, answer: Answer, worker: int) -> None:
        key, number = one.trial.user_attrs["key"], one.trial.number
        if answer.result is None:
            self.log.write(
                f"{one.name} failed in worker {worker}: {answer.reason}. What workers wrote, tracebacks too, is in {self.log.workers}",
                news=True,
            )
            return
        result = answer.result
        self.busy_seconds += result.seconds
        entry = {
            "seed": one.seed,
            "epochs": self.epochs,
            **accuracies(result.evaluations),
            "iou_per_set": {name: evaluation.mean_iou for name, evaluation in result.evaluations.items()},
            "seconds": result.seconds,
        }
        self.stored.add_final(key, entry)
        self.log.write(f"{one.name} worker {worker}: IoU {entry['iou']:.4f}, {result.seconds:.2f} s")
        if not self._missing(one.trial):
            final = Final(tuple(self._entries(one.trial)))
            self.log.progress.say(
                f"trial {number} {key}: IoU {one.trial.user_attrs['iou']:.4f} in the search, "
                f"{with_spread(final.mean('iou'), final.spread('iou'))} over {fresh(len(final.entries))}"
            )

    def _missing(self, trial: FrozenTrial) -> list[int]:
        """Seeds of a finalist that were not trained; the best one where its weights are gone, and those of all others."""
        entries = self._entries(trial)
        done = {entry["seed"] for entry in entries}
        missing = [seed for seed in self.seeds if seed not in done]
        if entries and best_weights(self.folder, trial.user_attrs["key"], entries) is None:
            missing.append(max(entries, key=lambda entry: float(entry["iou"]))["seed"])
        return missing

    def _conclude(self, chosen: Sequence[FrozenTrial]) -> None:
        """From now on the values of this round count; of each finalist's weights the best are kept."""
        seeds = {trial.user_attrs["key"]: {entry["seed"] for entry in self._entries(trial)} for trial in chosen}
        whole = [own for own in seeds.values() if own >= set(self.seeds)]
        if whole:  # Else a training of each finalist failed.
            self.stored.set_round(CompleteRound(list(seeds), sorted(set.intersection(*whole)), self.epochs))
        for trial in chosen:
            key = trial.user_attrs["key"]
            best = best_weights(self.folder, key, self._entries(trial))
            for path in self.folder.glob(f"{key}-seed*") if best else ():
                if path != best:
                    path.unlink(missing_ok=True)
