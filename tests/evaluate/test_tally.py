"""Counts of one image, and the figures and confidence that follow from them."""

import numpy as np
import pytest

from nas.data import VOID
from nas.evaluate.figures import differences, figures_of, worst_first
from nas.evaluate.tally import Tally, count_image


def square(size=40, top=10, left=10, side=12, label=1):
    mask = np.zeros((size, size), dtype=np.uint8)
    mask[top : top + side, left : left + side] = label
    return mask


def tally_of(pairs, classes=2):
    confusion, outline = (np.stack(column) for column in zip(*(count_image(mask, found, classes) for mask, found in pairs), strict=True))
    return Tally(tuple(f"i{n}" for n in range(len(pairs))), tuple(f"c{n}" for n in range(classes)), confusion, outline)


def test_a_perfect_answer():
    figures = figures_of(tally_of([(square(), square())] * 3))
    for name in ("iou", "miou", "dice_pooled", "dice_per_image", "precision", "recall", "boundary_f", "iou c1"):
        assert figures[name].value == 1
        assert (figures[name].low, figures[name].high) == (1, 1)


def test_figures_by_hand():
    mask, found = square(side=10), square(side=10, left=15)  # 50 of 100 pixels are hit
    figures = figures_of(tally_of([(mask, found)]))
    assert figures["iou"].value == pytest.approx(50 / 150)
    assert figures["dice_pooled"].value == pytest.approx(0.5)
    assert figures["precision"].value == figures["recall"].value == pytest.approx(0.5)
    assert figures["iou c0"].value == pytest.approx(1450 / 1550)


def test_pooled_and_per_image_dice_differ():
    pairs = [(square(side=20), square(side=20)), (square(side=4), square(top=30, left=30, side=4))]
    figures = figures_of(tally_of(pairs))
    assert figures["dice_per_image"].value == pytest.approx(0.5)
    assert figures["dice_pooled"].value == pytest.approx(800 / 832)


def test_void_is_left_out():
    mask, found = square(), square()
    mask[:, 25:] = VOID
    found[30:, 30:] = 1
    assert figures_of(tally_of([(mask, found)]))["iou"].value == 1
    assert count_image(mask, found, 2)[0].sum() == (mask != VOID).sum()


def test_outlines_one_pixel_apart_agree_and_far_ones_do_not():
    near, far = (figures_of(tally_of([(square(size=120, side=40), square(size=120, side=40, left=10 + off))])) for off in (1, 20))
    assert near["boundary_f"].value == 1
    assert far["boundary_f"].value < 0.7


def test_an_outline_that_void_cuts_is_nobodys():
    mask = square(size=60, side=30)
    mask[:, 25:] = VOID
    found = square(size=60, side=30)
    assert figures_of(tally_of([(mask, found)]))["boundary_f"].value == 1


