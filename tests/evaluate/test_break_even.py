"""The break-even point against sorting all pixels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nas.data import VOID
from nas.evaluate.break_even import count_scores, empty_scores, hits
from nas.evaluate.metrics import Evaluation, pool

CPU = torch.device("cpu")


def counted(logits, mask, parts=1):
    scores = empty_scores(logits.shape[1], CPU)
    for some, truth in zip(logits.chunk(parts), mask.chunk(parts), strict=True):
        count_scores(scores, some, truth)
    return hits(scores)


def by_sorting(logits, mask):
    shares = torch.softmax(logits.double(), dim=1).movedim(1, 0).flatten(1)[:, (mask != VOID).flatten()]
    truth = mask[mask != VOID]
    found = []
    for kind, row in enumerate(shares):
        own = truth == kind
        found.append(float(own[row.topk(int(own.sum())).indices].sum()))
    return found


@given(st.integers(0, 10_000), st.integers(2, 4), st.sampled_from([0.02, 1.0, 4.0]))
def test_as_many_right_pixels_as_by_sorting(seed, classes, spread):
    draw = torch.Generator().manual_seed(seed)
    mask = torch.randint(classes, (4, 24, 24), generator=draw)
    logits = spread * (torch.randn(4, classes, 24, 24, generator=draw) + torch.nn.functional.one_hot(mask, classes).movedim(3, 1))
    mask[torch.rand(mask.shape, generator=draw) < 0.1] = VOID
    # Pixels that share a bin are counted by chance, and the more so the closer the scores lie.
    slack = 0.2 if spread < 0.1 else 0.02
    assert counted(logits, mask, parts=2) == pytest.approx(by_sorting(logits, mask), abs=slack * mask.numel() / classes)


def test_what_always_answers_background_may_still_tell_classes_apart():
    mask = torch.zeros(1, 10, 10, dtype=torch.long)
    mask[:, :3] = 1
    logits = torch.stack([torch.full((1, 10, 10), 5.0), mask.float()], dim=1)
    assert logits.argmax(dim=1).sum() == 0
    evaluation = Evaluation(((70, 0), (30, 0)), ("background", "crack"), counted(logits, mask))
    assert evaluation.mean_iou == 0.0
    assert [evaluation.break_even(name) for name in ("iou", "miou", "dice")] == [1.0, 1.0, 1.0]


def test_equal_scores_are_worth_what_chance_is():
    mask = torch.zeros(1, 10, 10, dtype=torch.long)
    mask[:, :2] = 1
    found = counted(torch.zeros(1, 2, 10, 10), mask)
    assert found == pytest.approx((64.0, 4.0))


def test_figures_of_both_kinds():
    evaluation = Evaluation(((6, 2), (1, 1)), ("background", "crack"), (7.0, 1.0))
    assert evaluation.break_even("iou") == pytest.approx(1 / 3)
    assert evaluation.break_even("dice") == pytest.approx(1 / 2)
    assert evaluation.break_even("miou") == pytest.approx((7 / 9 + 1 / 3) / 2)


def test_a_class_that_the_truth_lacks_does_not_count():
    evaluation = Evaluation(((6, 0, 2), (0, 2, 0), (0, 0, 0)), ("background", "a", "b"), (8.0, 1.0, 0.0))
    assert evaluation.break_even("iou") == pytest.approx(1 / 3)
    assert Evaluation(((8, 0), (0, 0)), ("background", "a"), (8.0, 0.0)).break_even("iou") == 0.0


def test_parts_add_up_and_survive_json():
    one, other = (Evaluation(((6, 2), (1, 1)), ("background", "crack"), (7.0, hit)) for hit in (0.5, 1.5))
    assert pool([one, other]).hits == (14.0, 2.0)
    assert Evaluation.from_dict(one.as_dict()) == one
    unranked = Evaluation(((6, 2), (1, 1)), ("background", "crack"))
    assert pool([one, unranked]).hits is None
    assert "hits" not in unranked.as_dict()
    with pytest.raises(ValueError, match="ranked=True"):
        unranked.break_even("iou")
