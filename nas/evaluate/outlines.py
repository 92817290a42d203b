"""Outlines of regions, how far two of them agree, and what void hides of them.

Where void rings every object (PASCAL VOC, 5 pixels wide) no known pixel touches another class: each object's outline lies somewhere in the
ring. Void is therefore filled with the nearest known label before outlines are drawn, in truth and prediction alike, and how deep in void a
true outline lies adds to what a predicted one may be off. What is said of void counts nowhere: a prediction there is that of the nearest
known pixel.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from nas.data import VOID
from nas.data.images import Bytes

RING = 4
"""Pixels from known ones to which void may hide an outline, if the tolerance is not more: of the outlines that filling draws on PASCAL VOC
99 % lie within them. Further inside nobody knows where one runs, and none is drawn."""

Floats = NDArray[np.float32]
Region = NDArray[np.bool_]


def fill_void(mask: Bytes) -> tuple[NDArray[np.intp], Floats]:
    """Where every pixel's label is taken from: itself, or in void the nearest known pixel.

    Args:
        mask: `H x W`, class index or `VOID`.

    Returns:
        Flat positions, and how far away they are in pixels, within 2 %; both `H x W`. All is its own source where all is void.
    """
    places = np.arange(mask.size)
    known = mask.ravel() != VOID
    if known.all() or not known.any():
        return places.reshape(mask.shape), np.zeros(mask.shape, dtype=np.float32)
    void = (mask == VOID).astype(np.uint8)
    depth, names = cv2.distanceTransformWithLabels(void, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(names.max() + 1, dtype=np.intp)
    source[names.ravel()[known]] = places[known]
    return source[names], np.asarray(depth, dtype=np.float32)


def agreement(found: Region, true: Region, depth: Floats, reach: int) -> tuple[int, int, int, int]:
    """How far the outlines of a predicted and of a true region agree.

    Args:
        found: `H x W`, void filled.
        true: The same of the truth.
        depth: Of each pixel in void, as `fill_void` gives it.
        reach: Pixels by which outlines may be apart and still agree, beside the median depth of the true one.

    Returns:
        Pixels of the predicted outline, those of them near a true one, pixels of the true outline, those of them near a predicted one.
    """
    drawn = depth <= max(reach, RING)
    edges = [_edge(region) & drawn for region in (found, true)]
    hidden = math.ceil(np.median(depth[edges[1]])) if edges[1].any() else 0
    near = [cv2.dilate(edge.astype(np.uint8), _disc(reach + hidden)).astype(bool) for edge in edges]
    return int(edges[0].sum()), int((edges[0] & near[1]).sum()), int(edges[1].sum()), int((edges[1] & near[0]).sum())


def _edge(region: Region) -> Region:
    """Pixels of a region that touch what is not; the border of the image is none."""
    whole = region.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    touched: Region = np.asarray(cv2.erode(whole, cross, borderValue=1)) == 0
    return region & touched


def _disc(radius: int) -> Bytes:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), dtype=np.uint8)
