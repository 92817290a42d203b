"""What an evaluation says, as JSON and as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nas.evaluate.figures import LEVEL, RESAMPLES, WORDS, Figure
from nas.evaluate.mistakes import Mistakes
from nas.evaluate.passes import Passes
from nas.evaluate.performance import Performance
from nas.evaluate.tally import Tally


@dataclass
class Evaluated:
    """A network as it was measured.

    Attributes:
        model: Its code, as given.
        weights: Files; several make an ensemble.
        data: Name of the set.
        domain: Name of the head that answers; None for a network with one.
        split: Of it.
        split_source: Where that comes from.
        image_size: Height and width that the network sees.
        tta: Test-time augmentations.
        threshold: Of a binary task; None for the most probable class.
        threshold_source: Where that comes from.
        tally: What was counted.
        figures: Of merit.
        performance: Cost of one pass of one network.
        passes: Cost of an image in all.
        mistakes: Where it is wrong.
        against: The other network, if it was compared.
        against_weights: Its files.
        compared: Differences to it, and the share of resamples in which this one is ahead.
        warnings: What makes the figures other than a reader would think, a sentence each.
    """

    model: str
    weights: Sequence[str]
    data: str
    domain: str | None
    split: str
    split_source: str
    image_size: tuple[int, int]
    tta: Sequence[str]
    threshold: float | None
    threshold_source: str
    tally: Tally
    figures: Mapping[str, Figure]
    performance: Performance
    passes: Passes
    mistakes: Mistakes
    against: str | None = None
    against_weights: Sequence[str] = ()
    compared: Mapping[str, tuple[Figure, float]] = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        compared = {name: {**figure.to_dict(), "ahead": ahead} for name, (figure, ahead) in self.compared.items()}
        return {
            "model": self.model,
            "weights": list(self.weights),
            "data": self.data,
            "domain": self.domain,
            "split": self.split,
            "split_source": self.split_source,
            "images": len(self.tally.names),
            "image_size": list(self.image_size),
            "tta": list(self.tta),
            "threshold": self.threshold,
            "warnings": list(self.warnings),
            "confidence": {"level": LEVEL, "resamples": RESAMPLES, "over": "images"},
            "figures": {name: figure.to_dict() for name, figure in self.figures.items()},
            "performance": self.performance.to_dict(),
            "passes": self.passes.to_dict(),
            "mistakes": self.mistakes.to_dict(),
            **(
                {"against": {"model": self.against, "weights": list(self.against_weights), "differences": compared}} if self.against else {}
            ),
        }


def markdown(one: Evaluated) -> str:
    """A page for a person."""
    height, width = one.image_size
    lines = [
        f"# {one.model} on the {one.split} split of {one.data}",
        "",
        f"{len(one.tally.names)} images (split: {one.split_source}), measured at their own size; the network sees {height}x{width}. "
        f"Weights: {', '.join(one.weights)}{' (an ensemble)' if len(one.weights) > 1 else ''}.",
        *([f"The head of {one.domain} answers."] if one.domain is not None else []),
        *([f"Test-time augmentation: {', '.join(one.tta)}."] if one.tta else []),
        *([f"Foreground from a probability of {one.threshold:.2f} on, {one.threshold_source}."] if one.threshold is not None else []),
        *(line for warning in one.warnings for line in ("", f"**Warning: {warning}.**")),
        "",
        f"| figure | value ({100 * LEVEL:.0f} % interval over images, {RESAMPLES:,} resamples) |",
        "|---|---|",
        *(f"| {_words(name)} | {figure} |" for name, figure in one.figures.items()),
        "",
        *_cost(one),
        "",
        "## Where it is wrong",
        "",
        one.mistakes.table(),
    ]
    if one.against:
        lines += [
            "",
            f"## Against {one.against} with {', '.join(one.against_weights)}",
            "",
            "| figure | difference | ahead in |",
            "|---|---|---:|",
            *(f"| {_words(name)} | {_signed(figure)} | {100 * ahead:.0f} % |" for name, (figure, ahead) in one.compared.items()),
            "",
            "Positive where the first is better; both on the same resamples of the images.",
        ]
    return "\n".join(lines) + "\n"


def _cost(one: Evaluated) -> list[str]:
    if one.passes.number == 1:
        return [f"Cost: {one.performance.describe()}."]
    return [
        f"Cost: an image takes {one.passes.describe()}.",
        "",
        f"One pass of one network: {one.performance.describe()}.",
    ]


def _words(name: str) -> str:
    return WORDS.get(name) or f"IoU of {name.removeprefix('iou ')}"


def _signed(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    return f"{figure.value:+.4f}" + (f" ({figure.low:+.4f} to {figure.high:+.4f})" if figure.low is not None else "")
