"""A training in full, settled before its first step: which network, which images, by which recipe, and which jobs that makes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nas.data import Bank, DataSet, ViewRecipe, build_bank, check_recipe, keep_out, load_recipe
from nas.evaluate.trained import TrainingRecord, read_record
from nas.machine import available_cores, resolve_device
from nas.model_code import ModelCode, load_model_code
from nas.network_digest import network_digest
from nas.train.checkpoint import BEST, LAST
from nas.train.full_config import FullConfig
from nas.train.full_sets import FullSet, make_full_sets
from nas.train.job import Job
from nas.train.recorded_transforms import recorded_transforms

if TYPE_CHECKING:
    from torch import nn

PATIENCE = 0.4
"""Share of the epochs without a better validation after which a training ends, where --patience does not say."""

BANK_SEED = 0


@dataclass(frozen=True)
class FullPlan:
    """Everything that is settled before a training in full.

    Attributes:
        config: As asked.
        code: The network's.
        sets: The data.
        transforms: How views are drawn.
        device: "cpu", "cuda" or "mps".
        out: Folder for the results.
    """

    config: FullConfig
    code: ModelCode
    sets: tuple[FullSet, ...]
    transforms: ViewRecipe
    device: str
    out: Path

    def jobs(self, banks: Sequence[Sequence[Bank]]) -> list[Job]:
        """One for each set (or one for all, for a network with several heads), seed and fold.

        Args:
            banks: For each set that of each fold, or the single one.
        """
        trainings = [(self.sets, banks)] if self.code.joint else [((one,), (own,)) for one, own in zip(self.sets, banks, strict=True)]
        return [
            self._job(sets, [own[fold] for own in rounds], sets[0].recipe.seed + offset, fold, network)
            for sets, rounds in trainings
            for network in [network_digest(self.network_of(sets[0].data))]
            for offset in range(self.config.seeds)
            for fold in range(len(rounds[0]))
        ]

    def _job(self, sets: Sequence[FullSet], banks: Sequence[Bank], seed: int, fold: int, network: str) -> Job:
        recipe, config = sets[0].recipe, self.config
        parts = [
            *([sets[0].data.name] if len(self.sets) > 1 and not self.code.joint else []),
            *([f"seed {seed}"] if config.seeds > 1 else []),
            *([f"fold {fold + 1}"] if config.folds else []),
        ]
        patience = round(PATIENCE * recipe.epochs) if config.patience is None else config.patience
        return Job(
            name=", ".join(parts),
            folder=self.out.joinpath(*(part.replace(" ", "-").replace("/", "-") for part in parts)),
            model=config.model,
            digest=self.code.digest,
            network=network,
            banks=tuple(bank.path.resolve() for bank in banks),
            joint=self.code.joint,
            recipe=replace(recipe, seed=seed),
            patience=patience or None,
            device=self.device,
            tensorboard=config.tensorboard,
            start=config.weights,
            record=self._record(sets, fold),
        )

    def network_of(self, data: DataSet) -> "nn.Module":
        """A network as it would be trained on a data set, with weights of no meaning."""
        return self.code.build(data.channels, self.code.built_for(data.num_classes))

    def _record(self, sets: Sequence[FullSet], fold: int) -> TrainingRecord:
        start = read_record(self.config.weights) if self.config.weights is not None else None
        own = tuple(one.trained(fold) for one in sets)
        return TrainingRecord(self.config.model, self.code.digest, (BEST, LAST), own, start.seen if start else ())

    def draw(self) -> list[list[Bank]]:
        """The banks of each set: one a fold, or a single one."""
        return [[self._bank(one, data) for data in one.folds or (one.data,)] for one in self.sets]

    @property
    def bank_folder(self) -> Path:
        """Where banks are kept, those of searches among them."""
        return self.config.home / "studies" / ".banks"

    def _bank(self, one: FullSet, data: DataSet) -> Bank:
        size = one.size
        return build_bank(data, size.image_size, size.train_size, one.views, BANK_SEED, self.bank_folder, recipe=self.transforms)


def make_full_plan(config: FullConfig) -> FullPlan:
    """Settles a training in full.

    Raises:
        UserError: Model, data or settings must be mended first.
    """
    code = load_model_code(config.model)
    sets = make_full_sets(config, code)
    transforms = load_recipe(config.transforms) if config.transforms is not None else recorded_transforms(code)
    if not transforms.built_in:
        for one in sets:
            check_recipe(transforms, one.data, one.size.image_size, one.size.train_size)
    out = config.out or Path("runs") / code.name
    keep_out(out, (one.data.location for one in sets))
    return FullPlan(config, code, sets, transforms, resolve_device(config.device), out)


def workers_of(config: FullConfig, device: str, jobs: int) -> int:
    """Trainings at a time."""
    if config.workers is not None:
        return max(1, min(config.workers, jobs))
    return min(jobs, available_cores() if device == "cpu" else 1)
