"""Everything that is settled before the first candidate: data, image size, views, recipe, space, device, workers."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nas.blocks import Shape
from nas.data import Bank, DataFacts, DataSet, SizeChoice, build_bank, check_data, open_data, recommend_size, train_size_for
from nas.errors import UserError
from nas.search.candidate import Target
from nas.search.config import SearchConfig
from nas.search.proxy import IN_CHANNELS
from nas.search.study import StudyFolder, study_folder
from nas.space import SearchSpace, SpaceFile, find_space, load_space, smallest
from nas.train import Recipe

SHOWN_VIEWS = 1_500
"""Views that a candidate's proxy training shows, where --epochs does not say: about 190 steps of 8."""

MAX_EPOCHS = 100
MAX_BANK_VIEWS = 10
"""Different views of each image; more epochs go round again."""

BANK_SEED = 0
"""The views are the same for every seed of a search, so that searches share them and differ by architecture and weights."""

CURVE_POINTS = 3
"""Validations over a candidate's training."""


@dataclass(frozen=True)
class Plan:
    """What a search will work on.

    Attributes:
        config: As asked.
        name: Of the study.
        folder: Of the study.
        data: The data set.
        facts: What its check found.
        size: Image size and size of training views, and why.
        views: Views of each training image in the bank.
        recipe: Of the proxy training.
        space_file: Where the space is defined.
        space: What may be built.
        device: "cpu", "cuda" or "mps".
        workers: Processes; 0 for this one.
    """

    config: SearchConfig
    name: str
    folder: StudyFolder
    data: DataSet
    facts: DataFacts
    size: SizeChoice
    views: int
    recipe: Recipe
    space_file: SpaceFile
    space: SearchSpace
    device: str
    workers: int

    @property
    def in_shape(self) -> Shape:
        """Channels, height and width of one image of use."""
        return (IN_CHANNELS, *self.size.image_size)

    @property
    def target(self) -> Target:
        """What candidates must fit."""
        return Target(self.space, self.config.caps, self.in_shape, self.data.num_classes)

    @property
    def bank_folder(self) -> Path:
        """Where banks are kept, for all studies of a home."""
        return self.config.home / "studies" / ".banks"

    def bank(self, progress: Callable[[float], None] | None = None) -> Bank:
        """The bank of views, drawn if it is not there."""
        return build_bank(self.data, self.size.image_size, self.size.train_size, self.views, BANK_SEED, self.bank_folder, progress)

    def settings(self) -> dict[str, Any]:
        """What must not change within a study."""
        return {
            "data": self.data.name,
            "data_fingerprint": self.data.fingerprint(),
            "image_size": list(self.size.image_size),
            "train_size": list(self.size.train_size),
            "views": self.views,
            "budget": self.config.budget,
            "max_macs": self.config.max_macs,
            "max_memory": self.config.max_memory,
            "space": self.space.name,
            "space_sha256": self.space_file.sha256,
            "objectives": list(self.config.objectives),
            "sampler": self.config.sampler,
            "seed": self.config.seed,
            "device": self.device,
            **self.recipe.as_dict(),
        }

    def stored_facts(self) -> dict[str, Any]:
        """What the export needs to find in the storage."""
        return {
            "data": self.data_facts(),
            "space_file": str(self.space_file.path),
            "space_copy": str(self.folder.space.resolve()),
        }

    def data_facts(self) -> dict[str, Any]:
        """What the training of an exported model needs to know of the data."""
        return {
            "name": self.data.name,
            "location": self.data.location,
            "layout": self.data.layout,
            "classes": list(self.data.classes),
            "in_channels": IN_CHANNELS,
            "image_size": list(self.size.image_size),
            "image_size_reason": self.size.reason,
            "train_size": list(self.size.train_size),
            "images": dict(self.facts.counts),
            "split": self.data.split_source,
            "native_size": list(self.facts.median_size),
            "pixel_shares": list(self.facts.pixel_shares),
        }


def make_plan(config: SearchConfig) -> Plan:
    """Settles everything; reads all of the data once.

    Raises:
        UserError: The data are faulty, something is unknown, or nothing of the space fits the caps.
    """
    space_file = find_space(config.space)
    space = load_space(space_file)
    device = resolve_device(config.device)
    data = open_data(config.data[0])
    name = config.study or re.sub(r"[^\w.-]+", "-", f"{data.name}-{config.budget}").lstrip(".-")
    facts = check_data(data)
    size = _size(config, facts)
    recipe = _recipe(config, facts.counts["train"])
    plan = Plan(
        config=config,
        name=name,
        folder=study_folder(config.home, name),
        data=data,
        facts=facts,
        size=size,
        views=min(recipe.epochs, MAX_BANK_VIEWS),
        recipe=recipe,
        space_file=space_file,
        space=space,
        device=device,
        workers=_workers(config.workers, device),
    )
    _check_something_fits(plan)
    return plan


def resolve_device(wanted: str) -> str:
    """The best device there is, or the one asked for.

    Raises:
        UserError: It is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(device for device, available in there.items() if available)
    if not there[wanted]:
        raise UserError(f"--device {wanted} was asked for and torch {torch.__version__} finds none here: use --device auto")
    return wanted


def _workers(wanted: int | None, device: str) -> int:
    """One single-threaded process a core on a CPU; on an accelerator one process."""
    if wanted is not None:
        return wanted
    return available_cores() if device == "cpu" else 1


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _size(config: SearchConfig, facts: DataFacts) -> SizeChoice:
    if config.image_size is None:
        return recommend_size(facts)
    return SizeChoice(config.image_size, train_size_for(config.image_size), "as given by --image-size")


def _recipe(config: SearchConfig, images: int) -> Recipe:
    epochs = config.epochs or max(1, min(MAX_EPOCHS, round(SHOWN_VIEWS / images)))
    given = {"batch_size": config.batch_size, "learning_rate": config.learning_rate}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return Recipe(epochs=epochs, seed=config.seed, validations=min(CURVE_POINTS, epochs), **chosen)


def _check_something_fits(plan: Plan) -> None:
    target = plan.target
    for name, cap in target.budget.caps().items():
        _, cost = smallest(plan.space, name, target.in_shape, target.num_classes)
        if getattr(cost, name) > cap:
            flag = {"params": "--budget", "macs": "--max-macs", "memory": "--max-memory"}[name]
            words = {"params": "parameters", "macs": "MACs", "memory": "bytes of activations"}[name]
            size = "" if name == "params" else f" at {plan.size.image_size[0]}x{plan.size.image_size[1]}"
            raise UserError(
                f"no genome of {plan.space.name} fits {cap:,} {words} (its smallest has {getattr(cost, name):,}{size}): raise {flag}"
                f"{'' if name == 'params' else ', lower --image-size'}, or add narrower widths or cheaper blocks to {plan.space_file.path}"
            )
