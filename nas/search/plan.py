"""Everything that is settled before the first candidate: data, image size, views, recipe, space, device, workers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.blocks import Shape
from nas.data import Bank, DataSet, ViewRecipe, build_bank, check_recipe, load_recipe, reduced
from nas.errors import UserError
from nas.machine import available_cores, resolve_device
from nas.proxy.rungs import rung_scales, rungs_of
from nas.search.candidate import Target
from nas.search.config import SearchConfig
from nas.search.folder import StudyFolder, study_folder
from nas.search.objectives import directions
from nas.search.proposer import distributions
from nas.search.sampling import check_sampler
from nas.search.sets import SetPlan, largest_shape, least_sides, make_sets
from nas.search.workers.gpu_room import free_gpu_bytes, worker_bytes, workers_within
from nas.space import SearchSpace, SpaceFile, find_space, load_space, routed, sized, smallest
from nas.topology import NumClasses

BANK_SEED = 0
"""The views are the same for every seed of a search, so that searches share them and differ by architecture and weights."""


@dataclass(frozen=True)
class Plan:
    """What a search will work on.

    Attributes:
        config: As asked.
        name: Of the study.
        folder: Of the study.
        sets: The data sets.
        space_file: Where the space is defined.
        space: What may be built.
        transforms: How training views are drawn.
        device: "cpu", "cuda" or "mps".
        workers: Processes; 0 for this one.
    """

    config: SearchConfig
    name: str
    folder: StudyFolder
    sets: tuple[SetPlan, ...]
    space_file: SpaceFile
    space: SearchSpace
    transforms: ViewRecipe
    device: str
    workers: int

    @property
    def in_shape(self) -> Shape:
        """Channels, height and width that costs refer to: the largest image of use."""
        return largest_shape(self.sets)

    @property
    def num_classes(self) -> NumClasses:
        """Logits that costs refer to: all heads of a joint network; else the largest, since each set has a network of its own."""
        if self.config.joint:
            return tuple(plan.data.num_classes for plan in self.sets)
        return max(plan.data.num_classes for plan in self.sets)

    @property
    def rungs(self) -> int:
        """Stages of a candidate's training, where it is validated and may be stopped."""
        return rungs_of([one.recipe.epochs for one in self.sets])

    @property
    def target(self) -> Target:
        """What candidates must fit."""
        return Target(self.space, self.config.caps, self.in_shape, self.num_classes)

    @property
    def bank_folder(self) -> Path:
        """Where banks are kept, for all studies of a home."""
        return self.config.home / "studies" / ".banks"

    def stages(self) -> list[list[list[Bank]]]:
        """The banks of views of each rung, drawn if they are not there; a single stage where all rungs are alike.

        Within a stage a list of one bank a set for each training of a candidate, so one list a fold.
        """
        return [self.banks(scale) for scale in _scales(self.config, self.sets)]

    def banks(self, scale: float = 1.0) -> list[list[Bank]]:
        """The banks at a share of the image size."""
        rounds = zip(*(plan.rounds for plan in self.sets), strict=True)
        return [[self._bank(plan, data, scale) for plan, data in zip(self.sets, sets, strict=True)] for sets in rounds]

    def _bank(self, plan: SetPlan, data: DataSet, scale: float) -> Bank:
        size = plan.size if scale == 1 else reduced(plan.size, scale)
        return build_bank(data, size.image_size, size.train_size, plan.views, BANK_SEED, self.bank_folder, recipe=self.transforms)

    def settings(self) -> dict[str, Any]:
        """What must not change within a study."""
        return {
            "budget": self.config.budget,
            "max_macs": self.config.max_macs,
            "max_memory": self.config.max_memory,
            "space": self.space.name,
            "space_sha256": self.space_file.sha256,
            "transforms": self.transforms.identity,
            "objectives": list(self.config.objectives),
            "sampler": self.config.sampler,
            "seed": self.config.seed,
            "device": self.device,
            "joint": self.config.joint,
            "rungs": self.rungs,
            "prune": self.config.prune,
            "grow": self.config.grow,
            "folds": self.config.folds,
            "layout": self.config.layout,
            "channels": self.in_shape[0],
            "sets": {plan.data.name: plan.settings() for plan in self.sets},
        }

    def stored_facts(self) -> dict[str, Any]:
        """What the export needs to find in the storage; kept anew when a search begins, since places change."""
        return {
            "sets": [plan.document() for plan in self.sets],
            "image_size": list(self.in_shape[1:]),
            "transforms": self.transforms.document(),
            "space_file": str(self.space_file.path),
            "space_copy": str(self.folder.space.resolve()),
        }


def make_plan(config: SearchConfig) -> Plan:
    """Settles everything; reads all of the data once.

    Raises:
        UserError: The data are faulty, something is unknown, or nothing of the space fits the caps.
    """
    space_file = find_space(config.space)
    space = load_space(space_file)
    if config.joint:
        space = routed(space)
    transforms = load_recipe(config.transforms)
    device = resolve_device(config.device)
    sets = make_sets(config)
    if not transforms.built_in:
        # Here rather than when the bank is drawn: a dry run tells of it too, and no study is begun with a file that does not work.
        for one in sets:
            check_recipe(transforms, one.data, one.size.image_size, one.size.train_size)
    space = sized(space, *least_sides(sets))
    default = "-".join([*(plan.data.name for plan in sets), str(config.budget)])
    name = config.study or re.sub(r"[^\w.-]+", "-", default).lstrip(".-")
    plan = Plan(
        config=config,
        name=name,
        folder=study_folder(config.home, name),
        sets=sets,
        space_file=space_file,
        space=space,
        transforms=transforms,
        device=device,
        workers=_workers(config, device, sets),
    )
    _check_something_fits(plan)
    check_sampler(config.sampler, directions(config.objectives), distributions(space, config.objectives))
    return plan


def _scales(config: SearchConfig, sets: Sequence[SetPlan]) -> tuple[float, ...]:
    """Share of the image size that each rung works at; one for all where none differs."""
    return rung_scales(rungs_of([one.recipe.epochs for one in sets])) if config.grow else (1.0,)


def _workers(config: SearchConfig, device: str, sets: Sequence[SetPlan]) -> int:
    """One single-threaded process a core on a CPU; on a GPU as many as have room, no more than cores that feed them; else one."""
    if config.workers is not None:
        return config.workers
    if device == "cuda":
        needs = [worker_bytes(one, config.budget, _scales(config, sets)) for one in sets]
        return workers_within(free_gpu_bytes(), needs, available_cores())
    return available_cores() if device == "cpu" else 1


def _check_something_fits(plan: Plan) -> None:
    target = plan.target
    for name, cap in target.budget.caps().items():
        _, cost = smallest(plan.space, name, target.in_shape, target.num_classes)
        if getattr(cost, name) > cap:
            flag = {"params": "--budget", "macs": "--max-macs", "memory": "--max-memory"}[name]
            words = {"params": "parameters", "macs": "MACs", "memory": "bytes of activations"}[name]
            size = "" if name == "params" else f" at {plan.in_shape[1]}x{plan.in_shape[2]}"
            raise UserError(
                f"no genome of {plan.space.name} fits {cap:,} {words} (its smallest has {getattr(cost, name):,}{size}): raise {flag}"
                f"{'' if name == 'params' else ', lower --image-size'}, or add narrower widths or cheaper blocks to {plan.space_file.path}"
            )
