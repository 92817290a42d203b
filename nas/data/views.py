"""One augmented view, drawn by a pipeline and held against what a bank needs.

A pipeline may be a person's own, so every view is looked at: its kind, its size, the values of its mask; and once, before a bank is begun,
that the same seed gives the same view.
"""

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.data.dataset import VOID, DataSet, Item
from nas.data.images import Bytes
from nas.data.recipe import ViewRecipe
from nas.data.resize import scale_to_fit
from nas.errors import UserError
from nas.python_file import where

if TYPE_CHECKING:
    from albumentations import Compose

PROBED = 8
"""Views of the first training image that are drawn twice before a bank is begun."""


@dataclass(frozen=True)
class ViewMaker:
    """Draws the views of one data set; one for each thread.

    Attributes:
        recipe: Where the pipeline comes from.
        transform: The pipeline.
        train_size: Height and width of a view.
        num_classes: Classes that a mask may hold, the background included.
    """

    recipe: ViewRecipe
    transform: "Compose"
    train_size: tuple[int, int]
    num_classes: int

    def draw(self, image: Bytes, mask: Bytes, seed: tuple[int, ...], name: str) -> tuple[Bytes, Bytes]:
        """One view: a function of its arguments alone, whatever was drawn before.

        Args:
            image: `H x W x C`, scaled to the size of use.
            mask: `H x W`, class index or `VOID`.
            seed: Names the view.
            name: Of the image, for messages.

        Returns:
            The view's image and mask, of `train_size`.

        Raises:
            UserError: The recipe fails on the image, or gives something that cannot be trained on.
        """
        try:
            # A step of somebody's own may write into what it gets; the built-in ones do not, and copies take a tenth of a view's time.
            given = (image, mask) if self.recipe.built_in else (image.copy(), mask.copy())
            view = draw_view(self.transform, *given, seed)
        except Exception as error:
            raise UserError(
                f"{self.recipe.path} fails{where(error, self.recipe.path)} on the image {name} ({image.shape[0]}x{image.shape[1]} at the "
                f"size of use, views are {_size(self.train_size)}) with {type(error).__name__}: {error}. Mend the file, or leave "
                "--transforms out"
            ) from error
        if not isinstance(view, dict) or not {"image", "mask"} <= set(view):
            raise self._wrong(name, "no image and mask", "both")
        if image.shape[2] == 1 and getattr(view["image"], "ndim", 0) == 2:
            view["image"] = view["image"][..., None]  # OpenCV, and so many a step, drops the axis of a single channel
        self._check(view["image"], "image", (*self.train_size, image.shape[2]), name)
        self._check(view["mask"], "mask", self.train_size, name)
        self._check_values(view["mask"], name)
        return view["image"], view["mask"]

    def _check(self, array: Any, what: str, shape: tuple[int, ...], name: str) -> None:
        if not isinstance(array, np.ndarray):
            raise self._wrong(name, f"the {what} as {type(array).__name__}", "a numpy array: leave ToTensorV2 out")
        if array.dtype != np.uint8:
            raise self._wrong(
                name, f"the {what} as {array.dtype}", "uint8, 0 to 255: leave Normalize and ToFloat out, training normalises by itself"
            )
        if array.shape != shape:
            advice = "end with a crop or a Resize to the train_size that training_transform is given"
            if array.shape[:2] == shape[:2]:
                advice = "as many channels as came in, of the image, and none of the mask"
            raise self._wrong(name, f"the {what} as {_size(array.shape)}", f"{_size(shape)}: {advice}")

    def _check_values(self, mask: Bytes, name: str) -> None:
        strange = np.flatnonzero(np.bincount(mask.ravel(), minlength=256)[self.num_classes : VOID]) + self.num_classes
        if len(strange):
            shown = ", ".join(map(str, strange[:8].tolist())) + (", ..." if len(strange) > 8 else "")
            raise self._wrong(
                name,
                f"a mask that holds {shown}",
                f"the classes 0 to {self.num_classes - 1} and {VOID} for void alone: an interpolated mask does that (take "
                "mask_interpolation=cv2.INTER_NEAREST_EXACT), or a fill_mask that is no class",
            )

    def _wrong(self, name: str, came: str, expected: str) -> UserError:
        return UserError(f"{self.recipe.path} gives {came} for the image {name}; expected {expected}")


def make_views(recipe: ViewRecipe, data: DataSet, train_size: tuple[int, int]) -> ViewMaker:
    """What draws the views of a data set, for one thread.

    Raises:
        UserError: The recipe makes no pipeline.
    """
    return ViewMaker(recipe, recipe.pipeline(train_size, data.channels), train_size, data.num_classes)


def draw_view(transform: "Compose", image: Bytes, mask: Bytes, seed: tuple[int, ...]) -> dict[str, Any]:
    """What a pipeline gives when it starts from a seed.

    Args:
        transform: What `training_transform` returned.
        image: `H x W x C`.
        mask: `H x W`, class index or `VOID`.
        seed: Names the view.
    """
    # set_random_seed would give every step the same stream, so that flips and colour shifts always came together.
    transform.set_random_state(np.random.default_rng(seed), random.Random(repr(seed)))
    view: dict[str, Any] = transform(image=image, mask=mask)
    return view


def check_recipe(recipe: ViewRecipe, data: DataSet, image_size: tuple[int, int], train_size: tuple[int, int]) -> None:
    """Draws a few views of the first training image twice, in two orders.

    Args:
        recipe: The recipe.
        data: A data set that `check_data` has passed.
        image_size: Height and width that images are fitted to before views are drawn.
        train_size: Height and width of a view.

    Raises:
        UserError: As for `ViewMaker.draw`; or a view is not a function of its seed, so that no run could be repeated.
    """
    item: Item = data.splits["train"][0]
    maker = make_views(recipe, data, train_size)
    image, mask = scale_to_fit(*data.read(item), image_size)
    place = str(item.image or item.name)
    first = [maker.draw(image, mask, (0, view), place) for view in range(PROBED)]
    for view in reversed(range(PROBED)):
        again = maker.draw(image, mask, (0, view), place)
        if not all(np.array_equal(one, other) for one, other in zip(first[view], again, strict=True)):
            raise UserError(
                f"{recipe.path} draws two different views from one seed, so a search could not be repeated: a transform of your own must "
                "draw from self.random_generator or self.py_random, not from numpy.random or random, and keep nothing between calls"
            )


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
