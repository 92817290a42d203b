"""The sampler that learns: what it is taught, and whether it finds better networks than chance for it."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from nas.cost import Budget
from nas.search.candidate import Target
from nas.search.objectives import OBJECTIVES, directions
from nas.search.proposer import Proposer
from nas.search.sampling import make_sampler
from nas.search.sampling.features import features
from nas.search.sampling.knowledge import Knowledge
from nas.search.sampling.surrogate import FIRST, SurrogateSampler
from nas.space import load_space

TARGET = Target(load_space("tiny_unet"), Budget(10_000), (3, 64, 64), 2)


def proposer(sampler="surrogate", seed=0, objectives=("iou", "macs"), existing=0):
    return Proposer(TARGET, objectives, make_sampler(sampler, seed, existing), directions(objectives))


def accuracy(candidate):
    """Of an imagined data set that wants shallow networks with wide ends."""
    told = features(candidate).shape
    return float(0.5 - 0.05 * told["levels"] + 0.05 * told["last width"])


def entry(value):
    return {"iou": 0.0, "miou": 0.0, "dice": 0.0, "break_even": dict.fromkeys(("iou", "miou", "dice"), value)}


def final(value):
    return dict.fromkeys(("iou", "miou", "dice"), value)


def teach(asked, proposal, complete):
    value = accuracy(proposal.candidate)
    if not complete:
        asked.tell(proposal, TrialState.PRUNED, [entry(value / 2)])
        return value
    found = [value if name in final(0) else float(getattr(proposal.candidate.cost, name)) for name in asked.objectives]
    asked.tell(proposal, found, [entry(value / 2), final(value)])
    return value


def searched(trials, **settings):
    asked = proposer(**settings)
    return [teach(asked, asked.next(), complete=i % 3 == 0) for i in range(trials)]


@pytest.mark.slow
def test_it_finds_better_networks_than_chance():
    late, good = [], []
    for seed in range(3):
        ours, theirs = (searched(60, sampler=name, seed=seed, objectives=("iou",)) for name in ("surrogate", "random"))
        late.append(np.mean(ours[-20:]))
        good.append(np.quantile(theirs, 0.8))
    assert np.mean(late) > np.mean(good)


@pytest.mark.parametrize("objectives", [("iou", "macs"), ("miou",), ("iou", "params", "macs"), ("iou", "dice", "memory")])
def test_every_kind_of_objectives(objectives):
    asked = proposer(objectives=objectives)
    for i in range(FIRST + 6):
        teach(asked, asked.next(), complete=i % 3 == 0)
    candidate = asked.next().candidate
    assert candidate.cost.params <= 10_000
    assert set(candidate.params) == set(asked.distributions)


def test_costs_alone_need_no_guess():
    asked = proposer(objectives=("params", "macs"))
    for _ in range(FIRST + 5):
        proposal = asked.next()
        values = [OBJECTIVES[name].value({}, proposal.candidate.cost) for name in asked.objectives]
        asked.tell(proposal, values, [final(0.5)])
    assert asked.next() is not None


def test_the_same_trainings_the_same_draws():
    def keys(existing):
        asked = proposer(existing=existing)
        for i in range(FIRST + 5):
            proposal = asked.next()
            teach(asked, proposal, complete=i % 2 == 0)
        return [proposal.candidate.genome.key, asked.next().candidate.genome.key]

    assert keys(0) == keys(0) != keys(1)


def test_networks_in_training_are_not_proposed_again_and_count_as_expected():
    asked = proposer()
    for i in range(FIRST + 2):
        teach(asked, asked.next(), complete=i % 2 == 0)
    waiting = [asked.next() for _ in range(5)]
    keys = {one.candidate.genome.key for one in waiting}
    assert len(keys) == 5
    assert set(asked.knowledge.in_training) == keys
    asked.tell(waiting[0], None)  # failed
    asked.tell(waiting[1], TrialState.PRUNED, [entry(0.2)])
    assert set(asked.knowledge.in_training) == {one.candidate.genome.key for one in waiting[2:]}
    assert waiting[0].candidate.genome.key not in asked.knowledge.trained


def test_what_an_earlier_run_has_trained_is_known(quick):
    from nas.search import opened_study, run_search

    result = run_search(quick(trials=6, sampler="surrogate"))
    with opened_study(result.study, result.storage) as stored:
        trials = stored.trials()
    asked = proposer()
    for trial in trials:
        asked.remember(trial)
    known = asked.knowledge
    assert set(known.trained) == {trial.user_attrs["key"] for trial in trials}
    assert {one.final["iou"] for one in known.finished} == {
        trial.user_attrs["iou"] for trial in trials if trial.state == TrialState.COMPLETE
    }


def test_a_space_that_is_used_up_costs_no_pools():
    asked = proposer()
    for i in range(FIRST + 2):
        teach(asked, asked.next(), complete=i % 2 == 0)
    sampler, calls = asked.sampler, []
    sampler._pool = lambda *given: calls.append(given) or []
    for _ in range(5):
        assert asked.next() is not None
    assert len(calls) == 1


def test_without_a_target_it_draws_by_chance():
    study = optuna.create_study(sampler=SurrogateSampler(0))
    trial = study.ask({"a": optuna.distributions.IntDistribution(0, 3)})
    assert 0 <= trial.params["a"] <= 3


def candidates(count):
    asked = proposer("random")
    return [asked.next().candidate for _ in range(count)]


def test_stopped_networks_are_extrapolated():
    knowledge = Knowledge()
    *finished, stopped = candidates(7)
    for i, candidate in enumerate(finished):
        knowledge.learn(candidate, [entry(0.1 + 0.05 * i), final(0.3 + 0.05 * i)], complete=True)
    knowledge.learn(stopped, [entry(0.2)], complete=False)
    *_, last = knowledge.lessons("iou", limit=100)
    assert last.known.candidate is stopped
    assert last.value == pytest.approx(0.4)
    assert last.doubt == pytest.approx(0.0, abs=1e-6)
    assert [lesson.value for lesson in knowledge.lessons("iou", limit=3)] == pytest.approx([0.45, 0.5, 0.55])
    assert len(knowledge.lessons("iou", limit=7)) == 7


def test_with_little_to_go_by_an_early_accuracy_is_taken_as_it_is():
    knowledge = Knowledge()
    one, other = candidates(2)
    knowledge.learn(one, [entry(0.1), final(0.3)], complete=True)
    knowledge.learn(other, [entry(0.2)], complete=False)
    *_, last = knowledge.lessons("iou", limit=10)
    assert last.value == pytest.approx(0.2)
    assert last.doubt > 0


def test_features_of_every_network_have_the_same_shape_names():
    told = [features(candidate) for candidate in candidates(20)]
    assert len({tuple(one.shape) for one in told}) == 1
    assert all(np.isfinite(list(one.shape.values())).all() for one in told)
    assert all(any(name.startswith("encoder: ") for name in one.operators) for one in told)
    assert not any("width" in name for one in told for name in one.operators)
