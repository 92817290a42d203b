"""Where a network is wrong: by place (a band along outlines, or interiors), by size of the object, and by class."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from nas.data import VOID
from nas.data.images import Bytes
from nas.evaluate.outlines import fill_void
from nas.evaluate.tally import TOLERANCE

SIZES = ((0.001, "under 0.1 % of the image"), (0.01, "0.1 to 1 %"), (0.1, "1 to 10 %"), (float("inf"), "over 10 %"))
"""Objects (connected parts of a class) by their share of the image: upper end and words."""

BAND = 2
"""Half the width of the band along outlines, in units of `tally.TOLERANCE`."""


@dataclass
class Mistakes:
    """Wrong pixels of a data set, counted in several ways.

    Attributes:
        classes: Names, background first.
        wrong: Wrong pixels in all.
        pixels: Pixels that were judged.
        band: Wrong pixels within the band along true outlines.
        missed: Pixels of each class that were called another one.
        false: Pixels that were called a class and are another.
        objects: For each size of objects: number, those of which less than half was found, their pixels, missed pixels.
    """

    classes: tuple[str, ...]
    wrong: int = 0
    pixels: int = 0
    band: int = 0
    missed: NDArray[np.int64] = field(init=False)
    false: NDArray[np.int64] = field(init=False)
    objects: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.missed, self.false = (np.zeros(len(self.classes), dtype=np.int64) for _ in range(2))
        self.objects = np.zeros((len(SIZES), 4), dtype=np.int64)

    def add(self, mask: Bytes, found: Bytes) -> None:
        """Counts an image.

        Args:
            mask: `H x W`, class index or `VOID`.
            found: `H x W`, class index.
        """
        known = mask != VOID
        wrong = (mask != found) & known
        self.wrong += int(wrong.sum())
        self.pixels += int(known.sum())
        self.band += int((wrong & along_outlines(mask)).sum())
        self.missed += np.bincount(mask[wrong], minlength=len(self.classes))[: len(self.classes)]
        self.false += np.bincount(found[wrong], minlength=len(self.classes))[: len(self.classes)]
        for label in np.unique(mask[known]):
            if label:
                self._add_objects((mask == label).astype(np.uint8), found == label)

    def _add_objects(self, region: Bytes, right: NDArray[np.bool_]) -> None:
        count, labels = cv2.connectedComponents(region, connectivity=8)
        areas = np.bincount(labels.ravel(), minlength=count)
        hits = np.bincount(labels.ravel(), weights=right.ravel(), minlength=count)
        for area, hit in zip(areas[1:], hits[1:], strict=True):
            size = next(i for i, (end, _) in enumerate(SIZES) if area / region.size < end)
            self.objects[size] += (1, int(hit < area / 2), int(area), int(area - hit))

    def shares(self) -> Mapping[str, float]:
        """Each kind of mistake as a share of all wrong pixels: along outlines, in interiors, missed and false of each class."""
        total = max(1, self.wrong)
        named = enumerate(self.classes)
        by_class = {}
        for index, name in named:
            if index:
                by_class[f"{name} missed"] = float(self.missed[index] / total)
                by_class[f"{name} where it is not"] = float(self.false[index] / total)
        return {"along outlines": self.band / total, "in interiors": (self.wrong - self.band) / total, **by_class}

    def table(self) -> str:
        """Markdown: which kinds dominate."""
        if not self.wrong:
            return "No pixel is wrong."
        shares = self.shares()
        place = "along outlines" if shares["along outlines"] >= 0.5 else "in interiors"
        kinds = {name: share for name, share in shares.items() if name not in ("along outlines", "in interiors")}
        first = max(kinds, key=lambda name: kinds[name])
        lines = [
            f"{self.wrong:,} of {self.pixels:,} pixels are wrong ({100 * self.wrong / self.pixels:.2f} %): most of them {place}; the "
            f"largest kind is {first}, {100 * kinds[first]:.0f} %.",
            "",
            "| kind | share of the wrong pixels |",
            "|---|---:|",
            *(f"| {name} | {100 * share:.1f} % |" for name, share in sorted(shares.items(), key=lambda pair: -pair[1])),
            "",
            "| objects by size | number | less than half found | of their pixels missed |",
            "|---|---:|---:|---:|",
        ]
        for (_, words), (count, lost, pixels, missed) in zip(SIZES, self.objects.tolist(), strict=True):
            if count:
                lines.append(f"| {words} | {count} | {lost} ({100 * lost / count:.0f} %) | {100 * missed / pixels:.1f} % |")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """JSON-ready."""
        sizes = {
            words: dict(zip(("objects", "less_than_half_found", "pixels", "missed_pixels"), row, strict=True))
            for (_, words), row in zip(SIZES, self.objects.tolist(), strict=True)
        }
        return {"wrong": self.wrong, "pixels": self.pixels, "shares": dict(self.shares()), "objects_by_size": sizes}


def along_outlines(mask: Bytes) -> NDArray[np.bool_]:
    """The band along the outlines between classes; in void they are drawn where the nearest known labels meet.

    Args:
        mask: `H x W`, class index or `VOID`.
    """
    reach = BAND * max(1, round(TOLERANCE * float(np.hypot(*mask.shape))))
    filled = mask.ravel()[fill_void(mask)[0]]
    cross = np.ones((3, 3), np.uint8)
    edge = ((cv2.dilate(filled, cross) != filled) | (cv2.erode(filled, cross) != filled)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(edge, disc)).astype(bool)


RIGHT, MISSED, FALSE = (66, 160, 71), (229, 57, 53), (30, 136, 229)
"""Colours of an overlay: green, red, blue."""

TINT = 0.6


def overlay(image: Bytes, mask: Bytes, found: Bytes) -> Bytes:
    """An image with what was right of its foreground in green, what was missed (or called another class) in red, what was false in blue.

    Args:
        image: `H x W x 3`.
        mask: `H x W`, class index or `VOID`.
        found: `H x W`, class index.
    """
    shown = image.astype(np.float32)
    known = mask != VOID
    kinds = (
        (RIGHT, known & (mask > 0) & (mask == found)),
        (MISSED, known & (mask > 0) & (mask != found)),
        (FALSE, known & (mask == 0) & (found > 0)),
    )
    for colour, where in kinds:
        shown[where] = (1 - TINT) * shown[where] + TINT * np.array(colour, dtype=np.float32)
    return shown.round().astype(np.uint8)
