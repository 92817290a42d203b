"""Asks the sampler for candidates that are new and fit; draws that are neither inform the sampler and go no further.

The sampler works on an in-memory copy of the study: asking, describing and telling a trial of 60 parameters takes 124 ms on SQLite, and
a draw that builds a known network would leave a row in the user's study.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from nas.genome import genome_from_json
from nas.search.candidate import SHARE, Candidate, Target, stored_genome
from nas.search.objectives import OBJECTIVES, RUNGS, Direction
from nas.search.sampling import Knowledge, SurrogateSampler, sampler_faults
from nas.space import Misfit, SearchSpace

EXHAUSTED_AFTER = 1_000
"""Draws in a row without a new genome after which a space counts as exhausted."""


Ended = Sequence[float] | TrialState | None
"""How a trial ended: its values, `TrialState.PRUNED`, or None where it failed or has not ended."""


class SpaceExhausted(Exception):  # noqa: N818 - an end, not an error
    """No new genome in `EXHAUSTED_AFTER` draws."""


@dataclass
class Proposal:
    """A candidate with the sampler's own trial, which wants to be told how it ended."""

    candidate: Candidate
    asked: optuna.Trial

    @property
    def system_attrs(self) -> dict[str, Any]:
        """What the sampler noted on its trial, such as NSGA-II's generation; a resumed search needs it back."""
        return self.asked.storage.get_trial_system_attrs(self.asked._trial_id)


@dataclass
class Counts:
    """Draws that became no trial."""

    duplicates: int = 0
    misfits: int = 0


@dataclass
class Proposer:
    """The in-memory study and what is known in it.

    Attributes:
        target: What candidates must fit.
        objectives: Names.
        sampler: Optuna's.
        directions: Of the objectives.
        counts: Draws that became no trial.
        first: Candidates to give before the sampler draws any.
        knowledge: What became of every candidate, for samplers that learn from more than values.
    """

    target: Target
    objectives: Sequence[str]
    sampler: BaseSampler
    directions: Sequence[Direction]
    counts: Counts = field(default_factory=Counts)
    first: deque[Candidate] = field(default_factory=deque)
    knowledge: Knowledge = field(default_factory=Knowledge)

    def __post_init__(self) -> None:
        self.study = optuna.create_study(directions=list(self.directions), sampler=self.sampler)
        self.distributions = distributions(self.target.space, self.objectives)
        self.known: dict[str, Ended] = {}
        if isinstance(self.sampler, SurrogateSampler):
            self.sampler.meet(self.target, self.objectives, self.distributions, self.knowledge)

    def remember(self, trial: FrozenTrial) -> None:
        """Takes a trial of the stored study into the sampler's copy."""
        ended = {TrialState.COMPLETE: trial.values, TrialState.PRUNED: TrialState.PRUNED}
        self.known[str(trial.user_attrs.get("key"))] = ended.get(trial.state)
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            text = stored_genome(trial.user_attrs)
            if text is not None:
                genome = genome_from_json(text, self.target.space.vocabulary)
                complete = trial.state == TrialState.COMPLETE
                self.knowledge.learn(self.target.priced(trial.params, genome), trial.user_attrs.get(RUNGS, ()), complete)
            self.study.add_trial(
                optuna.trial.create_trial(
                    state=trial.state,
                    values=trial.values if trial.state == TrialState.COMPLETE else None,
                    params=trial.params,
                    distributions=trial.distributions,
                    system_attrs=trial.system_attrs,
                )
            )

    def next(self, stop: Callable[[], bool] = lambda: False) -> Proposal | None:
        """The next candidate that is new and fits.

        Args:
            stop: Asked before every draw; ends the search for one.

        Returns:
            None where `stop` said so.

        Raises:
            SpaceExhausted: 1,000 draws in a row were known or did not fit.
        """
        while self.first:
            candidate = self.first.popleft()
            if candidate.genome.key not in self.known:
                return self.take_up(candidate)
        for _ in range(EXHAUSTED_AFTER):
            if stop():
                return None
            asked = self._ask()
            try:
                candidate = self.target.candidate(asked.params)
            except Misfit as misfit:
                self.counts.misfits += 1
                self._tell_misfit(asked, misfit)
                continue
            key = candidate.genome.key
            if key in self.known:
                self.counts.duplicates += 1
                self._tell(asked, self.known[key], candidate.violations)
                continue
            return self._begun(Proposal(candidate, asked))
        raise SpaceExhausted

    def take_up(self, candidate: Candidate) -> Proposal:
        """A candidate that the sampler did not draw, interrupted before or known beforehand, with a sampler's trial of its own."""
        self.study.enqueue_trial(dict(candidate.params))
        return self._begun(Proposal(candidate, self._ask()))

    def tell(self, proposal: Proposal, ended: Ended, rungs: Sequence[Mapping[str, Any]] = ()) -> None:
        """How a proposal ended, and the entries of the rungs that it has completed."""
        self.known[proposal.candidate.genome.key] = ended
        if ended is None:
            self.knowledge.drop(proposal.candidate)
        else:
            self.knowledge.learn(proposal.candidate, rungs, complete=not isinstance(ended, TrialState))
        self._tell(proposal.asked, ended, proposal.candidate.violations)

    def _begun(self, proposal: Proposal) -> Proposal:
        self.known[proposal.candidate.genome.key] = None
        self.knowledge.expect(proposal.candidate)
        return proposal

    def _ask(self) -> optuna.Trial:
        with sampler_faults(self.sampler):
            return self.study.ask(self.distributions)

    def _tell(self, asked: optuna.Trial, ended: Ended, violations: Sequence[float]) -> None:
        if ended is not None:
            set_constraints(asked, violations)
        with sampler_faults(self.sampler):
            if ended is None:
                self.study.tell(asked, state=TrialState.FAIL)
            elif isinstance(ended, TrialState):
                # Without a value: what it had reached is of another fidelity. TPE counts it among the worse.
                self.study.tell(asked, state=ended)
            else:
                self.study.tell(asked, list(ended))

    def _tell_misfit(self, asked: optuna.Trial, misfit: Misfit) -> None:
        """As infeasible, by how far its narrowest form is over the caps; the accuracy is nobody's and does not matter there."""
        found = [OBJECTIVES[name].value({}, misfit.cost) if OBJECTIVES[name].direction == "minimize" else 0.0 for name in self.objectives]
        self._tell(asked, found, misfit.budget.violations(misfit.cost))


def distributions(space: SearchSpace, objectives: Sequence[str]) -> dict[str, BaseDistribution]:
    """What the sampler draws from: the genes of the space, and with parameters as an objective the share of the cap to fill."""
    share = {SHARE: FloatDistribution(0.1, 1.0, log=True)} if "params" in objectives else {}
    return {**space.distributions(), **share}


def set_constraints(trial: optuna.Trial, violations: Sequence[float]) -> None:
    """Notes constraint values where samplers, `best_trials` and the dashboard all read them.

    `Trial.set_constraint` of Optuna 5 writes attributes that optuna-dashboard 0.21 does not show; the list it reads is the older form,
    which Optuna reads too. The two must not be mixed.
    """
    trial.storage.set_trial_system_attr(trial._trial_id, "constraints", list(violations))
