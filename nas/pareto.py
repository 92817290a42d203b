"""The non-dominated set and its hypervolume: arrays in, arrays out.

All values are to be minimised; negate those to be maximised.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def non_dominated(values: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other point dominates.

    A point dominates another when it is at most as large everywhere and smaller somewhere; of equal points all are kept.

    Args:
        values: (n, objectives), to be minimised. Points with a NaN are never kept.

    Returns:
        (n,) mask.
    """
    points = np.asarray(values, dtype=float)
    kept = np.zeros(len(points), dtype=bool)
    for i, point in enumerate(points):
        if not np.isnan(point).any():
            kept[i] = not ((points <= point).all(axis=1) & (points < point).any(axis=1)).any()
    return kept


def fronts(values: ArrayLike) -> NDArray[np.int64]:
    """The number of the front that each point lies on, from 0: non-dominated sorting.

    Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, 2002, https://doi.org/10.1109/4235.996017

    Args:
        values: (n, objectives), to be minimised, without NaN.

    Returns:
        (n,) numbers; the points of front k are those that only points of earlier fronts dominate.
    """
    points = np.asarray(values, dtype=float)
    no_worse = np.asarray((points[:, None] <= points[None]).all(axis=2))
    dominates = no_worse & ~no_worse.T
    number = np.full(len(points), -1, dtype=np.int64)
    dominators, front = dominates.sum(axis=0), 0
    while (number < 0).any():
        found = (number < 0) & (dominators == 0)
        number[found] = front
        dominators = dominators - dominates[found].sum(axis=0)
        front += 1
    return number


def hypervolume(values: ArrayLike, reference: ArrayLike) -> float:
    """Volume that the points dominate within the box below a reference point.

    By slicing along the last objective (exact; exponential in the number of objectives, which is 2 or 3 here).

    Args:
        values: (n, objectives), to be minimised.
        reference: (objectives,), the corner; points beyond it add nothing.
    """
    corner = np.asarray(reference, dtype=float)
    points = np.asarray(values, dtype=float).reshape(-1, len(corner))
    points = points[(points < corner).all(axis=1)]
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(corner[0] - points.min())
    points = points[np.argsort(points[:, -1], kind="stable")]
    depths = np.diff(np.append(points[:, -1], corner[-1]))
    slices = (hypervolume(points[: i + 1, :-1], corner[:-1]) * depth for i, depth in enumerate(depths) if depth > 0)
    return float(sum(slices))


def hypervolume_gains(values: ArrayLike, reference: ArrayLike, candidates: ArrayLike) -> NDArray[np.float64]:
    """By how much each of some points, alone, would raise the hypervolume.

    Args:
        values: (n, objectives), to be minimised; n may be 0.
        reference: (objectives,), the corner.
        candidates: (m, objectives).

    Returns:
        (m,), 0 for a point that is dominated or beyond the corner.
    """
    corner = np.asarray(reference, dtype=float)
    points, wanted = (np.asarray(given, dtype=float).reshape(-1, len(corner)) for given in (values, candidates))
    if len(corner) == 2:
        return _areas(points, corner, wanted)
    before = hypervolume(points, corner)
    return np.array([hypervolume(np.vstack([points, one]), corner) - before for one in wanted])


def _areas(points: NDArray[np.float64], corner: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """For two objectives: between the steps that the points make and the corner, column by column."""
    points = points[(points < corner).all(axis=1)]
    points = points[np.argsort(points[:, 0], kind="stable")]
    begins = np.concatenate([[-np.inf], points[:, 0]])
    ends = np.concatenate([points[:, 0], corner[:1]])
    heights = np.minimum.accumulate(np.concatenate([corner[1:], points[:, 1]]))
    across = np.maximum(ends - np.maximum(begins, wanted[:, :1]), 0.0)
    return np.asarray((across * np.maximum(heights - wanted[:, 1:], 0.0)).sum(axis=1))
