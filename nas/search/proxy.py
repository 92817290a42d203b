"""Trains one candidate: a pure function of genome, data and recipe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from nas.data import Bank
from nas.evaluate import Evaluation, pool
from nas.genome import Genome
from nas.network import build_network
from nas.search.sets import IN_CHANNELS
from nas.train import EpochMetrics, Recipe, fit


@dataclass(frozen=True)
class ProxyResult:
    """How a candidate did.

    Attributes:
        evaluations: Set name -> evaluation after the last epoch.
        curve: One entry an epoch: set, epoch, loss, learning rate, and the mean IoU where it was evaluated; with folds the fold, from 1.
        train_seconds: Time in training steps.
        validate_seconds: Time in validation.
        iou_per_fold: Set name -> mean IoU on each fold's validation images; empty without folds.
    """

    evaluations: Mapping[str, Evaluation]
    curve: Sequence[Mapping[str, Any]]
    train_seconds: float
    validate_seconds: float
    iou_per_fold: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "evaluations": {name: evaluation.as_dict() for name, evaluation in self.evaluations.items()},
            "curve": [dict(point) for point in self.curve],
            "train_seconds": self.train_seconds,
            "validate_seconds": self.validate_seconds,
            "iou_per_fold": {name: list(ious) for name, ious in self.iou_per_fold.items()},
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "ProxyResult":
        """What `to_dict` gave."""
        evaluations = {name: Evaluation.from_dict(stored) for name, stored in document["evaluations"].items()}
        own = {name: document[name] for name in ("curve", "train_seconds", "validate_seconds", "iou_per_fold")}
        return cls(evaluations, **own)


def train_candidate(genome: Genome, banks: Sequence[Bank], recipes: Sequence[Recipe], device: str, joint: bool = False) -> ProxyResult:
    """Builds, trains and evaluates a genome's network: on each set separately, or one network on all.

    The first weights depend on the recipe's seed alone, so that the same genome ends the same whatever was trained before it.

    Args:
        genome: The architecture.
        banks: Of the sets.
        recipes: One a set.
        device: Where.
        joint: Whether one network is trained on all sets together, by the first recipe.

    Raises:
        Diverged: The loss or a weight became infinite or not a number.
    """
    curve: list[dict[str, Any]] = []
    train_seconds = validate_seconds = 0.0
    evaluations: dict[str, Evaluation] = {}
    for together, recipe in [(list(banks), recipes[0])] if joint else [([bank], own) for bank, own in zip(banks, recipes, strict=True)]:
        classes = tuple(bank.num_classes for bank in together)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            model = build_network(genome, IN_CHANNELS, classes if joint else classes[0])
        for epoch in fit(model, together, recipe, device=device):
            curve.append({"set": " + ".join(bank.name for bank in together), **_point(epoch)})
            train_seconds += epoch.train_seconds
            validate_seconds += epoch.validate_seconds
            evaluations |= epoch.evaluations
    return ProxyResult(evaluations, curve, train_seconds, validate_seconds)


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
    )


def _point(epoch: EpochMetrics) -> dict[str, float]:
    point = {"epoch": epoch.epoch, "loss": round(epoch.loss, 6), "learning_rate": epoch.learning_rate}
    if epoch.evaluations:
        point["iou"] = sum(evaluation.mean_iou for evaluation in epoch.evaluations.values()) / len(epoch.evaluations)
    return point
