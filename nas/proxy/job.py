"""What a worker is told and what it answers: JSON, so that it survives a process boundary, a restart and another machine."""

import contextlib
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from nas.blocks import AnyOperator
from nas.data import Bank, open_bank
from nas.genome import genome_from_json
from nas.proxy.faults import Fault, fault_of
from nas.proxy.states import read_states, write_states
from nas.proxy.training import ProxyResult, pooled, train_rung, trainings
from nas.space import SpaceFile, load_space
from nas.train import Diverged, Recipe, TrainState


@dataclass(frozen=True)
class Workplace:
    """What all candidates of a study are trained with.

    Attributes:
        space: Where operators are defined, a user's own among them.
        stages: Folders of the banks of views of each rung, or one stage for all: for each training of a candidate, one a fold or one in
            all, the banks of the sets.
        recipes: How to train on each.
        device: Where.
        rungs: In how many stages.
        joint: Whether one network is trained on all sets.
    """

    space: SpaceFile
    stages: Sequence[Sequence[Sequence[Path]]]
    recipes: Sequence[Recipe]
    device: str
    rungs: int = 1
    joint: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "space": {name: value and str(value) for name, value in asdict(self.space).items()},
            "stages": [[[str(path) for path in banks] for banks in rounds] for rounds in self.stages],
            "recipes": [recipe.as_dict() for recipe in self.recipes],
            "device": self.device,
            "rungs": self.rungs,
            "joint": self.joint,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Workplace":
        """What `to_dict` gave."""
        space = document["space"]
        copy = Path(space["copy"]) if space["copy"] else None
        return cls(
            space=SpaceFile(space["name"], Path(space["path"]), space["sha256"], copy),
            stages=[[[Path(path) for path in banks] for banks in rounds] for rounds in document["stages"]],
            recipes=[Recipe.from_dict(recipe) for recipe in document["recipes"]],
            device=document["device"],
            rungs=document["rungs"],
            joint=document["joint"],
        )

    def open(self) -> Callable[["Task"], "Answer"]:
        """Opens banks and space once; gives the function that does tasks."""
        vocabulary = load_space(self.space).vocabulary
        stages = [[[open_bank(path) for path in banks] for banks in rounds] for rounds in self.stages]

        def train(task: Task) -> Answer:
            try:
                return Answer(_trained(task, self, vocabulary, stages), "")
            except Diverged as diverged:
                return Answer(None, str(diverged))
            except Exception as error:
                with contextlib.suppress(OSError):  # A full disk takes no traceback either.
                    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {task.label} failed:", file=sys.stderr)
                    traceback.print_exc()
                return Answer(None, f"{type(error).__name__}: {error}", fault_of(error))

        return train


@dataclass(frozen=True)
class Task:
    """One rung of one candidate.

    Attributes:
        genome: JSON.
        rung: To train up to the end of, from 0.
        resume: File of the states to go on from; None, or a file that is not there, to start from the beginning, with the same result.
        save: File for the states at the end; None where nobody will go on.
        seed: Of weights and order, instead of the recipe's.
        epochs: Of the whole training, instead of the recipe's.
        label: What a person calls it, for messages.
    """

    genome: str
    rung: int
    resume: Path | None = None
    save: Path | None = None
    seed: int | None = None
    epochs: int | None = None
    label: str = "a task"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        paths = {name: str(path) if path else None for name, path in (("resume", self.resume), ("save", self.save))}
        return {"genome": self.genome, "rung": self.rung, "seed": self.seed, "epochs": self.epochs, "label": self.label, **paths}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Task":
        """What `to_dict` gave."""
        paths = {name: Path(document[name]) if document[name] else None for name in ("resume", "save")}
        return cls(document["genome"], document["rung"], seed=document["seed"], epochs=document["epochs"], label=document["label"], **paths)

    def recipe(self, given: Recipe) -> Recipe:
        """The recipe with this task's seed and length."""
        seed = given.seed if self.seed is None else self.seed
        epochs = given.epochs if self.epochs is None else self.epochs
        return replace(given, seed=seed, epochs=epochs)


@dataclass(frozen=True)
class Answer:
    """How a task ended.

    Attributes:
        result: Of the training; None where it failed.
        reason: Why it failed.
        fault: Of the machine, if that was why: another process may do better, and this one is not to be trusted with more.
    """

    result: ProxyResult | None
    reason: str
    fault: Fault | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"result": self.result.to_dict() if self.result else None, "reason": self.reason, "fault": self.fault}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Answer":
        """What `to_dict` gave."""
        result = document["result"]
        return cls(ProxyResult.from_dict(result) if result else None, document["reason"], document["fault"])


def _trained(
    task: Task, place: Workplace, vocabulary: Mapping[str, type[AnyOperator]], stages: Sequence[Sequence[Sequence[Bank]]]
) -> ProxyResult:
    genome, recipes = genome_from_json(task.genome, vocabulary), [task.recipe(recipe) for recipe in place.recipes]
    before = iter(_states(task) or ())
    results, reached = [], []
    for rounds in zip(*stages, strict=True):  # the banks of one fold at each stage
        lessons = [trainings(banks, recipes, place.joint) for banks in rounds]
        states = list(islice(before, len(lessons[0]))) or None
        result, states = train_rung(genome, lessons, place.device, task.rung, place.rungs, states)
        results.append(result)
        reached += states
    if task.save is not None:
        write_states(task.save, reached)
    return pooled(results)


def _states(task: Task) -> list[TrainState] | None:
    """What to go on from; a lost or broken file costs the time of the rungs before, not the candidate."""
    if task.resume is None:
        return None
    try:
        return read_states(task.resume)
    except (OSError, ValueError) as error:
        print(f"{task.resume} cannot be read ({error}): its training starts from the beginning", file=sys.stderr)
        return None
