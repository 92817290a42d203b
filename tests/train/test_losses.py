"""Every loss through the same promises, and each against its formula."""

import numpy as np
import pytest
import torch

from nas.data import VOID
from nas.errors import UserError
from nas.train import LOSSES, Recipe, ce_dice
from nas.train.losses.cldice import skeleton
from nas.train.losses.focal import GAMMA


def sample(classes=4, seed=0, void=0.2):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, classes, 6, 5, generator=generator) * 2
    mask = torch.randint(0, classes, (3, 6, 5), generator=generator)
    mask[torch.rand(3, 6, 5, generator=generator) < void] = VOID
    weights = torch.rand(classes, generator=generator) + 0.5
    return logits, mask, weights


def slow_loss(logits, mask, weights, dice_weight):
    """The formula, pixel by pixel in float64."""
    x = logits.double().numpy()
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    entropy, pixels, classes = 0.0, 0, x.shape[1]
    hit, claimed, true = np.zeros(classes), np.zeros(classes), np.zeros(classes)
    for (n, i, j), y in np.ndenumerate(mask.numpy()):
        if y == VOID:
            continue
        entropy -= float(weights[y]) * np.log(p[n, y, i, j])
        pixels += 1
        hit[y] += p[n, y, i, j]
        claimed += p[n, :, i, j]
        true[y] += 1
    dice = [1 - 2 * hit[c] / (claimed[c] + true[c]) for c in range(1, classes) if true[c]]
    return entropy / pixels + dice_weight * (sum(dice) / len(dice) if dice else 0.0)


