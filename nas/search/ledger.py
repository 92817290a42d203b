"""What becomes of trials: judges every completed rung, and writes down what follows for sampler, storage and person."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

from nas.errors import UserError
from nas.pareto import non_dominated
from nas.proxy.job import Answer
from nas.proxy.rungs import ETA
from nas.proxy.states import remove_states, state_file
from nas.proxy.training import ProxyResult
from nas.search.candidate import Target
from nas.search.display.log import EventLog
from nas.search.display.note import evaluation_table, per_class_iou, rung_table, trial_note
from nas.search.display.plots import Plots
from nas.search.display.progress import Progress
from nas.search.ladder import Ladder
from nas.search.live import PRUNED, LiveTrial, stored_rungs, stored_standings
from nas.search.objectives import accuracies, values
from nas.search.proposer import Proposal, Proposer
from nas.search.storage.record import Recorder

Verdict = Literal["on", "complete", "pruned", "failed"]

MAX_FAILURES = 20
"""Failed trials in a row that end a search."""

COUNTED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass
class Ledger:
    """The study's books.

    Attributes:
        target: What candidates fit.
        objectives: Names.
        ladder: Judges.
        proposer: Its sampler is told.
        recorder: Writes trials.
        progress: Is told.
        log: Is told too, in a file.
        states: Folder of the states of live trials.
        plots: The study's figures.
        counted: Trained networks in the study.
        begun: Trials in the study, whatever became of them.
        busy_seconds: Time that workers spent in training and validation.
    """

    target: Target
    objectives: Sequence[str]
    ladder: Ladder
    proposer: Proposer
    recorder: Recorder
    progress: Progress
    log: EventLog
    states: Path
    plots: Plots
    counted: int = 0
    begun: int = 0
    busy_seconds: float = 0.0
    _failures: int = field(default=0, init=False)
    _noted: bool = field(default=False, init=False)

    def remember(self, trial: FrozenTrial) -> None:
        """Takes a trial of an earlier run into account: where it stood at each rung, and how it ended."""
        self.begun += 1
        # A run killed between the last rung's entry and the trial's end leaves an entry that the last rung will make again.
        rungs = self.ladder.rungs if trial.state.is_finished() else self.ladder.rungs - 1
        for rung, standing in enumerate(stored_standings(self.objectives, trial.user_attrs)[:rungs]):
            self.ladder.enter(rung, standing)
        if trial.state.is_finished():
            self.proposer.remember(trial)
            self.counted += trial.state in COUNTED

    def resumed(self, trial: FrozenTrial, proposal: Proposal) -> LiveTrial:
        """An unfinished trial of an earlier run, at the rung that it had reached."""
        completed = stored_rungs(trial.user_attrs)[: self.ladder.rungs - 1]
        return LiveTrial(trial._trial_id, proposal, str(trial.user_attrs.get("guard", "")), completed, trial.number)

    def settled(self, live: LiveTrial) -> bool:
        """Whether an unfinished trial of an earlier run was judged to be stopped, only not ended before that run was killed; ends it."""
        judged = bool(live.completed) and live.completed[-1].get(PRUNED, False)
        if judged:
            self.log.write(f"{live.name} was stopped at rung {live.rung - 1} by the run before")
            self._prune(live)
            self.counted += 1
        return judged

    def start(self, live: LiveTrial) -> None:
        """Writes a trial down whose training has begun, for the first time or again."""
        if live.trial_id is not None:
            self.recorder.restart(live.trial_id)
            self.log.write(f"{live.name} goes on at rung {live.rung}{_spared(live)}")
            return
        proposal = live.proposal
        live.guard = self._guard(live)
        self.begun += 1
        attrs = {"guard": live.guard} if live.guard else {}
        live.trial_id, live.number = self.recorder.start(proposal.candidate, attrs, proposal.system_attrs, self._note(live, "In training."))
        peer = proposal.candidate.peer
        self.log.write(f"{live.name} begins{f', {peer}' if peer else ''}{_spared(live)}")

    def _guard(self, live: LiveTrial) -> str:
        if live.proposal.candidate.peer:
            return "warm start"
        return f"one of the first {2 * ETA}" if self.begun < 2 * ETA else ""

    def judge(self, live: LiveTrial, answer: Answer) -> Verdict:
        """What follows from a rung; writes nothing yet, so that the worker need not wait for the storage."""
        if answer.result is None:
            return "failed"
        rung = live.rung
        live.enter(answer.result)
        standing = live.standing(self.objectives)
        self.ladder.enter(rung, standing)
        self.busy_seconds += answer.result.seconds
        if rung == self.ladder.rungs - 1:
            return "complete"
        if self.ladder.goes_on(rung, standing, bool(live.guard)):
            return "on"
        live.completed[-1][PRUNED] = True
        return "pruned"

    def write(self, live: LiveTrial, answer: Answer, verdict: Verdict, worker: int) -> None:
        """Writes a verdict down.

        Raises:
            UserError: 20 trials failed in a row.
        """
        assert live.trial_id is not None
        if verdict != "failed":
            self.log.write(
                f"{live.name} rung {live.rung - 1} worker {worker}: IoU {live.completed[-1]['iou']:.4f}, "
                f"{live.completed[-1]['seconds']:.2f} s, {verdict}"
            )
            self._write_notes(live, answer, worker)
            self.recorder.reached(live.trial_id, live.completed)
        if verdict == "on":
            if live.rung > 1:
                state_file(self.states, live.key, live.rung - 2).unlink(missing_ok=True)
            return
        if verdict == "complete":
            assert answer.result is not None
            self._complete(live, answer.result)
        elif verdict == "pruned":
            self._prune(live)
            self._count()
        else:
            self._fail(live, answer.reason, worker)
        for rung in range(self.ladder.rungs):
            state_file(self.states, live.key, rung).unlink(missing_ok=True)

    def _write_notes(self, live: LiveTrial, answer: Answer, worker: int) -> None:
        """What a training says of itself: the log has all of it, a person is told the first."""
        for note in answer.result.notes if answer.result else ():
            self.log.write(f"{live.name} rung {live.rung - 1} worker {worker}: {note}", news=not self._noted)
            self._noted = True

    def put_back(self, live: LiveTrial) -> None:
        """Leaves a trial to the next run, which goes on from its last completed rung."""
        if live.trial_id is not None:
            self.recorder.put_back(live.trial_id)
            self.log.write(f"{live.name} is put back at rung {live.rung}: the next run goes on with it")

    def sweep(self, live: Sequence[LiveTrial]) -> None:
        """Removes the states of all other trials."""
        remove_states(self.states, [state_file(self.states, one.key, one.rung - 1) for one in live])

    def show(self) -> None:
        """Tells the person how far it is."""
        finished = self.ladder.finished
        front = non_dominated([one.values for one in finished])
        self.progress.update(self.counted, max((one.accuracy for one in finished), default=0.0), int(front.sum()))

    def _complete(self, live: LiveTrial, result: ProxyResult) -> None:
        assert live.trial_id is not None
        found = values(self.objectives, result.evaluations, live.proposal.candidate.cost)
        attrs = accuracies(result.evaluations) | {
            "iou_per_set": {name: evaluation.mean_iou for name, evaluation in result.evaluations.items()},
            "iou_per_class": per_class_iou(result.evaluations),
            "seconds": live.seconds,
            **({"iou_per_fold": result.iou_per_fold} if result.iou_per_fold else {}),
        }
        note = self._note(live, evaluation_table(result.evaluations, result.iou_per_fold))
        self.recorder.complete(live.trial_id, live.proposal.candidate, found, attrs, note)
        self.proposer.tell(live.proposal, found, live.completed)
        self._count()

    def _prune(self, live: LiveTrial) -> None:
        assert live.trial_id is not None
        words = f"Stopped early: not among the best third after {live.rung} of {self.ladder.rungs} rungs."
        self.recorder.prune(live.trial_id, live.proposal.candidate, self._note(live, words))
        self.proposer.tell(live.proposal, TrialState.PRUNED, live.completed)

    def _count(self) -> None:
        self.counted += 1
        self._failures = 0
        self.show()
        self.plots.refresh()

    def _fail(self, live: LiveTrial, reason: str, worker: int) -> None:
        assert live.trial_id is not None
        self.recorder.fail(live.trial_id, live.proposal.candidate, reason, self._note(live, f"Failed: {reason}"))
        self.proposer.tell(live.proposal, None)
        self.log.write(
            f"{live.name} failed at rung {live.rung} in worker {worker}: {reason}. What workers wrote, tracebacks too, is in "
            f"{self.log.workers}",
            news=True,
        )
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            raise UserError(
                f"{MAX_FAILURES} trials failed in a row, the last, {live.name}, with: {reason}. {self.log.workers} has the "
                "tracebacks; a lower --learning-rate helps where training diverges"
            )

    def _note(self, live: LiveTrial, outcome: str) -> str:
        stages = f"\n\n{rung_table(live.completed)}" if live.completed else ""
        return trial_note(live.proposal.candidate, self.target.in_shape, self.target.num_classes, outcome + stages)


def _spared(live: LiveTrial) -> str:
    return f", never stopped early: {live.guard}" if live.guard else ""
