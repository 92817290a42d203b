"""What a person asks of a search: one frozen value, checked when it is made."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.cost import Budget
from nas.errors import UserError
from nas.machine import DEVICES
from nas.search.objectives import OBJECTIVES
from nas.search.sampling import find_maker

WARM_STARTS = ("peers", "none")
LEAST = {
    "budget": 1,
    "channels": 1,
    "trials": 1,
    "epochs": 1,
    "batch_size": 2,
    "folds": 2,
    "workers": 0,
    "seed": 0,
    "cache_size": 1,
    "finalists": 0,
    "final_seeds": 1,
    "final_epochs": 1,
}


@dataclass(frozen=True)
class SearchConfig:
    """Settings of a search; the command line's flags have the same names.

    Attributes:
        data: Data sets: paths, or names of built-in sets. With several, a candidate is trained on each separately, with a head of its own,
            and accuracies are means over the sets.
        joint: Whether one network is trained on all sets together, with a head for each and a domain router.
        layout: Name of the layout of every data set, where looking at the folder would find another one; None to look.
        channels: Channels that the images of every data set are read with; None for three.
        budget: Most parameters of a network.
        max_macs: Most multiply-accumulates of one image of the image size.
        max_memory: Most bytes of activations of one image of the image size, float32.
        trials: Trained networks in the study, those of earlier runs included.
        space: Name of a built-in search space, or path of a space file.
        study: Name of the study; None for one made of data and budget.
        storage: Optuna storage URL of SQLite, PostgreSQL or MySQL; None for SQLite in the study's folder.
        objectives: Names from `OBJECTIVES`; accuracies go up, costs go down.
        sampler: Name from `SAMPLERS`, or `module:attribute` of any other of Optuna's interface.
        transforms: Python file with the `training_transform` that draws the training views; None for `nas/data/transforms.py`.
        warm_start: "peers" to train the known hand-designed networks first, as many as fit and a quarter of the trials at most; or "none".
        finalists: Networks of the front, from the top, that are trained again with fresh seeds after the search; 0 for none.
        final_seeds: Fresh seeds of each finalist.
        final_epochs: Length of final training, in the epochs of the search; None for as many.
        grow: Whether the first rungs work at smaller images: at a half of the image size, then more, and the last at all of it.
        prune: Whether candidates that fall behind are stopped at the end of a rung; else all are trained to the end.
        workers: Processes that train; None for one a core on a CPU and as many as have room on a GPU. 0 trains in this process.
        device: "auto", "cpu", "cuda" or "mps".
        image_size: Height and width in pixels of use: validation, MACs and memory refer to it. None to choose by the data.
        epochs: Passes over the training images; None to show each network about 1,500 images, of a set with more than 428 in nine or ten
            epochs of other images each.
        batch_size: Images a step; None for the recipe's.
        learning_rate: Peak learning rate; None for the recipe's.
        folds: Folds of train and val: a network is trained on each of them, and its accuracy comes from one confusion matrix in which every
            image counts once. For sets of fewer than about 100 images. None to train once and validate on val.
        seed: Of sampler, weights and order of images. Not of the split, which is a function of the data alone.
        timeout: Seconds after which the search stops as if interrupted; None for none.
        cache_size: Bytes that banks of views may take in `studies/.banks`: the least recently used are removed, and a set whose bank (with
            folds, banks together) would be larger alone gets fewer views.
        home: Folder in which `studies/` lies.
        preset: Name of the preset that the settings come from, for the record alone; see `preset_config`.
    """

    data: tuple[str, ...] = ("synthetic",)
    joint: bool = False
    layout: str | None = None
    channels: int | None = None
    budget: int = 10_000
    max_macs: int | None = None
    max_memory: int | None = None
    trials: int = 200
    space: str = "tiny_unet"
    transforms: Path | None = None
    study: str | None = None
    storage: str | None = None
    objectives: tuple[str, ...] = ("iou", "macs")
    sampler: str = "surrogate"
    warm_start: str = "peers"
    finalists: int = 5
    final_seeds: int = 3
    final_epochs: int | None = None
    grow: bool = False
    prune: bool = True
    workers: int | None = None
    device: str = "auto"
    image_size: tuple[int, int] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    folds: int | None = None
    seed: int = 0
    timeout: float | None = None
    cache_size: int = 20 * 2**30
    home: Path = Path()
    preset: str | None = None

    def __post_init__(self) -> None:
        self._accept_single_values()
        if not self.data:
            raise UserError("a search needs at least one data set: give --data")
        if self.joint and len(self.data) < 2:
            raise UserError("--joint trains one network on several data sets, one was given: give --data again for each")
        _check_names("objective", self.objectives, tuple(OBJECTIVES))
        find_maker(self.sampler)
        _check_names("device", (self.device,), DEVICES)
        _check_names("warm start", (self.warm_start,), WARM_STARTS)
        if len(set(self.objectives)) < len(self.objectives):
            raise UserError(f"each objective can be named once, {','.join(self.objectives)} was given")
        if not any(OBJECTIVES[name].direction == "maximize" for name in self.objectives):
            raise UserError("at least one objective must be an accuracy: add one of iou, miou, dice")
        for name, least in LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise UserError(f"--{name.replace('_', '-')} must be at least {least}, {value} was given")
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            raise UserError(f"--timeout must be a number of seconds above 0, {self.timeout} was given")
        if self.seed >= 2**63:
            raise UserError(f"--seed must be below 2**63, {self.seed} was given")
        if self.study is not None and (not self.study or set(self.study) & set('/\\:*?"<>|') or self.study.startswith(".")):
            raise UserError(f"a study's name is the name of its folder: no slashes, colons or leading dots, {self.study!r} was given")

    def _accept_single_values(self) -> None:
        """What a person would write in Python: one data set, "iou,macs", a text for a path, one number for a square."""
        given: dict[str, Any] = {name: getattr(self, name) for name in ("data", "objectives", "home", "image_size", "transforms")}
        if isinstance(given["data"], str | Path):
            object.__setattr__(self, "data", (str(given["data"]),))
        if isinstance(given["objectives"], str):
            object.__setattr__(self, "objectives", tuple(name.strip() for name in given["objectives"].split(",")))
        object.__setattr__(self, "home", Path(given["home"]).expanduser())
        if given["transforms"] is not None:
            object.__setattr__(self, "transforms", Path(given["transforms"]).expanduser())
        if isinstance(given["image_size"], int):
            object.__setattr__(self, "image_size", (given["image_size"],) * 2)

    @property
    def caps(self) -> Budget:
        """The caps as one value."""
        return Budget(self.budget, self.max_macs, self.max_memory)


def _check_names(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not given:
        raise UserError(f"at least one {what} is needed: {', '.join(known)}")
    for name in given:
        if name not in known:
            raise UserError(f"unknown {what} {name!r}: give one of {', '.join(known)}")
