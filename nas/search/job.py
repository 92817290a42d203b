"""What a worker is told and what it answers: JSON, so that it survives a process boundary, a restart and another machine."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.data import open_bank
from nas.genome import genome_from_json
from nas.search.proxy import ProxyResult, pooled, train_candidate
from nas.space import SpaceFile, load_space
from nas.train import Diverged, Recipe


@dataclass(frozen=True)
class Workplace:
    """What all candidates of a study are trained with.

    Attributes:
        space: Where operators are defined, a user's own among them.
        rounds: Folders of the banks of views: for each training of a candidate, one a fold or one in all, the banks of the sets.
        recipes: How to train on each.
        device: Where.
        joint: Whether one network is trained on all sets.
    """

    space: SpaceFile
    rounds: Sequence[Sequence[Path]]
    recipes: Sequence[Recipe]
    device: str
    joint: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "space": {"name": self.space.name, "path": str(self.space.path), "sha256": self.space.sha256},
            "rounds": [[str(path) for path in banks] for banks in self.rounds],
            "recipes": [recipe.as_dict() for recipe in self.recipes],
            "device": self.device,
            "joint": self.joint,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Workplace":
        """What `to_dict` gave."""
        space = document["space"]
        return cls(
            space=SpaceFile(space["name"], Path(space["path"]), space["sha256"]),
            rounds=[[Path(path) for path in banks] for banks in document["rounds"]],
            recipes=[Recipe.from_dict(recipe) for recipe in document["recipes"]],
            device=document["device"],
            joint=document["joint"],
        )

    def open(self) -> Callable[[str], "Answer"]:
        """Opens banks and space once; gives the function that trains a genome's JSON."""
        vocabulary = load_space(self.space).vocabulary
        rounds = [[open_bank(path) for path in banks] for banks in self.rounds]

        def train(genome: str) -> Answer:
            try:
                candidate = genome_from_json(genome, vocabulary)
                return Answer(pooled([train_candidate(candidate, banks, self.recipes, self.device, self.joint) for banks in rounds]), "")
            except Diverged as diverged:
                return Answer(None, str(diverged))
            except Exception as error:
                traceback.print_exc()
                return Answer(None, f"{type(error).__name__}: {error}")

        return train


@dataclass(frozen=True)
class Answer:
    """How a job ended.

    Attributes:
        result: Of the training; None where it failed.
        reason: Why it failed.
    """

    result: ProxyResult | None
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"result": self.result.to_dict() if self.result else None, "reason": self.reason}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Answer":
        """What `to_dict` gave."""
        result = document["result"]
        return cls(ProxyResult.from_dict(result) if result else None, document["reason"])
