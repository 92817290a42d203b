"""How long rungs are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.proxy.rungs import rung_ends, rungs_of


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