@pytest.mark.parametrize("dice_weight", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_agrees_with_the_formula(dice_weight, classes, layout):
    logits, mask, weights = sample(classes)
    value = ce_dice(logits.contiguous(memory_format=layout), mask, weights, dice_weight)
    assert value.item() == pytest.approx(slow_loss(logits, mask, weights, dice_weight), rel=1e-5)


def test_classes_absent_from_the_batch_have_no_dice():
    logits, mask, weights = sample(5)
    mask[mask == 3] = 0
    assert ce_dice(logits, mask, weights, 1.0).item() == pytest.approx(slow_loss(logits, mask, weights, 1.0), rel=1e-5)


def test_a_batch_of_background_is_cross_entropy_alone():
    logits, mask, weights = sample()
    mask = torch.zeros_like(mask)
    assert ce_dice(logits, mask, weights, 5.0) == ce_dice(logits, mask, weights, 0.0)


@pytest.fixture(params=sorted(LOSSES))
def loss(request):
    return LOSSES[request.param]


def test_logits_under_void_change_nothing_and_get_no_gradient(loss):
    logits, mask, weights = sample()
    void = (mask == VOID).unsqueeze(1).expand_as(logits)
    changed = torch.where(void, 30 - logits, logits).requires_grad_()
    value = loss(changed, mask, weights, 1.0)
    value.backward()
    assert value.item() == loss(logits, mask, weights, 1.0).item()
    assert (changed.grad[void] == 0).all()
    assert (changed.grad[~void] != 0).all()


def test_only_void_is_a_finite_zero_without_gradient(loss):
    logits, mask, weights = sample()
    logits = (100 * logits).requires_grad_()
    value = loss(logits, torch.full_like(mask, VOID), weights, 1.0)
    value.backward()
    assert value.item() == 0.0
    assert (logits.grad == 0).all()


def test_only_background_is_finite(loss):
    logits, mask, weights = sample()
    logits = logits.requires_grad_()
    value = loss(logits, torch.zeros_like(mask), weights, 1.0)
    value.backward()
    assert value > 0
    assert logits.grad.isfinite().all()


def test_extreme_logits_stay_finite(loss):
    logits, mask, weights = sample()
    logits = (1e4 * logits).requires_grad_()
    value = loss(logits, mask, weights, 1.0)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def squares(shift=0, size=24):
    """One image: class 1 a square, class 2 a line two pixels wide."""
    mask = torch.zeros(1, size, size, dtype=torch.int64)
    mask[0, 3 + shift : 11 + shift, 3:11] = 1
    mask[0, :, 16:18] = 2
    return mask


def certain(mask, classes=3):
    return 40 * torch.nn.functional.one_hot(mask, classes).permute(0, 3, 1, 2).float()


def test_a_perfect_answer_costs_next_to_nothing(loss):
    mask = squares()
    assert loss(certain(mask), mask, torch.ones(3), 1.0).item() == pytest.approx(0.0, abs=1e-4)


def test_the_further_off_the_more_it_costs(loss):
    mask = squares()
    costs = [loss(certain(squares(shift)) / 20, mask, torch.ones(3), 1.0).item() for shift in (0, 1, 3, 6)]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_an_optimiser_finds_the_mask(loss):
    mask = squares()
    logits = torch.zeros(1, 3, 24, 24, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.3)
    for _ in range(60):
        optimiser.zero_grad()
        loss(logits, mask, torch.ones(3), 1.0).backward()
        optimiser.step()
    assert (logits.argmax(1) == mask).float().mean() > 0.99


def test_memory_layout_does_not_matter(loss):
    logits, mask, weights = sample()
    values = [
        loss(logits.contiguous(memory_format=layout), mask, weights, 1.0) for layout in (torch.contiguous_format, torch.channels_last)
    ]
    assert values[0].item() == pytest.approx(values[1].item(), rel=1e-6)


def test_without_its_second_term_a_loss_is_an_entropy(loss):
    logits, mask, weights = sample()
    whole, alone = loss(logits, mask, weights, 1.0), loss(logits, mask, weights, 0.0)
    assert 0 < alone < whole
    assert loss(logits, mask, weights, 2.0).item() == pytest.approx((2 * whole - alone).item(), rel=1e-5)


def test_focal_is_an_entropy_of_the_uncertain():
    logits, mask, weights = sample()
    x = torch.log_softmax(logits.double(), 1)
    expected, pixels = 0.0, 0
    for (n, i, j), y in np.ndenumerate(mask.numpy()):
        if y != VOID:
            expected -= float(weights[y]) * float(1 - x[n, y, i, j].exp()) ** GAMMA * float(x[n, y, i, j])
            pixels += 1
    assert LOSSES["focal"](logits, mask, weights, 0.0).item() == pytest.approx(expected / pixels, rel=1e-5)


def test_lovasz_of_a_hard_answer_is_the_jaccard_loss():
    mask, answer = squares(), squares(shift=3)
    missed = [1 - ((mask == c) & (answer == c)).sum().item() / ((mask == c) | (answer == c)).sum().item() for c in (1, 2)]
    loss = LOSSES["lovasz"]
    term = loss(certain(answer), mask, torch.ones(3), 1.0) - loss(certain(answer), mask, torch.ones(3), 0.0)
    assert term.item() == pytest.approx(sum(missed) / 2, rel=1e-5)


def test_centreline_dice_minds_a_gap_more_than_dice_does():
    mask, answer = squares(), squares()
    answer[0, 10:12] = torch.where(answer[0, 10:12] == 2, 0, answer[0, 10:12])
    rough = squares()
    rough[0, 4:8, 18] = 2  # as many pixels wrong, on the flank of the line
    for name, ratio in (("ce_dice", 1.2), ("cldice", 2.0)):
        loss = LOSSES[name]
        gap, flank = (
            loss(certain(one), mask, torch.ones(3), 1.0) - loss(certain(one), mask, torch.ones(3), 0.0) for one in (answer, rough)
        )
        assert (gap / flank > ratio) == (name == "cldice")


def test_a_skeleton_is_a_line_in_the_middle():
    mask = torch.zeros(1, 1, 21, 21)
    mask[0, 0, 8:13, 2:19] = 1
    thin = skeleton(mask)
    assert (thin[0, 0, 10, 5:16] == 1).all()
    assert thin[0, 0, [8, 9, 11, 12], 6:15].sum() == 0


def test_boundary_minds_the_outline_alone():
    mask = torch.zeros(1, 24, 24, dtype=torch.int64)
    mask[0, 2:22, 2:14] = 1
    mask[0, 2:22, 16:22] = 2
    hole, fringe = mask.clone(), mask.clone()
    hole[0, 8:16, 6:10] = 0
    fringe[0, 2:18, 13:15] = torch.tensor([0, 1])  # as many pixels wrong, one off along the outline
    loss = LOSSES["boundary"]
    costs = [
        loss(certain(one), mask, torch.ones(3), 1.0) - LOSSES["ce_dice"](certain(one), mask, torch.ones(3), 1.0) for one in (hole, fringe)
    ]
    assert costs[0] > 2 * costs[1]


def test_boundary_sees_the_outline_of_an_object_ringed_by_void():
    ringed = torch.full((1, 24, 24), VOID, dtype=torch.int64)
    ringed[0, :2], ringed[0, -2:], ringed[0, :, :2], ringed[0, :, -2:] = 0, 0, 0, 0
    ringed[0, 6:18, 6:18] = 1
    inside, hole, past = (torch.zeros_like(ringed) for _ in range(3))
    inside[0, 4:20, 4:20] = hole[0, 4:20, 4:20] = 1
    hole[0, 10:14, 10:14] = 0
    past[:] = 1
    added = [
        (LOSSES["boundary"](certain(one), ringed, torch.ones(3), 1.0) - LOSSES["ce_dice"](certain(one), ringed, torch.ones(3), 1.0)).item()
        for one in (inside, hole, past)
    ]
    assert added[0] == pytest.approx(0, abs=1e-4)
    assert min(added[1:]) > 0.1


def test_an_unknown_loss_is_named():
    with pytest.raises(UserError, match=r"loss must be one of ce_dice.*; got 'hinge'"):
        Recipe(loss="hinge")
