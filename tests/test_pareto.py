"""The front and its hypervolume against slow definitions."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nas.pareto import fronts, hypervolume, hypervolume_gains, non_dominated

small = st.integers(0, 5)
points2 = st.lists(st.tuples(small, small), max_size=12)
points3 = st.lists(st.tuples(small, small, small), max_size=8)


@given(points3)
def test_front_is_what_nothing_dominates(points):
    kept = non_dominated(np.array(points).reshape(-1, 3))
    for i, p in enumerate(points):
        dominated = any(all(a <= b for a, b in zip(q, p, strict=True)) and q != p for q in points)
        assert kept[i] == (not dominated)


@given(points2)
def test_hypervolume_counts_the_dominated_cells(points):
    cells = sum(any(p[0] <= x and p[1] <= y for p in points) for x, y in itertools.product(range(5), repeat=2))
    assert hypervolume(points, (5, 5)) == cells


@given(points3)
def test_hypervolume_counts_the_dominated_cells_in_space(points):
    cells = sum(any(all(a <= b for a, b in zip(p, c, strict=True)) for p in points) for c in itertools.product(range(5), repeat=3))
    assert hypervolume(points, (5, 5, 5)) == cells


@given(points3)
def test_fronts_are_peeled_off_one_by_one(points):
    number, left = fronts(np.array(points).reshape(-1, 3)), np.array(points).reshape(-1, 3)
    assert len(number) == len(points)
    for front in range(len(set(number.tolist()))):
        assert (non_dominated(left) == (number[number >= front] == front)).all()
        left = np.array(points).reshape(-1, 3)[number > front]
    assert len(left) == 0


def test_points_with_nan_are_never_kept():
    assert non_dominated([[np.nan, 0], [1, 1]]).tolist() == [False, True]


@given(points2, points2)
def test_gains_are_differences_of_hypervolumes(points, candidates):
    expected = [hypervolume([*points, one], (5, 5)) - hypervolume(points, (5, 5)) for one in candidates]
    assert hypervolume_gains(points, (5, 5), candidates).tolist() == expected


@given(points3, points3)
def test_gains_in_space(points, candidates):
    expected = [hypervolume([*points, one], (5, 5, 5)) - hypervolume(points, (5, 5, 5)) for one in candidates]
    assert hypervolume_gains(points, (5, 5, 5), candidates).tolist() == expected


def test_nothing_has_no_volume():
    assert hypervolume(np.empty((0, 2)), (1, 1)) == 0
    assert non_dominated(np.empty((0, 2))).tolist() == []
