"""The only one who talks to the sampler and the storage: asks, hands out, tells, until there are enough trials."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

from nas.genome import genome_from_json
from nas.proxy.job import Answer
from nas.search.candidate import stored_genome
from nas.search.ledger import Ledger
from nas.search.live import LiveTrial
from nas.search.proposer import SpaceExhausted
from nas.search.signals import Wish
from nas.search.workers.crew import Crew
from nas.search.workers.pool import Pool

Outcome = Literal["complete", "exhausted", "interrupted", "timeout"]


@dataclass
class Coordinator:
    """State of one run.

    Attributes:
        ledger: Judges and writes down.
        pool: Trains.
        limit: Trials wanted in the study.
        deadline: `time.monotonic()` after which nothing is begun; None for never.
        wish: Whether the person wants an end.
    """

    ledger: Ledger
    pool: Pool
    limit: int
    deadline: float | None
    wish: Wish
    _waiting: deque[LiveTrial] = field(default_factory=deque)
    _ready: deque[LiveTrial] = field(default_factory=deque)
    _exhausted: bool = False
    _ended: Outcome | None = None

    def __post_init__(self) -> None:
        self.crew: Crew[LiveTrial] = Crew(self.pool, self._say_death)

    def take_over(self, trials: Sequence[FrozenTrial]) -> None:
        """Takes up what earlier runs left: finished trials inform the sampler, unfinished ones go on from their last rung.

        Those that were judged there to be stopped end. The study's lock is held, so a RUNNING trial has no process any more.
        """
        for trial in trials:
            text = stored_genome(trial.user_attrs)
            if text is None:
                continue
            self.ledger.remember(trial)
            if trial.state.is_finished():
                continue
            target = self.ledger.target
            priced = target.priced(trial.params, genome_from_json(text, target.space.vocabulary))
            candidate = replace(priced, peer=str(trial.user_attrs.get("peer", "")))
            live = self.ledger.resumed(trial, self.ledger.proposer.take_up(candidate))
            if self.ledger.settled(live):
                continue
            if trial.state == TrialState.RUNNING:
                self.ledger.recorder.put_back(trial._trial_id)
            self._waiting.append(live)
        self.ledger.sweep(self._waiting)

    def run(self) -> Outcome:
        """Trains until there are enough trials, or until something else ends the search.

        Raises:
            UserError: 20 trials failed in a row, or workers cannot start.
        """
        self.ledger.progress.begin(self.ledger.counted, self.limit)
        self.ledger.show()
        try:
            self._loop()
        finally:
            self.ledger.progress.end()
            for live in (*self.crew.at_work, *self._ready):
                self.ledger.put_back(live)
        return self._ended or "complete"

    def _loop(self) -> None:
        while self.ledger.counted < self.limit and self._ended is None:
            self._hand_out()
            if self._must_end():
                return
            if self._exhausted and not (self.crew.at_work or self._ready):
                self._ended = "exhausted"
                return
            news = self.crew.wait(0.2)
            if news is not None:
                self._handle(*news)

    def _must_end(self) -> bool:
        """Whether the person, the system or the clock wants an end."""
        if self._ended is None and self.wish.to_end:
            self._ended = "interrupted"
            self.ledger.log.write("interrupted: trials in training are put back")
        if self._ended is None and self.deadline is not None and time.monotonic() > self.deadline:
            self._ended = "timeout"
            self.ledger.log.write("the time is up: trials in training are put back")
        return self._ended is not None

    def _hand_out(self) -> None:
        """Gives work to who is free, and has the next candidate ready for who will be."""
        while self.crew.has_free and self._wanted():
            self._prepare()
            if not self._ready:
                return
            self._train(self._ready.popleft())
        self._prepare()

    def _wanted(self) -> int:
        """Trials that are neither trained nor in training."""
        return self.limit - self.ledger.counted - len(self.crew.at_work)

    def _prepare(self) -> None:
        """One candidate ahead: a worker that answers gets its next task before its answer is written down."""
        if self._ready or self._wanted() < 1 or self._exhausted:
            return
        if self._waiting:
            self._ready.append(self._waiting.popleft())
            return
        try:
            proposal = self.ledger.proposer.next(self._must_end)
        except SpaceExhausted:
            self._exhausted = True
            return
        if proposal is not None:
            self._ready.append(LiveTrial(None, proposal))

    def _train(self, live: LiveTrial) -> None:
        """Begins a trial, or goes on with one of an earlier run."""
        self._give(live)
        # Written while the worker is at it already. A kill in between leaves no row, and loses nothing.
        self.ledger.start(live)

    def _give(self, live: LiveTrial) -> None:
        self.crew.give(live.task(self.ledger.states, self.ledger.ladder.rungs), live)

    def _handle(self, live: LiveTrial, answer: Answer, worker: int) -> None:
        verdict = self.ledger.judge(live, answer)
        if self._ended is None and not self.wish.to_end and self.crew.has_free:
            if verdict == "on":
                self._give(live)
            elif self._ready and self._wanted() > 1:
                self._train(self._ready.popleft())
        self.ledger.write(live, answer, verdict, worker)
        if verdict == "on" and live not in self.crew.at_work:
            self._ready.appendleft(live)

    def _say_death(self, live: LiveTrial, reason: str) -> None:
        log = self.ledger.log
        why, again = f" ({reason})" if reason else "", "that rung is trained once more"
        log.write(f"a worker died over {live.name} at rung {live.rung}{why}: {again}; {log.workers} may say why", news=True)
