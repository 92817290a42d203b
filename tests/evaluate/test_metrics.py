"""The figures of merit against plain counting, and their edges."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas.errors import UserError
from nas.evaluate import OBJECTIVES, Evaluation, pool
from nas.evaluate.confusion import count, empty_confusion

VOID = 255
CLASSES = ("background", "a", "b")


def slow_figures(truth, predicted, classes):
    """Per class (IoU, Dice) by plain counting of pixel sets; None for a class that appears nowhere."""
    keep = [(t, p) for t, p in zip(truth.ravel().tolist(), predicted.ravel().tolist(), strict=True) if t != VOID]
    figures = []
    for c in range(classes):
        both = sum(1 for t, p in keep if t == c and p == c)
        either = sum(1 for t, p in keep if t == c or p == c)
        figures.append((both / either, 2 * both / (both + either)) if either else None)
    accuracy = sum(t == p for t, p in keep) / len(keep) if keep else 0.0
    return figures, accuracy


def mean(values):
    values = [v for v in values if v is not None]
    return sum(values) / len(values) if values else 0.0


masks = arrays(np.uint8, (2, 3, 4), elements=st.sampled_from([0, 1, 2, VOID]))
predictions = arrays(np.int64, (2, 3, 4), elements=st.sampled_from([0, 1, 2]))


@settings(max_examples=150, deadline=None)
@given(truth=masks, predicted=predictions)
def test_figures_agree_with_plain_counting(truth, predicted):
    confusion = empty_confusion(3, torch.device("cpu"))
    for t, p in zip(truth, predicted, strict=True):  # pooled over two batches
        count(confusion, torch.from_numpy(p[None].copy()), torch.from_numpy(t[None].copy()))
    evaluation = Evaluation(tuple(map(tuple, confusion.tolist())), CLASSES)

    figures, accuracy = slow_figures(truth, predicted, 3)
    iou = [f[0] if f else None for f in figures]
    assert evaluation.iou == pytest.approx(tuple(iou))
    assert evaluation.mean_iou == pytest.approx(mean(iou[1:]))
    assert evaluation.miou == pytest.approx(mean(iou))
    assert evaluation.dice == pytest.approx(mean([f[1] if f else None for f in figures[1:]]))
    assert evaluation.pixel_accuracy == pytest.approx(accuracy)


def test_known_matrix():
    evaluation = Evaluation(((50, 10, 0), (5, 20, 5), (0, 0, 10)), CLASSES)
    assert evaluation.iou == pytest.approx((50 / 65, 20 / 40, 10 / 15))
    assert evaluation.mean_iou == pytest.approx((20 / 40 + 10 / 15) / 2)
    assert evaluation.miou == pytest.approx((50 / 65 + 20 / 40 + 10 / 15) / 3)
    assert evaluation.dice == pytest.approx((40 / 60 + 20 / 25) / 2)
    assert evaluation.pixel_accuracy == pytest.approx(0.8)


def test_a_class_that_appears_nowhere_is_left_out():
    evaluation = Evaluation(((8, 0, 0), (2, 4, 0), (0, 0, 0)), CLASSES)
    assert evaluation.iou[2] is None
    assert evaluation.mean_iou == pytest.approx(4 / 6)
    assert evaluation.miou == pytest.approx((8 / 10 + 4 / 6) / 2)


def test_a_class_that_was_only_predicted_counts_as_zero():
    evaluation = Evaluation(((8, 0, 1), (0, 4, 0), (0, 0, 0)), CLASSES)
    assert evaluation.iou[2] == 0.0
    assert evaluation.mean_iou == pytest.approx(0.5)


def test_without_any_foreground_the_means_are_zero():
    evaluation = Evaluation(((8, 0), (0, 0)), ("background", "crack"))
    assert (evaluation.mean_iou, evaluation.dice, evaluation.miou) == (0.0, 0.0, 1.0)
    assert Evaluation(((0, 0), (0, 0)), ("background", "crack")).pixel_accuracy == 0.0


def test_survives_json():
    evaluation = Evaluation(((8, 1, 0), (2, 4, 0), (0, 0, 0)), CLASSES)
    stored = json.loads(json.dumps(evaluation.as_dict()))
    assert Evaluation.from_dict(stored) == evaluation
    assert stored["mean_iou"] == evaluation.mean_iou
    assert stored["iou"][2] is None


def test_objectives_by_name():
    evaluation = Evaluation(((50, 10, 0), (5, 20, 5), (0, 0, 10)), CLASSES)
    figures = {name: evaluation.objective(name) for name in OBJECTIVES}
    assert figures == {
        "iou": evaluation.mean_iou,
        "miou": evaluation.miou,
        "dice": evaluation.dice,
        "pixel_accuracy": evaluation.pixel_accuracy,
    }
    with pytest.raises(UserError, match="recall"):
        evaluation.objective("recall")


@pytest.mark.parametrize("confusion", [((1, 2),), ((1, 2), (3,)), ((1, 2, 3), (4, 5, 6), (7, 8, 9))])
def test_refuses_a_matrix_that_is_not_one_row_per_class(confusion):
    with pytest.raises(ValueError, match="square"):
        Evaluation(confusion, ("background", "crack"))


@given(st.lists(arrays(np.int64, (3, 3), elements=st.integers(0, 50)), min_size=1, max_size=4))
def test_parts_are_pooled_pixel_by_pixel(parts):
    whole = pool([Evaluation(tuple(map(tuple, part.tolist())), CLASSES) for part in parts])
    assert whole == Evaluation(tuple(map(tuple, sum(parts).tolist())), CLASSES)


def test_a_pooled_iou_is_not_the_mean_of_its_parts():
    small, large = Evaluation(((0, 0), (0, 1)), CLASSES[:2]), Evaluation(((0, 0), (9, 0)), CLASSES[:2])
    assert (small.mean_iou, large.mean_iou, pool([small, large]).mean_iou) == (1.0, 0.0, 0.1)


def test_only_like_evaluations_are_pooled():
    with pytest.raises(ValueError, match="one and the same classes"):
        pool([])
    with pytest.raises(ValueError, match="one and the same classes"):
        pool([Evaluation(((0, 0), (0, 1)), names) for names in (CLASSES[:2], CLASSES[1:])])