def ringed(size=160, side=60, width=5):
    """A square of which a line of void hides the outline, as PASCAL VOC's masks do."""
    mask = square(size, 40, 40, side)
    edge = np.zeros_like(mask, dtype=bool)
    outer, inner = 40 - width // 2, 40 + width - width // 2
    edge[outer : 40 + side + width // 2, outer : 40 + side + width // 2] = True
    edge[inner : 40 + side - (inner - 40), inner : 40 + side - (inner - 40)] = False
    mask[edge] = VOID
    return mask


@pytest.mark.parametrize("off", [-3, -2, 0, 2, 3])
def test_a_ring_of_void_hides_where_an_outline_is_and_not_that_there_is_one(off):
    found = square(160, 40 - off, 40 - off, 60 + 2 * off)
    _, outline = count_image(ringed(), found, 2)
    assert outline[1, 2] > 200
    assert figures_of(tally_of([(ringed(), found)]))["boundary_f"].value > 0.99  # a corner may be further off


def test_an_outline_beside_a_ring_of_void_is_wrong():
    far = figures_of(tally_of([(ringed(), square(160, 55, 55, 30))]))["boundary_f"].value
    assert far == 0
    spots = square(160, 40, 40, 60)
    spots[60:80, 60:80] = 0
    assert 0.5 < figures_of(tally_of([(ringed(), spots)]))["boundary_f"].value < 0.9


def test_what_is_said_of_void_changes_nothing():
    mask, found = ringed(), square(160, 42, 42, 60)
    noise = np.where(mask == VOID, np.random.default_rng(0).integers(0, 2, mask.shape, dtype=np.uint8), found).astype(np.uint8)
    for one, other in zip(count_image(mask, found, 2), count_image(mask, noise, 2), strict=True):
        assert (one == other).all()


def test_outlines_that_void_hides_altogether_have_no_figure():
    mask, found = np.full((80, 80), VOID, dtype=np.uint8), square(80, 0, 0, 80)
    mask[20:40, 20:40] = 1
    found[25:30, 25:30] = 0  # a hole: outlines that are wrong, beside none that could be right
    figures = figures_of(tally_of([(mask, found)]))
    assert figures["boundary_f"].value is None
    assert figures["iou"].value == pytest.approx(375 / 400)
    assert figures_of(tally_of([(np.zeros_like(mask), square(80, 20, 20, 10))]))["boundary_f"].value == 0


def test_void_alone_counts_nothing():
    confusion, outline = count_image(np.full((8, 8), VOID, dtype=np.uint8), square(8, 2, 2, 3), 2)
    assert confusion.sum() == outline.sum() == 0


def test_a_class_that_is_nowhere_has_no_figure():
    figures = figures_of(tally_of([(square(), square())], classes=3))
    assert figures["iou c2"].value is None
    assert str(figures["iou c2"]) == "-"
    assert figures["iou"].value == 1


def test_a_class_that_is_there_and_never_predicted_lowers_the_mean_precision():
    mask = square() + square(top=30, left=30, side=6, label=2)
    easy = tally_of([(mask, square())] * 4, classes=4)  # leaves out class 2; class 3 is nowhere
    both = tally_of([(mask, square() + square(top=30, left=29, side=6, label=2))] * 4, classes=4)
    assert figures_of(easy)["precision"].value == pytest.approx(1 / 2)
    assert figures_of(both)["precision"].value == pytest.approx((1 + 30 / 36) / 2)
    assert differences(both, easy)["precision"][0].value > 0


def test_nothing_but_background():
    empty = np.zeros((20, 20), dtype=np.uint8)
    figures = figures_of(tally_of([(empty, empty)]))
    assert figures["iou"].value is None
    assert figures["dice_per_image"].value is None
    assert figures["miou"].value == 1


def test_the_interval_covers_the_value_and_narrows_with_images():
    draw = np.random.default_rng(0)

    def images(count):
        return tally_of([(square(), square(left=10 + int(draw.integers(0, 10)))) for _ in range(count)])

    few, many = figures_of(images(8))["iou"], figures_of(images(200))["iou"]
    for figure in (few, many):
        assert figure.low < figure.value < figure.high
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says():
    draw, hits = np.random.default_rng(1), 0
    shifts = np.arange(10)
    truth = figures_of(tally_of([(square(), square(left=10 + s)) for s in shifts]))["dice_per_image"].value
    for _ in range(60):
        found = figures_of(tally_of([(square(), square(left=10 + int(s))) for s in draw.choice(shifts, 30)]))["dice_per_image"]
        hits += found.low <= truth <= found.high
    assert hits >= 50


def test_the_same_seed_gives_the_same_interval():
    counted = tally_of([(square(), square(left=10 + n)) for n in range(8)])
    assert figures_of(counted, 3) == figures_of(counted, 3)
    assert figures_of(counted, 3)["iou"] != figures_of(counted, 4)["iou"]


def test_a_paired_comparison_sees_what_intervals_alone_do_not():
    shifts = [n % 10 for n in range(30)]
    ours, theirs = (tally_of([(square(), square(left=10 + s + worse)) for s in shifts]) for worse in (0, 1))
    apart, ahead = differences(ours, theirs)["iou"]
    assert apart.low > 0
    assert ahead == 1
    assert figures_of(ours)["iou"].low < figures_of(theirs)["iou"].value
    same, even = differences(ours, ours)["iou"]
    assert (same.value, even) == (0, 0.5)


def test_other_images_cannot_be_compared():
    with pytest.raises(ValueError, match="same images"):
        differences(tally_of([(square(), square())]), tally_of([(square(), square())] * 2))


def test_worst_images_first_and_empty_ones_last():
    empty = np.zeros((40, 40), dtype=np.uint8)
    counted = tally_of([(square(), square()), (empty, empty), (square(), square(left=28)), (square(), square(left=14))])
    assert worst_first(counted) == [2, 3, 0, 1]
