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
