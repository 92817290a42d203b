"""The order of the front: by the search, and at its top by final training, as far as that says something."""

import pytest

from nas.search import front_trials
from nas.search.finals.values import Finals
from tests.search.finals.test_values import final, trial

TRIALS = [trial(0, 0.7, 40.0), trial(1, 0.6, 30.0), trial(2, 0.5, 20.0), trial(3, 0.4, 10.0)]
TOP_TWO = frozenset({"k0", "k1"})


def keys(trials, finals=None):
    return [one.user_attrs["key"] for one in front_trials(trials, ("iou", "macs"), finals)]


def test_means_over_fresh_seeds_settle_the_order():
    assert keys(TRIALS) == ["k0", "k1", "k2", "k3"]
    # Trial 1 is better and cheaper than trial 0 by means; trial 2 keeps its place, though its search value is not held against theirs.
    assert keys(TRIALS, Finals({"k0": final(0.5, 0.54), "k1": final(0.56, 0.56)}, TOP_TWO)) == ["k1", "k2", "k3"]
    assert keys(TRIALS, Finals({"k0": final(0.6, 0.6), "k1": final(0.56, 0.56)}, TOP_TWO)) == ["k0", "k1", "k2", "k3"]


@pytest.mark.parametrize(
    ("newcomer", "expected"),
    [
        (trial(4, 0.9, 50.0), ["k4", "k0", "k1", "k2", "k3"]),  # ahead of all
        (trial(4, 0.65, 35.0), ["k0", "k4", "k1", "k2", "k3"]),  # between the finalists: what is before it stays settled
        (trial(4, 0.55, 25.0), ["k1", "k4", "k2", "k3"]),  # behind them
        (trial(4, 0.75, 5.0), ["k4"]),  # better than all
    ],
)
def test_finalists_do_not_outrank_what_was_found_since(newcomer, expected):
    finals = Finals({"k0": final(0.5, 0.5), "k1": final(0.56, 0.56)}, TOP_TWO)
    assert keys([*TRIALS, newcomer], finals) == expected


def test_a_finalist_that_failed_has_its_place_behind_the_others():
    finals = Finals({"k0": final(0.5), "k2": final(0.4)}, frozenset({"k0", "k1", "k2"}))
    assert keys(TRIALS, finals) == ["k0", "k2", "k1", "k3"]


def test_a_finalist_of_an_earlier_round_may_be_better_than_who_replaced_it():
    lucky = trial(4, 0.8, 35.0)
    assert keys([*TRIALS, lucky]) == ["k4", "k1", "k2", "k3"]
    finals = Finals({"k4": final(0.5), "k1": final(0.45), "k0": final(0.6)}, frozenset({"k4", "k1"}))
    assert keys([*TRIALS, lucky], finals) == ["k0", "k4", "k1", "k2", "k3"]
