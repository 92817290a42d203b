"""The loss against its formula, and its edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.data import VOID
from nas.train import class_weights, segmentation_loss
from nas.train.loss import MAX_RATIO


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
    value = segmentation_loss(logits.contiguous(memory_format=layout), mask, weights, dice_weight)
    assert value.item() == pytest.approx(slow_loss(logits, mask, weights, dice_weight), rel=1e-5)


def test_classes_absent_from_the_batch_have_no_dice():
    logits, mask, weights = sample(5)
    mask[mask == 3] = 0
    assert segmentation_loss(logits, mask, weights, 1.0).item() == pytest.approx(slow_loss(logits, mask, weights, 1.0), rel=1e-5)


def test_a_batch_of_background_is_cross_entropy_alone():
    logits, mask, weights = sample()
    mask = torch.zeros_like(mask)
    assert segmentation_loss(logits, mask, weights, 5.0) == segmentation_loss(logits, mask, weights, 0.0)


def test_logits_under_void_change_nothing_and_get_no_gradient():
    logits, mask, weights = sample()
    void = (mask == VOID).unsqueeze(1).expand_as(logits)
    changed = torch.where(void, 30 - logits, logits).requires_grad_()
    value = segmentation_loss(changed, mask, weights, 1.0)
    value.backward()
    assert value.item() == segmentation_loss(logits, mask, weights, 1.0).item()
    assert (changed.grad[void] == 0).all()
    assert (changed.grad[~void] != 0).all()


def test_only_void_is_a_finite_zero_without_gradient():
    logits, mask, weights = sample()
    logits = (100 * logits).requires_grad_()
    value = segmentation_loss(logits, torch.full_like(mask, VOID), weights, 1.0)
    value.backward()
    assert value.item() == 0.0
    assert (logits.grad == 0).all()


def test_extreme_logits_stay_finite():
    logits, mask, weights = sample()
    logits = (1e4 * logits).requires_grad_()
    value = segmentation_loss(logits, mask, weights, 1.0)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


def test_a_perfect_answer_costs_next_to_nothing():
    _, mask, weights = sample(void=0.0)
    logits = 40 * torch.nn.functional.one_hot(mask, 4).permute(0, 3, 1, 2).float()
    assert segmentation_loss(logits, mask, weights, 1.0).item() == pytest.approx(0.0, abs=1e-5)


shares = st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=8).map(lambda raw: [x / sum(raw) for x in raw])


@settings(deadline=None)
@given(shares=shares, rule=st.sampled_from(["sqrt", "none", "inverse"]))
def test_class_weights_expect_one_and_keep_the_cap(shares, rule):
    weights = class_weights(shares, rule)
    assert sum(s * w for s, w in zip(shares, weights, strict=True)) == pytest.approx(1.0)
    assert max(weights) / weights[shares.index(max(shares))] <= MAX_RATIO * (1 + 1e-9)
    by_share = [w for _, w in sorted(zip(shares, weights, strict=True), key=lambda pair: (-pair[0], pair[1]))]
    assert by_share == sorted(by_share)


def test_class_weights_formula():
    assert class_weights((0.9, 0.1), "none") == pytest.approx((1.0, 1.0))
    assert class_weights((0.9, 0.1), "sqrt") == pytest.approx((1 / 1.2, 3 / 1.2))
    assert class_weights((0.9, 0.1), "inverse") == pytest.approx((1 / 1.8, 9 / 1.8))


def test_class_weights_of_rare_and_absent_classes_are_capped():
    for rule in ("sqrt", "inverse"):
        common, rare, absent = class_weights((1 - 1e-6, 1e-6, 0.0), rule)
        assert rare / common == pytest.approx(MAX_RATIO)
        assert absent / common == pytest.approx(MAX_RATIO)
    assert class_weights((0.0, 0.0), "sqrt") == (1.0, 1.0)
