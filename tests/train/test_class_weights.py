"""Class weights against their formula, and their edges."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.train import class_weights
from nas.train.class_weights import MAX_RATIO

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
