"""Who goes on at a rung."""

import random

from nas.proxy.rungs import ETA
from nas.search.ladder import Ladder, Standing


def standing(iou, macs=1.0):
    return Standing(iou, (-iou, macs))


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
