"""The Markdown note of a trial: architecture, cost and, when it is trained, how it did."""

from collections.abc import Mapping, Sequence
from typing import Any

from nas.blocks import Shape
from nas.outline import outline
from nas.search.candidate import Candidate
from nas.search.objectives import BREAK_EVEN, Evaluations
from nas.topology import NumClasses


def trial_note(candidate: Candidate, in_shape: Shape, num_classes: NumClasses, outcome: str) -> str:
    """What the dashboard shows beside the trial.

    Args:
        candidate: The architecture and its cost.
        in_shape: Channels, height and width that the cost refers to.
        num_classes: Logits.
        outcome: Markdown: how it did, or what it is doing.
    """
    size = " x ".join(map(str, in_shape))
    cost = candidate.cost
    return "\n".join(
        [
            f"## `{candidate.genome.key}`" + (f" ({candidate.peer})" if candidate.peer else ""),
            "",
            outcome,
            "",
            "| parameters | MACs | activations | receptive field |",
            "|---:|---:|---:|---:|",
            f"| {cost.params:,} | {cost.macs:,} | {cost.memory / 1024:,.1f}K | {candidate.sees} |",
            "",
            f"At {size}:",
            "",
            "```",
            outline(candidate.genome, in_shape, num_classes),
            "```",
        ]
    )


def evaluation_table(evaluations: Evaluations, iou_per_fold: Mapping[str, Sequence[float]] | None = None) -> str:
    """IoU of every class, as a Markdown table under a line that says what it was measured on.

    Args:
        evaluations: Of the sets.
        iou_per_fold: Set name -> mean IoU of each fold; None or empty without folds.
    """
    per_fold = iou_per_fold or {}
    folds = max(map(len, per_fold.values()), default=None)
    lines = [f"Measured on {measured_on(folds)}; the test split was not read.", "", "| set | class | IoU |", "|---|---|---:|"]
    for name, evaluation in evaluations.items():
        for label, iou in zip(evaluation.classes, evaluation.iou, strict=True):
            lines.append(f"| {name} | {label} | {'absent' if iou is None else f'{iou:.4f}'} |")
        lines.append(f"| {name} | **mean of the foreground** | **{evaluation.mean_iou:.4f}** |")
        if name in per_fold:
            lines.append(f"| {name} | the same on each fold | {', '.join(f'{iou:.4f}' for iou in per_fold[name])} |")
    return "\n".join(lines)


def measured_on(folds: int | None) -> str:
    """What the values of a search refer to, in words that notes, tables and model files share."""
    return "the validation split" if folds is None else f"all images of train and val, each once in {folds} folds"


def rung_table(completed: Sequence[Mapping[str, Any]]) -> str:
    """How a trial stood at the end of each rung, as a Markdown table."""
    lines = ["| rung | IoU | at break-even | seconds |", "|---:|---:|---:|---:|"]
    for rung, one in enumerate(completed, start=1):
        early = f"{one[BREAK_EVEN]['iou']:.4f}" if BREAK_EVEN in one else ""
        lines.append(f"| {rung} | {one['iou']:.4f} | {early} | {one['seconds']:.1f} |")
    return "\n".join(lines)


def per_class_iou(evaluations: Evaluations) -> Mapping[str, Mapping[str, float | None]]:
    """Set name -> class name -> IoU, as a trial's user attribute."""
    return {name: dict(zip(evaluation.classes, evaluation.iou, strict=True)) for name, evaluation in evaluations.items()}
