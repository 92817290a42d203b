"""Drawing a bank's arrays: what is wanted (`Order`), and the easel at which its images are drawn into the files, a few at a time.

Every view is seeded by (seed, view, image), so the bytes depend on the order alone and not on who draws what when; `crew.py` has it done
by several.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from nas.data.dataset import DataSet, Item
from nas.data.images import Bytes
from nas.data.recipe import BUILT_IN, ViewRecipe
from nas.data.resize import fit_image, scale_to_fit
from nas.data.views import ViewMaker, make_views

BANK_VERSION = 1
"""Raise it whenever a bank's files or their making change."""

Counts = NDArray[np.int64]

Job = tuple[str, int]
"""Split and index of one image that is to be drawn."""


@dataclass(frozen=True)
class Order:
    """What a bank is drawn from; equal orders give equal bytes.

    Attributes:
        data: The data set.
        image_size: Height and width of validation images.
        train_size: Height and width of training views.
        views: Views per training image.
        seed: Seed of the augmentation.
        recipe: How views are drawn.
    """

    data: DataSet
    image_size: tuple[int, int]
    train_size: tuple[int, int]
    views: int
    seed: int
    recipe: ViewRecipe = BUILT_IN

    @property
    def address(self) -> str:
        """16 hexadecimal digits: a hash of all that the bytes depend on."""
        parts = [BANK_VERSION, self.recipe.sha256, self.data.fingerprint(), self.image_size, self.train_size, self.views, self.seed]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array by its name; the arrays hold uint8."""
        train, val = len(self.data.splits["train"]), len(self.data.splits["val"])
        return {
            "train_images": (self.views, train, *self.train_size, self.data.channels),
            "train_masks": (self.views, train, *self.train_size),
            "val_images": (val, *self.image_size, self.data.channels),
            "val_masks": (val, *self.image_size),
        }

    @property
    def jobs(self) -> list[Job]:
        """All images that are to be drawn."""
        return [(split, index) for split in ("train", "val") for index in range(len(self.data.splits[split]))]


class Easel:
    """Draws images of an order into the arrays of a folder; one for each thread, since a pipeline must not be shared.

    Args:
        order: What is wanted.
        folder: Where the arrays lie, which are there already, in their shapes.
    """

    def __init__(self, order: Order, folder: Path) -> None:
        self._order = order
        self._arrays = {name: cast(Bytes, np.load(folder / f"{name}.npy", mmap_mode="r+")) for name in order.shapes}
        self._maker: ViewMaker | None = None

    def draw(self, jobs: Sequence[Job]) -> Counts:
        """Draws images.

        Args:
            jobs: Which.

        Returns:
            How often each mask value occurs in the training views drawn, 256 numbers.

        Raises:
            UserError: A file cannot be read, or the recipe gives what cannot be trained on.
        """
        counts = np.zeros(256, dtype=np.int64)
        for split, index in jobs:
            item = self._order.data.splits[split][index]
            if split == "val":
                self._fit(item, index)
            else:
                counts += self._draw_views(item, index)
        return counts

    def _fit(self, item: Item, index: int) -> None:
        pair = fit_image(*self._order.data.read(item), self._order.image_size)
        self._arrays["val_images"][index], self._arrays["val_masks"][index] = pair

    def _draw_views(self, item: Item, index: int) -> Counts:
        """Draws all views of one training image into their places; returns how often each mask value occurs."""
        order, images, masks = self._order, self._arrays["train_images"], self._arrays["train_masks"]
        if self._maker is None:
            self._maker = make_views(order.recipe, order.data, order.train_size)
        image, mask = scale_to_fit(*order.data.read(item), order.image_size)
        place = str(item.image or item.name)
        for view in range(order.views):
            images[view, index], masks[view, index] = self._maker.draw(image, mask, (order.seed, view, index), place)
        return np.bincount(masks[:, index].ravel(), minlength=256)
