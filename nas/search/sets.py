"""The data sets of a search: what was found in each, and how a candidate is trained on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas.data import (
    DataFacts,
    DataSet,
    SizeChoice,
    check_data,
    check_names,
    fold_sets,
    open_data,
    recommend_size,
    train_size_for,
    views_that_fit,
)
from nas.errors import UserError
from nas.search.config import SearchConfig
from nas.search.study import FINGERPRINT
from nas.train import Recipe, shown

SHOWN_VIEWS = 1_500
"""Views that a candidate's proxy training shows, where --epochs does not say: about 190 steps of 8."""

MAX_EPOCHS = 100

LEAST_EPOCHS, EPOCHS_IN_PARTS = 4, 9
"""Of fewer passes there are no three rungs that end with different epochs; then a pass is cut into parts, so that there are nine epochs."""

MAX_BANK_VIEWS = 10
"""Different views of each image; more epochs go round again."""

SMALL_SET = 100
"""Images of training and validation from which folds cost more than they tell."""


@dataclass(frozen=True)
class SetPlan:
    """One data set of a search.

    Attributes:
        data: The data set.
        facts: What its check found.
        size: Image size and size of training views, and why.
        views: Views of each training image in the bank.
        recipe: Of a candidate's proxy training on it.
        folds: The set once a fold, each with other images of training and validation; none where a candidate is trained once.
    """

    data: DataSet
    facts: DataFacts
    size: SizeChoice
    views: int
    recipe: Recipe
    folds: tuple[DataSet, ...] = ()

    @property
    def rounds(self) -> tuple[DataSet, ...]:
        """What a candidate is trained on, one after the other: each fold, or the set as it is split."""
        return self.folds or (self.data,)

    def settings(self) -> dict[str, Any]:
        """What must not change within a study."""
        return {
            "data": self.data.name,
            FINGERPRINT: self.data.fingerprint(),
            "image_size": list(self.size.image_size),
            "train_size": list(self.size.train_size),
            "views": self.views,
            **self.recipe.as_dict(),
        }

    def document(self) -> dict[str, Any]:
        """What the training of an exported model needs to know of the data."""
        return {
            "name": self.data.name,
            "location": self.data.location,
            "layout": self.data.layout,
            "classes": list(self.data.classes),
            "in_channels": self.data.channels,
            "image_size": list(self.size.image_size),
            "image_size_reason": self.size.reason,
            "train_size": list(self.size.train_size),
            "images": dict(self.facts.counts),
            "split": self.data.split_source,
            "folds": len(self.folds) or None,
            "native_size": list(self.facts.median_size),
            "pixel_shares": list(self.facts.pixel_shares),
        }

    def describe(self) -> str:
        """One paragraph for a person."""
        counts, height, width = self.facts.counts, *self.size.train_size
        unread = "the test split is not read" + ("" if self.data.own_test else "; its masks were counted once, to deal the split")
        return "\n".join(
            [
                f"data: {self.data.name} ({self.data.layout}), {counts['train']} training, {counts['val']} validation, "
                f"{counts['test']} test images ({unread}); split: {self.data.split_source}",
                *self._describe_folds(),
                f"classes: {', '.join(self.data.classes)}",
                *([f"channels: {self.data.channels} of each image"] if self.data.channels != 3 else []),
                f"image size: {self.size.reason}; training views of {height}x{width}, {self.views} of each image{self._fewer()}",
                f"training: {self.recipe.epochs} epochs{self._describe_parts()} in batches of {self.recipe.batch_size}",
            ]
        )

    def _describe_folds(self) -> list[str]:
        if not self.folds:
            return []
        count, sizes = len(self.folds), sorted({len(fold.splits["train"]) for fold in self.folds})
        images = len(self.facts.foreground)
        line = (
            f"folds: every network is trained {count} times, on {' or '.join(map(str, sizes))} of the {images} training and validation "
            f"images, and judged by one confusion matrix in which each of the {images} counts once"
        )
        if images <= SMALL_SET:
            return [line]
        return [
            line,
            f"warning: --folds is meant for sets of fewer than about {SMALL_SET} images: on {images} it costs {count} trainings a network "
            "and says little more than one does",
        ]

    def _describe_parts(self) -> str:
        parts, images = self.recipe.parts, len(self.rounds[0].splits["train"])
        return f" of {shown(images, parts)} images, other ones each (--epochs N makes N passes over all)" if parts > 1 else ""

    def _fewer(self) -> str:
        wanted = views_wanted(self.recipe)
        return f" instead of {wanted}: --cache-size has no room for more" if self.views < wanted else ""


