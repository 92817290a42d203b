"""What is counted of each image, so that every figure, pooled or per image, and its confidence follow from one pass over the data."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas.data import VOID
from nas.data.images import Bytes
from nas.evaluate.outlines import agreement, fill_void

TOLERANCE = 0.0075
"""Share of an image's diagonal by which outlines may be apart and still agree: the common choice for boundary F-scores (Perazzi et al.
2016, section 4, https://openaccess.thecvf.com/content_cvpr_2016/papers/Perazzi_A_Benchmark_Dataset_CVPR_2016_paper.pdf, take 0.008)."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """Counts of every image.

    Attributes:
        names: Of the items.
        classes: Names, background first.
        confusion: `images x classes x classes`, pixels; rows = truth, columns = prediction; void left out.
        outline: `images x classes x 4`: pixels of the predicted outline, those of them near a true one, pixels of the true outline, those
            of them near a predicted one; void filled from what is nearest.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    confusion: Counts
    outline: Counts


def count_image(mask: Bytes, found: Bytes, classes: int) -> tuple[Counts, Counts]:
    """Counts one image.

    Args:
        mask: `H x W`, class index or `VOID`.
        found: `H x W`, class index.
        classes: Their number.

    Returns:
        One image's `confusion` and `outline`.
    """
    known = mask != VOID
    cells = mask[known].astype(np.int64) * classes + found[known]
    confusion = np.bincount(cells, minlength=classes * classes).reshape(classes, classes)
    reach = max(1, round(TOLERANCE * float(np.hypot(*mask.shape))))
    outline = np.zeros((classes, 4), dtype=np.int64)
    source, depth = fill_void(mask)
    true, seen = mask.ravel()[source], found.ravel()[source]
    for label in np.flatnonzero(confusion.sum(0) + confusion.sum(1)):
        if label:
            outline[label] = agreement(seen == label, true == label, depth, reach)
    return confusion.astype(np.int64), outline
