"""What is counted of each image, so that every figure, pooled or per image, and its confidence follow from one pass over the data."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from nas.data import VOID
from nas.data.images import Bytes

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
            of them near a predicted one.
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
    for label in np.flatnonzero(confusion.sum(0) + confusion.sum(1)):
        if label:
            outline[label] = _outlines(mask == label, (found == label) & known, known, reach)
    return confusion.astype(np.int64), outline


def _outlines(true: NDArray[np.bool_], found: NDArray[np.bool_], known: NDArray[np.bool_], reach: int) -> tuple[int, int, int, int]:
    inner = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1).astype(bool)  # where void cuts, nobody drew a line
    edges = [_edge(region) & inner for region in (found, true)]
    near = [cv2.dilate(edge.astype(np.uint8), _disc(reach)).astype(bool) for edge in edges]
    return int(edges[0].sum()), int((edges[0] & near[1]).sum()), int(edges[1].sum()), int((edges[1] & near[0]).sum())


def _edge(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a region that touch what is not; the border of the image is none."""
    whole = region.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    touched: NDArray[np.bool_] = np.asarray(cv2.erode(whole, cross, borderValue=1)) == 0
    return region & touched


def _disc(radius: int) -> Bytes:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), dtype=np.uint8)