def make_sets(config: SearchConfig) -> tuple[SetPlan, ...]:
    """Opens and checks all data sets; reads each once, and a set whose split must be dealt by its masks once more of these.

    Raises:
        UserError: The data are faulty, two sets have the same name, or one has fewer images than folds are wanted.
    """
    found = [open_data(spec, layout=config.layout, channels=config.channels) for spec in config.data]
    check_names(found)
    facts = [check_data(data) for data in found]
    folds = [_folds(config, *parts) for parts in zip(found, facts, strict=True)]
    images = [len((own or (data,))[0].splits["train"]) for data, own in zip(found, folds, strict=True)]
    # A joint network sees every set in each epoch, and as many views in all as separate networks would.
    shown = [round(sum(images) / len(images))] * len(images) if config.joint else images
    return tuple(_set(config, *parts) for parts in zip(found, facts, folds, shown, strict=True))


def _folds(config: SearchConfig, data: DataSet, facts: DataFacts) -> tuple[DataSet, ...]:
    if config.folds is None:
        return ()
    images = len(facts.foreground)
    if images < config.folds:
        raise UserError(
            f"--folds {config.folds} needs at least as many images in train and val, {data.name} has {images}: "
            f"give --folds {images} or fewer, or leave it out"
        )
    return fold_sets(data, facts.foreground, config.folds)


def _set(config: SearchConfig, data: DataSet, facts: DataFacts, folds: tuple[DataSet, ...], images: int) -> SetPlan:
    size = _size(config, facts)
    recipe = _recipe(config, images)
    views = views_that_fit(folds or (data,), size, views_wanted(recipe), config.cache_size)
    return SetPlan(data, facts, size, views, recipe, folds)


def _size(config: SearchConfig, facts: DataFacts) -> SizeChoice:
    if config.image_size is None:
        return recommend_size(facts)
    return SizeChoice(config.image_size, train_size_for(config.image_size), "as given by --image-size")


def views_wanted(recipe: Recipe) -> int:
    """Views of each image that a training shows, and no more than a bank holds."""
    return min(-(-recipe.epochs // recipe.parts), MAX_BANK_VIEWS)


def _recipe(config: SearchConfig, images: int) -> Recipe:
    epochs, parts = config.epochs or min(MAX_EPOCHS, round(SHOWN_VIEWS / images)), 1
    if config.epochs is None and epochs < LEAST_EPOCHS:
        parts = round(EPOCHS_IN_PARTS * images / SHOWN_VIEWS)
        epochs = round(SHOWN_VIEWS / shown(images, parts))
    given = {"batch_size": config.batch_size, "learning_rate": config.learning_rate}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return Recipe(epochs=epochs, parts=parts, seed=config.seed, **chosen)


def largest_shape(sets: Sequence[SetPlan]) -> tuple[int, int, int]:
    """Channels, height and width that costs refer to: those of the set with the largest images of use."""
    height, width = max((plan.size.image_size for plan in sets), key=lambda size: size[0] * size[1])
    return sets[0].data.channels, height, width


def least_sides(sets: Sequence[SetPlan]) -> tuple[int, int]:
    """The least height and the least width of the sets' images of use: what a network must be able to halve."""
    heights, widths = zip(*(plan.size.image_size for plan in sets), strict=True)
    return min(heights), min(widths)
