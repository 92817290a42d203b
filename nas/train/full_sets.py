"""The data of a training in full: in the split of the search, at their own size, with the search's recipe at full length."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nas.data import (
    DataFacts,
    DataSet,
    SizeChoice,
    check_data,
    check_names,
    fold_sets,
    item_names,
    native_size,
    train_size_for,
    views_that_fit,
)
from nas.errors import UserError
from nas.evaluate.domains import domain_names, domains_of, head_of
from nas.evaluate.recorded import open_recorded, recorded_set
from nas.evaluate.trained import TrainedSet
from nas.model_code import ModelCode
from nas.train.full_config import FullConfig
from nas.train.recipe import Recipe

SHOWN = 30_000
"""Views that a training in full shows, where --epochs does not say and `EPOCHS` allows it: twenty times a search's proxy."""

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
        domain: Name of the head that learns it; None for a network with one.
    """

    data: DataSet
    facts: DataFacts
    size: SizeChoice
    views: int
    recipe: Recipe
    folds: tuple[DataSet, ...] = ()
    domain: str | None = None

    def trained(self, fold: int = 0) -> TrainedSet:
        """What is recorded of a training on it.

        Args:
            fold: On which of its folds, where it has some.
        """
        data = self.folds[fold] if self.folds else self.data
        names = item_names(data, ("train", "val"))
        return TrainedSet(
            name=data.name,
            domain=self.domain,
            location=data.location,
            split=data.split_source,
            channels=data.channels,
            classes=data.classes,
            image_size=self.size.image_size,
            train_size=self.size.train_size,
            views=self.views,
            train=tuple(names["train"]),
            val=tuple(names["val"]),
        )

    def describe(self) -> str:
        """A paragraph for a person."""
        counts, recipe = self.facts.counts, self.recipe
        height, width = self.size.train_size
        images = f"{counts['train']} training, {counts['val']} validation images; {counts['test']} of the test split are not read"
        return "\n".join(
            [
                f"data: {self.data.name} ({self.data.layout}), {images}; split: {self.data.split_source}",
                *([f"head: that of {self.domain}"] if self.domain is not None else []),
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
    found = of_heads(code, opened, config)
    # Data that the search did not see are trained as the set was that the file is written for: nothing better is known of the network.
    sets = tuple(_full_set(config, data, domain, recorded_set(code, domain or data.name) or recorded_set(code)) for data, domain in found)
    return _together(config, sets) if code.joint else sets


def of_heads(code: ModelCode, sets: Sequence[DataSet], config: FullConfig) -> list[tuple[DataSet, str | None]]:
    """The data sets with the names of their heads, in the order of the heads; as given, and no names, for a network with one.

    Raises:
        UserError: The sets are not one for each head.
    """
    found = list(zip(sets, domains_of(code, sets, config.domain), strict=True))
    if not code.joint:
        return found
    names = domain_names(code)
    if len(found) < len(names):
        lacking = ", ".join(name for name in names if name not in {domain for _, domain in found})
        raise UserError(f"{code.spec} learns {', '.join(names)} together, and there are no data for {lacking}: give --data for each")
    return sorted(found, key=lambda pair: head_of(code, pair[1]))


def _full_set(config: FullConfig, data: DataSet, domain: str | None, recorded: Mapping[str, Any]) -> FullSet:
    facts = check_data(data)
    size = _size(config, facts)
    folds: tuple[DataSet, ...] = ()
    if config.folds is not None:
        folds = fold_sets(data, facts.foreground, config.folds)
    rounds = folds or (data,)
    recipe = _recipe(config, recorded.get("recipe", {}), _epochs(config, len(rounds[0].splits["train"])))
    views = views_that_fit(rounds, size, min(recipe.epochs, config.views or VIEWS), config.cache_size)
    return FullSet(data, facts, size, views, recipe, folds, domain)


def _together(config: FullConfig, sets: Sequence[FullSet]) -> tuple[FullSet, ...]:
    """One recipe, the first head's, for a network that sees every set in each epoch: as many views in all as separate networks would."""
    images = round(statistics.mean(len((one.folds or (one.data,))[0].splits["train"]) for one in sets))
    epochs = _epochs(config, images)
    recipe = replace(sets[0].recipe, epochs=epochs, validations=min(epochs, VALIDATIONS))
    return tuple(replace(one, recipe=recipe) for one in sets)


def _size(config: FullConfig, facts: DataFacts) -> SizeChoice:
    if config.image_size is not None:
        size, reason = config.image_size, f"{config.image_size[0]}x{config.image_size[1]}, as given by --image-size"
    else:
        size = native_size(facts)
        reason = f"{size[0]}x{size[1]}, the data's own"
    crop = config.crop or train_size_for(size)
    return SizeChoice(size, (min(crop[0], size[0]), min(crop[1], size[1])), reason)


def _epochs(config: FullConfig, images: int) -> int:
    return config.epochs or max(EPOCHS[0], min(EPOCHS[1], round(SHOWN / max(1, images))))


def _recipe(config: FullConfig, recorded: Mapping[str, Any], epochs: int) -> Recipe:
    known = {name: value for name, value in recorded.items() if name in Recipe.__dataclass_fields__}
    given = {name: getattr(config, name) for name in RECIPE if getattr(config, name) is not None}
    return Recipe.from_dict({**known, **given, "epochs": epochs, "parts": 1, "validations": min(epochs, VALIDATIONS)})
