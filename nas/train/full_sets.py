"""The data of a training in full: in the split of the search, at their own size, with the search's recipe at full length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nas.data import (
    DataFacts,
    DataSet,
    SizeChoice,
    check_data,
    check_names,
    fold_sets,
    native_size,
    train_size_for,
    views_that_fit,
)
from nas.errors import UserError
from nas.evaluate.recorded import open_recorded, recorded_set
from nas.model_code import ModelCode
from nas.train.full_config import FullConfig
from nas.train.recipe import Recipe

SHOWN = 30_000
"""Views that a training in full shows, where --epochs does not say: twenty times a search's proxy."""

EPOCHS = (30, 400)
"""Least and most epochs that this makes."""

VIEWS = 20
"""Different views of each image; more epochs go round again."""

VALIDATIONS = 100
"""Most validations of a training."""

RECIPE = ("batch_size", "learning_rate", "weight_decay", "ema_decay", "loss", "dice_weight", "class_weights", "seed")
"""Fields of a recipe that flags give."""


@dataclass(frozen=True)
class FullSet:
    """One data set of a training in full.

    Attributes:
        data: In the split of the record, where there is one.
        facts: What its check found.
        size: Of use, and of training views.
        views: Of each training image.
        recipe: How.
        folds: The set once a fold; empty without.
    """

    data: DataSet
    facts: DataFacts
    size: SizeChoice
    views: int
    recipe: Recipe
    folds: tuple[DataSet, ...] = ()

    def describe(self) -> str:
        """A paragraph for a person."""
        counts, recipe = self.facts.counts, self.recipe
        height, width = self.size.train_size
        images = f"{counts['train']} training, {counts['val']} validation images; {counts['test']} of the test split are not read"
        return "\n".join(
            [
                f"data: {self.data.name} ({self.data.layout}), {images}; split: {self.data.split_source}",
                *([f"folds: {len(self.folds)} of train and val"] if self.folds else []),
                f"classes: {', '.join(self.data.classes)}",
                f"image size: {self.size.reason}; training views of {height}x{width}, {self.views} of each image",
                f"training: {recipe.epochs} epochs in batches of {recipe.batch_size}, {recipe.loss}, peak learning rate "
                f"{recipe.learning_rate:g}, class weights {recipe.class_weights}",
            ]
        )


def make_full_sets(config: FullConfig, code: ModelCode) -> tuple[FullSet, ...]:
    """Opens and checks the data of a training in full.

    Raises:
        UserError: There are none, they are faulty, or they do not go with the network.
    """
    specs = config.data or tuple(str(one["location"]) for one in code.arguments.get("sets", ()) if "location" in one)
    if not specs:
        raise UserError(f"{config.model} has no training_args.json beside it that names its data: give --data")
    opened = [open_recorded(spec, code, config.layout, config.channels, config.new_split) for spec in specs]
    check_names(opened)
    check_joint(code, opened)
    return tuple(_full_set(config, data, recorded_set(code, data.name)) for data in opened)


def check_joint(code: ModelCode, sets: Sequence[DataSet]) -> None:
    """Holds a network with several heads against the data sets that are to train or measure it.

    Raises:
        UserError: They are not its sets, in number or classes.
    """
    if not code.joint:
        return
    counts, names = code.constants["NUM_CLASSES"], code.constants.get("DOMAINS", ())
    if len(counts) != len(sets):
        raise UserError(
            f"{code.spec} has a head for each of {len(counts)} data sets ({', '.join(names)}), {len(sets)} were given: give --data for "
            "each, in this order"
        )
    for name, count, data in zip(names, counts, sets, strict=True):
        if count != data.num_classes:
            raise UserError(f"{code.spec} has {count} classes for {name}, {data.name} has {data.num_classes}: give the sets in its order")


def _full_set(config: FullConfig, data: DataSet, recorded: Mapping[str, Any]) -> FullSet:
    facts = check_data(data)
    size = _size(config, facts)
    folds: tuple[DataSet, ...] = ()
    if config.folds is not None:
        folds = fold_sets(data, facts.foreground, config.folds)
    rounds = folds or (data,)
    recipe = _recipe(config, recorded.get("recipe", {}), len(rounds[0].splits["train"]))
    views = views_that_fit(rounds, size, min(recipe.epochs, config.views or VIEWS), config.cache_size)
    return FullSet(data, facts, size, views, recipe, folds)


def _size(config: FullConfig, facts: DataFacts) -> SizeChoice:
    if config.image_size is not None:
        size, reason = config.image_size, f"{config.image_size[0]}x{config.image_size[1]}, as given by --image-size"
    else:
        size = native_size(facts)
        reason = f"{size[0]}x{size[1]}, the data's own"
    crop = config.crop or train_size_for(size)
    return SizeChoice(size, (min(crop[0], size[0]), min(crop[1], size[1])), reason)


def _recipe(config: FullConfig, recorded: Mapping[str, Any], images: int) -> Recipe:
    known = {name: value for name, value in recorded.items() if name in Recipe.__dataclass_fields__}
    given = {name: getattr(config, name) for name in RECIPE if getattr(config, name) is not None}
    epochs = config.epochs or max(EPOCHS[0], min(EPOCHS[1], round(SHOWN / max(1, images))))
    return Recipe.from_dict({**known, **given, "epochs": epochs, "validations": min(epochs, VALIDATIONS)})
