"""Writes trained trials of a study as model files, each with its training arguments and requirements."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from optuna.trial import FrozenTrial, TrialState

from nas.blocks import AnyOperator
from nas.drawing import drawing
from nas.errors import UserError
from nas.export.card import CARD, DRAWING, length, model_card
from nas.export.check import checked_source
from nas.export.copies import REQUIREMENTS
from nas.export.model_file import ModelFacts
from nas.export.weights import LOADING, REQUIREMENT, finalist_weights, main_set, remove_weights_of_another
from nas.export.weights import NAME as WEIGHTS
from nas.files import write_json, write_text
from nas.genome import genome_from_json
from nas.model_code import ARGUMENTS
from nas.search import StoredStudy, StudyFolder, front_trials, opened_study, stored_genome
from nas.search.display.note import measured_on
from nas.search.finals.values import fresh, with_spread
from nas.space import SpaceFile, load_space
from nas.train import MEAN, STD, Recipe
from nas.weights import save_weights


def export_trials(study: str, storage: str, which: str, out: Path, folder: StudyFolder | None = None) -> list[Path]:
    """Writes `model.py`, `training_args.json` and `requirements.txt` of one trial, or of each trial of the front.

    Args:
        study: Name of the study.
        storage: URL of its storage.
        which: "best", "front", or the number of a trial.
        out: Folder for the files; with "front" each trial gets a folder `trial_<number>` in it.
        folder: Of the study, with the finalists' weights. None for beside an SQLite file, or else where the last search kept it.

    Returns:
        The model files.

    Raises:
        UserError: No such study or trial, or the trial was not trained.
    """
    with opened_study(study, storage, folder) as stored:
        chosen = choose_trials(stored, which)
        folders = [out / f"trial_{trial.number}" for trial in chosen] if which == "front" else [out]
        vocabulary = study_vocabulary(stored)
        return [_export(stored, trial, folder, vocabulary) for trial, folder in zip(chosen, folders, strict=True)]


def choose_trials(stored: StoredStudy, which: str) -> list[FrozenTrial]:
    """The trials that "best", "front" or a number means.

    Raises:
        UserError: There is none, or it was not trained.
    """
    trials = stored.trials()
    front = front_trials(trials, stored.objectives, stored.finals())
    if which in ("best", "front"):
        if not front:
            raise UserError(f"the study {stored.name} has no trained network yet: search first")
        return front if which == "front" else front[:1]
    if not which.isdecimal():
        raise UserError(f"--trial takes best, front or a trial's number, {which!r} was given")
    found = {trial.number: trial for trial in trials}.get(int(which))
    if found is None:
        raise UserError(f"the study {stored.name} has no trial {which}; its numbers go from 0 to {len(trials) - 1}")
    if found.state not in (TrialState.COMPLETE, TrialState.PRUNED):
        raise UserError(
            f"trial {which} of {stored.name} is {found.state.name}, not trained: the front is {[trial.number for trial in front]}"
        )
    if stored_genome(found.user_attrs) is None:
        raise UserError(f"trial {which} of {stored.name} has no genome: this program did not train it")
    return [found]


def study_vocabulary(stored: StoredStudy) -> Mapping[str, type[AnyOperator]]:
    """The operators of the study's space: from its file, or from the study's copy where that has changed or gone."""
    document = stored.document
    original = document["facts"]["space_file"]
    file = SpaceFile(original, Path(original), document["settings"]["space_sha256"], copy=stored.folder.space)
    return load_space(file).vocabulary


def _export(stored: StoredStudy, trial: FrozenTrial, folder: Path, vocabulary: Mapping[str, type[AnyOperator]]) -> Path:
    genome = genome_from_json(trial.user_attrs["genome"], vocabulary)
    sets = stored.document["facts"]["sets"]
    if not stored.document["settings"]["joint"]:
        # One file for all sets, since they share the architecture: it is written for the one with the most classes.
        sets = [sets[main_set(sets)]]
    height, width = stored.document["facts"]["image_size"]
    heads = tuple((one["name"], tuple(one["classes"])) for one in sets)
    weights = finalist_weights(stored, genome.key)
    facts = ModelFacts(sets[0]["in_channels"], (height, width), heads, (*_provenance(stored, trial), *_loading(weights)))
    path = folder / "model.py"
    remove_weights_of_another(folder, genome.key)
    write_text(path, checked_source(genome, facts))
    arguments = training_arguments(stored, trial)
    write_json(folder / ARGUMENTS, arguments)
    write_text(folder / DRAWING, drawing(genome, facts.in_shape, facts.num_classes))
    write_text(folder / CARD, model_card(genome, facts, arguments, list(weights)))
    for name, tensors in weights.items():
        save_weights(folder / name, tensors)
    write_text(folder / REQUIREMENTS, f"torch>={_least_torch()}\n" + (f"{REQUIREMENT}\n" if weights else ""))
    return path


def _loading(weights: Mapping[str, Any]) -> list[str]:
    """How to load the weights, and what the others are."""
    if not weights:
        return []
    others = ", ".join(name for name in weights if name != WEIGHTS)
    lines = [f"Trained weights (import safetensors.torch): {LOADING.format(name=WEIGHTS)}"]
    return [*lines, *([f"Weights for the other data sets, each with its number of classes in build_model: {others}"] if others else [])]


def _provenance(stored: StoredStudy, trial: FrozenTrial) -> tuple[str, ...]:
    settings = stored.document["settings"]
    # Studies of before there were folds have no such setting.
    folds = settings.get("folds")
    pooled = f", over {measured_on(folds)}" if folds else ""
    ended = trial.datetime_complete
    return (
        f"Found by architecture search: study {stored.name}, trial {trial.number}, {ended:%Y-%m-%d}." if ended else "",
        *(
            f"Validation IoU {iou:.4f} on {name} (mean over foreground classes{pooled}, "
            f"image size {own['image_size'][0]}x{own['image_size'][1]}) after a proxy training of {length(own)} "
            f"with seed {own['seed']}."
            for name, own in settings["sets"].items()
            if (iou := trial.user_attrs.get("iou_per_set", {}).get(name)) is not None
        ),
        *_final_words(stored, trial),
        *(["Its proxy training was stopped early."] if "iou_per_set" not in trial.user_attrs else []),
    )


def _final_words(stored: StoredStudy, trial: FrozenTrial) -> list[str]:
    final = stored.finals().get(trial.user_attrs["key"])
    if final is None:
        return []
    measured = with_spread(final.mean("iou"), final.spread("iou"))
    return [f"Trained again with {fresh(len(final.entries))}: mean validation IoU {measured}."]


def training_arguments(stored: StoredStudy, trial: FrozenTrial) -> dict[str, Any]:
    """What training the file in full needs: for each set the search's recipe and the data's facts; how images become numbers."""
    document = stored.document
    own = document["settings"]["sets"]
    recipes = {set_name: {name: own[set_name][name] for name in Recipe.__dataclass_fields__} for set_name in own}
    found, split = trial.user_attrs.get("iou_per_set", {}), recorded_split(stored.folder)
    final = stored.finals().get(trial.user_attrs["key"])
    transforms = document["facts"].get("transforms")
    return {
        "study": stored.name,
        "joint": document["settings"]["joint"],
        "trial": trial.number,
        "key": trial.user_attrs["key"],
        "validation_iou": trial.user_attrs.get("iou"),
        "final": list(final.entries) if final else [],
        "measured_on": measured_on(document["settings"].get("folds")),
        "loss": "cross-entropy with the recipe's class weights plus soft Dice over the foreground classes; mask value 255 is left out",
        "optimiser": "AdamW, linear warm-up, cosine to 0; evaluated with the moving average of the weights",
        "normalise": {
            "scale": 1 / 255,
            "mean": MEAN,
            "std": STD,
            "formula": f"(pixel * scale - mean) / std, {_channels(document)}, every channel alike",
        },
        "transforms": transforms and {**transforms, "copy": str(stored.folder.transforms.resolve())},
        "sets": [
            {
                **facts,
                "validation_iou": found.get(facts["name"]),
                "recipe": recipes[facts["name"]],
                "items": split.get(facts["name"], {}),
            }
            for facts in document["facts"]["sets"]
        ],
    }


def recorded_split(folder: StudyFolder) -> dict[str, dict[str, list[str]]]:
    """Names of the images of each split, by set, from the study's folder; empty where that is gone.

    They are not in the storage: a set of 10,000 images has more names than a row of some databases holds.
    """
    path = folder.config
    if not path.is_file():
        return {}
    split: dict[str, dict[str, list[str]]] = json.loads(path.read_text(encoding="utf-8")).get("split", {})
    return split


def _channels(document: Mapping[str, Any]) -> str:
    """What the channels of an image are, in words."""
    count = document["facts"]["sets"][0]["in_channels"]
    return {1: "grey", 3: "RGB"}.get(count, f"{count} channels in the order of the files")


def _least_torch() -> str:
    """What a model file was checked with, without the build's suffix; the blocks use nothing that torch 2.6 lacks."""
    release = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    return "2.6" if release >= (2, 6) else ".".join(map(str, release))
