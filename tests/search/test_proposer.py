"""Draws that are known or do not fit inform the sampler and go no further."""

import pytest
from optuna.trial import TrialState

from nas.cost import Budget
from nas.search.candidate import Target
from nas.search.objectives import directions
from nas.search.proposer import Proposer
from nas.search.sampling import make_sampler
from nas.space import load_space

OBJECTIVES = ("iou", "macs")


def proposer(budget=None, sampler="random", seed=0):
    target = Target(load_space("tiny_unet"), budget or Budget(10_000), (3, 64, 64), 2)
    return Proposer(target, OBJECTIVES, make_sampler(sampler, seed, 0), directions(OBJECTIVES))


def test_every_proposal_is_new_and_fits():
    asked = proposer()
    candidates = [asked.next().candidate for _ in range(50)]
    assert len({candidate.genome.key for candidate in candidates}) == 50
    assert all(candidate.cost.params <= 10_000 for candidate in candidates)
    assert all(violation <= 0 for candidate in candidates for violation in candidate.violations)


def test_misfits_are_told_as_infeasible():
    asked = proposer(Budget(900))
    for _ in range(5):
        asked.next()
    assert asked.counts.misfits > 0
    infeasible = [t for t in asked.study.trials if t.state == TrialState.COMPLETE and max(t.system_attrs["constraints"]) > 0]
    assert len(infeasible) == asked.counts.misfits
    assert not [t for t in asked.study.best_trials if max(t.system_attrs["constraints"]) > 0]


def test_a_duplicate_is_answered_from_what_is_known():
    asked = proposer()
    first = asked.next()
    asked.tell(first, [0.5, 1e6])
    again = asked.take_up(first.candidate)
    asked.known[first.candidate.genome.key] = [0.5, 1e6]
    asked.study.enqueue_trial(dict(first.candidate.params))
    other = asked.next()
    assert other.candidate.genome.key != again.candidate.genome.key
    assert asked.counts.duplicates == 1
    assert [t.values for t in asked.study.trials if t.state == TrialState.COMPLETE] == [[0.5, 1e6], [0.5, 1e6]]


def test_a_failed_candidate_is_not_proposed_again():
    asked = proposer()
    failed = asked.next()
    asked.tell(failed, None)
    asked.study.enqueue_trial(dict(failed.candidate.params))
    assert asked.next().candidate.genome.key != failed.candidate.genome.key


def test_the_seed_and_the_number_of_trials_decide_the_draws():
    def first(seed, existing):
        target = Target(load_space("tiny_unet"), Budget(10_000), (3, 64, 64), 2)
        return Proposer(target, OBJECTIVES, make_sampler("tpe", seed, existing), directions(OBJECTIVES)).next().candidate.genome.key

    assert first(0, 0) == first(0, 0)
    assert len({first(0, 0), first(1, 0), first(0, 7)}) == 3


@pytest.mark.parametrize("sampler", ["surrogate", "tpe", "random", "nsga2", "gp"])
def test_every_sampler_proposes_after_it_was_told(sampler):
    asked = proposer(sampler=sampler)
    for i in range(12):
        proposal = asked.next()
        asked.tell(proposal, [i / 20, float(proposal.candidate.cost.macs)])
    assert asked.next().candidate.cost.params <= 10_000


def test_misfits_of_a_part_of_the_cap_are_infeasible_too():
    target = Target(load_space("tiny_unet"), Budget(2_000), (3, 64, 64), 2)
    objectives = ("iou", "params")
    asked = Proposer(target, objectives, make_sampler("random", 0, 0), directions(objectives))
    for _ in range(20):
        asked.next()
    told = [t for t in asked.study.trials if t.state == TrialState.COMPLETE]
    assert len(told) == asked.counts.misfits > 0
    assert all(max(t.system_attrs["constraints"]) > 0 for t in told)


def test_a_draw_can_be_stopped():
    assert proposer().next(lambda: True) is None
