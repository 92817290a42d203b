"""Who goes on at a rung."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.search.rungs import ETA, Ladder, Standing, rung_ends, rungs_of


def standing(iou, macs=1.0):
    return Standing(iou, (-iou, macs))


@pytest.mark.parametrize(("epochs", "ends"), [(31, (4, 11, 31)), (9, (1, 3, 9)), (100, (12, 34, 100))])
def test_each_rung_is_three_times_as_long_as_the_one_before(epochs, ends):
    assert rung_ends(epochs, 3) == ends


@given(st.lists(st.integers(1, 200), min_size=1, max_size=4))
def test_every_rung_of_every_set_has_an_epoch_of_its_own(epochs):
    rungs = rungs_of(epochs)
    for length in epochs:
        ends = rung_ends(length, rungs)
        assert ends[-1] == length
        assert sorted(set(ends)) == list(ends)
    assert rungs == 3 or any(len(set(rung_ends(length, rungs + 1))) <= rungs for length in epochs)


def test_a_third_of_equally_costly_candidates_goes_on():
    draw, ladder, on = random.Random(0), Ladder(3), 0
    for _ in range(600):
        here = standing(draw.random())
        ladder.enter(0, here)
        on += ladder.goes_on(0, here)
    assert 0.9 / ETA < on / 600 < 1.2 / ETA


def test_the_best_third_is_the_one_that_goes_on():
    ladder = Ladder(3)
    for i in range(30):
        ladder.enter(0, standing(i / 100))
    for iou, expected in ((0.25, True), (0.15, False)):
        here = standing(iou)
        ladder.enter(0, here)
        assert ladder.goes_on(0, here) is expected


def test_fronts_come_before_accuracy():
    """A cheap network is not beaten by the accuracy of costly ones, as long as nothing is as cheap and better."""
    ladder = Ladder(3)
    for i in range(10):
        ladder.enter(0, standing(0.5 + i / 100, macs=10 - i))  # the later the better in both
    cheap, dominated = standing(0.2, macs=0.5), standing(0.2, macs=2.0)
    for here, expected in ((cheap, True), (dominated, False)):
        ladder.enter(0, here)
        assert ladder.goes_on(0, here) is expected


def test_a_rung_knows_only_who_was_there():
    ladder = Ladder(3)
    for _ in range(9):
        ladder.enter(0, standing(0.9))
    here = standing(0.1)
    ladder.enter(1, here)
    assert ladder.goes_on(1, here)


def test_who_would_join_the_front_goes_on_unless_it_is_junk():
    ladder = Ladder(3)
    for _ in range(30):
        ladder.enter(0, standing(0.6, macs=1.0))
    ladder.enter(2, standing(0.6, macs=5.0))
    for iou, macs, expected in ((0.4, 4.0, True), (0.29, 4.0, False), (0.4, 5.0, False)):
        here = standing(iou, macs)
        ladder.enter(0, here)
        assert ladder.goes_on(0, here) is expected


def test_the_guarded_go_on_and_without_pruning_everybody_does():
    ladder, open_ladder = Ladder(3), Ladder(3, prune=False)
    for one in (ladder, open_ladder):
        for _ in range(9):
            one.enter(0, standing(0.9))
    here = standing(0.1)
    for one in (ladder, open_ladder):
        one.enter(0, here)
    assert not ladder.goes_on(0, here)
    assert ladder.goes_on(0, here, guarded=True)
    assert open_ladder.goes_on(0, here)
