"""Trains one candidate up to the end of a rung: a pure function of genome, data, recipe and the state it goes on from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from nas.data import Bank
from nas.evaluate import Evaluation, pool
from nas.genome import Genome
from nas.network import build_network
from nas.proxy.rungs import EARLY_IMAGES, rung_ends
from nas.train import EpochMetrics, Recipe, TrainState, fit


@dataclass(frozen=True)
class ProxyResult:
    """How a candidate did in a rung.

    Attributes:
        evaluations: Set name -> evaluation after the last epoch.
        curve: One entry an epoch of the rung: set, epoch, loss, learning rate, and the mean IoU where it was evaluated; with folds the
            fold, from 1.
        train_seconds: Time in training steps.
        validate_seconds: Time in validation.
        iou_per_fold: Set name -> mean IoU on each fold's validation images; empty without folds.
        notes: What a person wants to know of how it was trained, each thing once.
    """

    evaluations: Mapping[str, Evaluation]
    curve: Sequence[Mapping[str, Any]]
    train_seconds: float
    validate_seconds: float
    iou_per_fold: Mapping[str, Sequence[float]] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Time in training and validation."""
        return self.train_seconds + self.validate_seconds

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "evaluations": {name: evaluation.as_dict() for name, evaluation in self.evaluations.items()},
            "curve": [dict(point) for point in self.curve],
            "train_seconds": self.train_seconds,
            "validate_seconds": self.validate_seconds,
            "iou_per_fold": {name: list(ious) for name, ious in self.iou_per_fold.items()},
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "ProxyResult":
        """What `to_dict` gave."""
        evaluations = {name: Evaluation.from_dict(stored) for name, stored in document["evaluations"].items()}
        own = {name: document[name] for name in ("curve", "train_seconds", "validate_seconds", "iou_per_fold")}
        return cls(evaluations, **own, notes=tuple(document["notes"]))


@dataclass(frozen=True)
class Training:
    """One of the trainings of a candidate: on one set, or on all sets together.

    Attributes:
        banks: What it sees.
        recipe: How.
        joint: Whether the network has a head for each bank and is told which.
    """

    banks: Sequence[Bank]
    recipe: Recipe
    joint: bool = False

    def network(self, genome: Genome) -> torch.nn.Module:
        """The genome's network with its first weights, which depend on the recipe's seed alone, whatever was trained before."""
        classes = tuple(bank.num_classes for bank in self.banks)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            return build_network(genome, self.banks[0].channels, classes if self.joint else classes[0])

    @property
    def name(self) -> str:
        """Of the sets, for curves."""
        return " + ".join(bank.name for bank in self.banks)


def trainings(banks: Sequence[Bank], recipes: Sequence[Recipe], joint: bool) -> list[Training]:
    """One training on all sets by the first recipe, or one a set, each by its own."""
    if joint:
        return [Training(banks, recipes[0], joint=True)]
    return [Training([bank], recipe) for bank, recipe in zip(banks, recipes, strict=True)]


def train_rung(
    genome: Genome,
    stages: Sequence[Sequence[Training]],
    device: str,
    rung: int = 0,
    rungs: int = 1,
    states: Sequence[TrainState] | None = None,
) -> tuple[ProxyResult, list[TrainState]]:
    """Trains a genome's networks up to the end of a rung, and evaluates them.

    Args:
        genome: The architecture.
        stages: Its trainings at each rung, which differ in their banks alone; or a single list for all rungs.
        device: Where.
        rung: Up to the end of which, from 0.
        rungs: How many there are; after the last one the trainings are complete.
        states: Of the trainings at the end of the rung before. Without them they start from the beginning, with the same result.

    Returns:
        The result, and the states to go on from.

    Raises:
        Diverged: The loss or a weight became infinite or not a number.
        ValueError: The states are those of another network.
    """
    first = 0 if states is None and len(stages) > 1 else rung
    ends = [rung_ends(lesson.recipe.epochs, rungs) for lesson in stages[-1]]
    passed = []
    for stage in range(first, rung + 1):
        if stage < rung and all(own[stage] == own[stage + 1] for own in ends):
            continue  # In so short a training several stages end with the same epoch: it is trained at the last one's size.
        result, states = _train_stage(genome, stages[min(stage, len(stages) - 1)], device, stage, rungs, states)
        passed.append(result)
    assert states is not None
    return _joined(passed), list(states)


def _train_stage(
    genome: Genome, lessons: Sequence[Training], device: str, rung: int, rungs: int, states: Sequence[TrainState] | None
) -> tuple[ProxyResult, list[TrainState]]:
    early = rung < rungs - 1
    sample = EARLY_IMAGES if early else None
    curve: list[dict[str, Any]] = []
    train_seconds = validate_seconds = 0.0
    evaluations: dict[str, Evaluation] = {}
    reached: list[TrainState] = []
    notes: list[str] = []
    for lesson, state in zip(lessons, states or (None,) * len(lessons), strict=True):
        stop = rung_ends(lesson.recipe.epochs, rungs)[rung]
        for epoch in fit(lesson.network(genome), lesson.banks, lesson.recipe, state, stop, device, early, sample):
            curve.append({"set": lesson.name, **_point(epoch)})
            train_seconds += epoch.train_seconds
            validate_seconds += epoch.validate_seconds
            last = epoch
        evaluations |= last.evaluations
        reached.append(last.state)
        notes += last.notes
    return ProxyResult(evaluations, curve, train_seconds, validate_seconds, notes=tuple(dict.fromkeys(notes))), reached


def _joined(passed: Sequence[ProxyResult]) -> ProxyResult:
    """Stages one after the other as one result: the last one's evaluations, everybody's curve and time."""
    return ProxyResult(
        evaluations=passed[-1].evaluations,
        curve=[point for one in passed for point in one.curve],
        train_seconds=sum(one.train_seconds for one in passed),
        validate_seconds=sum(one.validate_seconds for one in passed),
        notes=_notes(passed),
    )


def _notes(parts: Sequence[ProxyResult]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for part in parts for note in part.notes))


def pooled(rounds: Sequence[ProxyResult]) -> ProxyResult:
    """One result of the trainings on all folds: every image counts once, in one confusion matrix a set.

    Args:
        rounds: In the order of the folds; a single one stays as it is.
    """
    if len(rounds) == 1:
        return rounds[0]
    sets = rounds[0].evaluations
    return ProxyResult(
        evaluations={name: pool([one.evaluations[name] for one in rounds]) for name in sets},
        curve=[{"fold": fold, **point} for fold, one in enumerate(rounds, start=1) for point in one.curve],
        train_seconds=sum(one.train_seconds for one in rounds),
        validate_seconds=sum(one.validate_seconds for one in rounds),
        iou_per_fold={name: [one.evaluations[name].mean_iou for one in rounds] for name in sets},
        notes=_notes(rounds),
    )


def _point(epoch: EpochMetrics) -> dict[str, float]:
    point = {"epoch": epoch.epoch, "loss": round(epoch.loss, 6), "learning_rate": epoch.learning_rate}
    if epoch.evaluations:
        point["iou"] = sum(evaluation.mean_iou for evaluation in epoch.evaluations.values()) / len(epoch.evaluations)
    return point
