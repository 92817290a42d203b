"""The only one who talks to the sampler and the storage: asks, hands out, tells, until there are enough trials."""

import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

from nas.errors import UserError
from nas.genome import genome_from_json
from nas.pareto import non_dominated
from nas.search.candidate import Target, stored_genome
from nas.search.job import Answer
from nas.search.note import evaluation_table, per_class_iou, trial_note
from nas.search.objectives import OBJECTIVES, to_minimise, values
from nas.search.pool import Event, Pool
from nas.search.progress import Progress
from nas.search.proposer import Proposal, Proposer, SpaceExhausted
from nas.search.proxy import ProxyResult
from nas.search.record import Recorder

Outcome = Literal["complete", "exhausted", "interrupted", "timeout"]

MAX_FAILURES = 20
"""Failed trials in a row that end a search."""

COUNTED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass
class Job:
    """A trial in training.

    Attributes:
        trial_id: In the storage; None before its training starts.
        proposal: What is trained.
        retried: Whether a worker died over it before.
    """

    trial_id: int | None
    proposal: Proposal
    retried: bool = False


@dataclass
class Coordinator:
    """State of one run.

    Attributes:
        target: What candidates fit.
        objectives: Names.
        proposer: Gives candidates.
        recorder: Writes trials.
        pool: Trains.
        limit: Trials wanted in the study.
        deadline: `time.monotonic()` after which nothing is begun; None for never.
        progress: Is told.
        busy_seconds: Time that workers spent in training and validation.
        counted: Trained networks in the study.
    """

    target: Target
    objectives: Sequence[str]
    proposer: Proposer
    recorder: Recorder
    pool: Pool
    limit: int
    deadline: float | None
    progress: Progress
    busy_seconds: float = 0.0
    _jobs: dict[int, Job] = field(default_factory=dict)
    _retry: dict[int, Job] = field(default_factory=dict)
    _free: set[int] = field(default_factory=set)
    _started: set[int] = field(default_factory=set)
    _waiting: deque[tuple[int, Proposal]] = field(default_factory=deque)
    _ready: deque[Job] = field(default_factory=deque)
    _found: list[tuple[float, list[float]]] = field(default_factory=list)
    counted: int = 0
    _failures: int = 0
    _exhausted: bool = False
    _ended: Outcome | None = None

    def take_over(self, trials: Sequence[FrozenTrial]) -> None:
        """Takes up what earlier runs left: finished trials inform the sampler, unfinished ones are trained first.

        The study's lock is held, so a RUNNING trial has no process any more.
        """
        for trial in trials:
            text = stored_genome(trial.user_attrs)
            if text is None:
                continue
            if trial.state.is_finished():
                self.proposer.remember(trial)
                self.counted += trial.state in COUNTED
                if trial.state == TrialState.COMPLETE:
                    self._found.append((trial.user_attrs["iou"], to_minimise(self.objectives, trial.values)))
                continue
            if trial.state == TrialState.RUNNING:
                self.recorder.put_back(trial._trial_id)
            genome = genome_from_json(text, self.target.space.vocabulary)
            self._waiting.append((trial._trial_id, self.proposer.take_up(self.target.priced(trial.params, genome))))

    def run(self) -> Outcome:
        """Trains until there are enough trials, or until something else ends the search.

        Raises:
            UserError: 20 trials failed in a row, or workers cannot start.
        """
        self.progress.begin(self.counted, self.limit)
        self._show()
        try:
            with self._signals():
                self._loop()
        finally:
            self.pool.close()
            for job in [*self._jobs.values(), *self._retry.values()]:
                if job.trial_id is not None:
                    self.recorder.put_back(job.trial_id)
            self.progress.end()
        return self._ended or "complete"

    def _loop(self) -> None:
        while self.counted < self.limit and self._ended is None:
            self._hand_out()
            if self._must_end():
                return
            if self._exhausted and not (self._jobs or self._retry or self._ready):
                self._ended = "exhausted"
                return
            event = self.pool.wait(0.2)
            if event is not None:
                self._handle(event)

    def _must_end(self) -> bool:
        """Whether the person, the system or the clock wants an end."""
        if self._ended is None and self.deadline is not None and time.monotonic() > self.deadline:
            self._ended = "timeout"
        return self._ended is not None

    def _hand_out(self) -> None:
        """Gives work to who is free, and has the next candidate ready for who will be."""
        while self._free and self._wanted():
            self._prepare()
            if not self._ready:
                return
            self._train(self._free.pop(), self._ready.popleft())
        self._prepare()

    def _wanted(self) -> int:
        """Trials that are neither trained nor in training."""
        return self.limit - self.counted - len(self._jobs) - len(self._retry)

    def _prepare(self) -> None:
        """One candidate ahead: a worker that answers gets its next genome before its answer is written down."""
        if self._ready or self._wanted() < 1 or self._exhausted:
            return
        if self._waiting:
            self._ready.append(Job(*self._waiting.popleft()))
            return
        try:
            proposal = self.proposer.next(self._must_end)
        except SpaceExhausted:
            self._exhausted = True
            return
        if proposal is not None:
            self._ready.append(Job(None, proposal))

    def _train(self, worker: int, job: Job) -> None:
        self._jobs[worker] = job
        proposal = job.proposal
        self.pool.submit(worker, proposal.candidate.genome.to_json())
        # Written while the worker is at it already. A kill in between leaves no row, and loses nothing.
        if job.trial_id is None:
            job.trial_id = self.recorder.start(proposal.candidate, proposal.system_attrs, self._note(proposal, "In training."))
        elif not job.retried:
            self.recorder.restart(job.trial_id)

    def _handle(self, event: Event) -> None:
        if event.died:
            self._bury(event.worker)
            return
        self._started.add(event.worker)
        job = self._jobs.pop(event.worker, None)
        if event.worker in self._retry:
            self._train(event.worker, self._retry.pop(event.worker))
        elif self._ready and self._ended is None and self._wanted() > (job is not None):
            self._train(event.worker, self._ready.popleft())
        else:
            self._free.add(event.worker)
        if job is not None and event.answer is not None:
            self._settle(job, event.answer)

    def _settle(self, job: Job, answer: Answer) -> None:
        assert job.trial_id is not None
        if answer.result is not None:
            self._complete(job.trial_id, job.proposal, answer.result)
        else:
            self._fail(job.trial_id, job.proposal, answer.reason)

    def _bury(self, worker: int) -> None:
        """A worker died: its trial is tried once more by its successor, and fails with the second."""
        if worker not in self._started:
            raise UserError("a worker process ended before it was ready: workers.log in the study's folder says why")
        self._started.discard(worker)
        self._free.discard(worker)
        job = self._jobs.pop(worker, None)
        if job is not None and job.retried:
            self._settle(job, Answer(None, "its worker process died twice; workers.log may say why"))
        elif job is not None:
            self.progress.say(f"a worker died over {job.proposal.candidate.genome.key}: it is trained once more")
            self._retry[worker] = Job(job.trial_id, job.proposal, retried=True)
        self.pool.restart(worker)

    def _complete(self, trial_id: int, proposal: Proposal, result: ProxyResult) -> None:
        candidate = proposal.candidate
        found = values(self.objectives, result.evaluations, candidate.cost)
        accuracies = {name: OBJECTIVES[name].value(result.evaluations, candidate.cost) for name in ("iou", "miou", "dice")}
        seconds = result.train_seconds + result.validate_seconds
        attrs = accuracies | {
            "iou_per_set": {name: evaluation.mean_iou for name, evaluation in result.evaluations.items()},
            "iou_per_class": per_class_iou(result.evaluations),
            "curve": result.curve,
            "seconds": seconds,
            **({"iou_per_fold": result.iou_per_fold} if result.iou_per_fold else {}),
        }
        self.recorder.complete(trial_id, found, attrs, self._note(proposal, evaluation_table(result.evaluations, result.iou_per_fold)))
        self.proposer.tell(proposal, found)
        self._found.append((accuracies["iou"], to_minimise(self.objectives, found)))
        self.busy_seconds += seconds
        self.counted += 1
        self._failures = 0
        self._show()

    def _fail(self, trial_id: int, proposal: Proposal, reason: str) -> None:
        key = proposal.candidate.genome.key
        self.recorder.fail(trial_id, reason, self._note(proposal, f"Failed: {reason}"))
        self.proposer.tell(proposal, None)
        self.progress.say(f"{key} failed: {reason}")
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            raise UserError(
                f"{MAX_FAILURES} trials failed in a row, the last with: {reason}. workers.log in the study's folder has the "
                "tracebacks; a lower --learning-rate helps where training diverges"
            )

    def _show(self) -> None:
        front = non_dominated([values for _, values in self._found])
        self.progress.update(self.counted, max((iou for iou, _ in self._found), default=0.0), int(front.sum()))

    def _note(self, proposal: Proposal, outcome: str) -> str:
        return trial_note(proposal.candidate, self.target.in_shape, self.target.num_classes, outcome)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the search at the next event, not in the middle of a write; a second Ctrl-C ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: object) -> None:
            if self._ended == "interrupted":
                raise KeyboardInterrupt
            self._ended = "interrupted"

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
