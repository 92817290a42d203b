"""What a confusion matrix says: intersection over union, Dice, accuracy.

IoU = mean over foreground classes from one pooled confusion matrix of the validation set, void left out. Pooled (as Pascal VOC and
Cityscapes do it) and not averaged over images: an image without the class would otherwise count as 0, 1 or nothing, by taste.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nas.errors import UserError


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on a data set.

    A class that appears neither in the truth nor in the prediction has no IoU (`None`) and is left out of the means; one that was only
    predicted, wrongly, has 0 and counts. A mean over no class at all is 0.0.

    Attributes:
        confusion: pixels, `classes x classes`; rows = truth, columns = prediction; void left out.
        classes: names, the background first.
        hits: of each class, right pixels at the break-even point (`break_even.py`); `None` where that was not measured.
    """

    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]
    hits: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        size = len(self.classes)
        if size < 2 or len(self.confusion) != size or any(len(row) != size for row in self.confusion):
            shape = [len(row) for row in self.confusion]
            raise ValueError(
                f"the confusion matrix must be square, a row for each of at least 2 classes; got rows of {shape} for {size} classes"
            )

    @property
    def iou(self) -> tuple[float | None, ...]:
        """Intersection over union of each class, 0..1, higher is better; `None` for a class that appears nowhere."""
        return self._overlap(lambda hit, truth, predicted: (hit, truth + predicted - hit))

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the foreground classes, 0..1: the objective called `iou`."""
        return _mean(self.iou[1:])

    @property
    def miou(self) -> float:
        """Mean IoU over all classes, the background included, 0..1."""
        return _mean(self.iou)

    @property
    def dice(self) -> float:
        """Mean Dice coefficient (F1 of the pixels) over the foreground classes, 0..1."""
        return _mean(self._overlap(lambda hit, truth, predicted: (2 * hit, truth + predicted))[1:])

    def break_even(self, name: str) -> float:
        """Look a figure up as it is at the break-even point; a class that the truth lacks is left out.

        Args:
            name: "iou", "miou" or "dice".

        Returns:
            The figure, 0..1.

        Raises:
            ValueError: if the break-even point was not measured.
        """
        if self.hits is None:
            raise ValueError("the break-even point was not measured: call evaluate(..., ranked=True)")
        present = [(hit, sum(row)) for hit, row in list(zip(self.hits, self.confusion, strict=True))[name != "miou" :] if sum(row)]
        return _mean([hit / pixels if name == "dice" else hit / (2 * pixels - hit) for hit, pixels in present])

    @property
    def pixel_accuracy(self) -> float:
        """Share of the pixels that got their class right, 0..1; 0.0 where every pixel is void."""
        pixels = sum(map(sum, self.confusion))
        return sum(row[i] for i, row in enumerate(self.confusion)) / pixels if pixels else 0.0

    def objective(self, name: str) -> float:
        """Look a figure up by the name under which it may be asked for as an objective.

        Args:
            name: one of `OBJECTIVES`; all of them are better when higher.

        Returns:
            The figure, 0..1.

        Raises:
            UserError: if there is no such figure.
        """
        if name not in OBJECTIVES:
            raise UserError(f"no measure of accuracy is called {name!r}: choose one of {', '.join(OBJECTIVES)}")
        return OBJECTIVES[name](self)

    def as_dict(self) -> dict[str, Any]:
        """Give all figures, JSON-ready; `from_dict` reads classes, confusion matrix and hits, the rest is for readers."""
        return {
            "classes": list(self.classes),
            "confusion": [list(row) for row in self.confusion],
            "iou": list(self.iou),
            "mean_iou": self.mean_iou,
            "miou": self.miou,
            "dice": self.dice,
            "pixel_accuracy": self.pixel_accuracy,
            **({} if self.hits is None else {"hits": list(self.hits)}),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Evaluation":
        """Rebuild an evaluation from what `as_dict` gave."""
        hits = tuple(map(float, stored["hits"])) if "hits" in stored else None
        return cls(tuple(tuple(int(n) for n in row) for row in stored["confusion"]), tuple(stored["classes"]), hits)

    def _overlap(self, ratio: Callable[[int, int, int], tuple[int, int]]) -> tuple[float | None, ...]:
        predicted = [sum(column) for column in zip(*self.confusion, strict=True)]
        shares = [ratio(row[i], sum(row), predicted[i]) for i, row in enumerate(self.confusion)]
        return tuple(top / bottom if bottom else None for top, bottom in shares)


def pool(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Add evaluations of disjoint parts of a data set: confusion matrices and hits are added, so that every pixel counts once.

    Figures are not averaged: the IoU of the whole is not the mean of the IoUs of its parts.

    Args:
        evaluations: one or more, of the same classes.

    Raises:
        ValueError: if there are none, or their classes differ.
    """
    if len({one.classes for one in evaluations}) != 1:
        raise ValueError(f"evaluations of one and the same classes can be pooled; got {[one.classes for one in evaluations]}")
    rows = zip(*(one.confusion for one in evaluations), strict=True)
    ranked = [one.hits for one in evaluations if one.hits is not None]
    hits = tuple(map(sum, zip(*ranked, strict=True))) if len(ranked) == len(evaluations) else None
    return Evaluation(tuple(tuple(map(sum, zip(*row, strict=True))) for row in rows), evaluations[0].classes, hits)


OBJECTIVES: Mapping[str, Callable[[Evaluation], float]] = {
    "iou": lambda evaluation: evaluation.mean_iou,
    "miou": lambda evaluation: evaluation.miou,
    "dice": lambda evaluation: evaluation.dice,
    "pixel_accuracy": lambda evaluation: evaluation.pixel_accuracy,
}
"""Names under which a search may ask for a measure of accuracy."""


def _mean(values: Sequence[float | None]) -> float:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else 0.0
