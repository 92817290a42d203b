"""Drawing a bank's arrays: what is wanted (`Order`), and the threads that fill the files.

Every view is seeded by (seed, view, image), so the bytes depend on the order alone and not on who draws what when.
"""

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from nas.data.dataset import DataSet, Item
from nas.data.images import Bytes
from nas.data.recipe import BUILT_IN, ViewRecipe
from nas.data.resize import fit_image, scale_to_fit
from nas.data.views import ViewMaker, check_recipe, make_views

BANK_VERSION = 1
"""Raise it whenever a bank's files or their making change."""

Counts = NDArray[np.int64]


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


def draw_arrays(order: Order, folder: Path, progress: Callable[[float], None], threads: int) -> Counts:
    """Writes the arrays of a bank.

    Args:
        order: What is wanted.
        folder: Where the files go; it exists.
        progress: Told the share done, 0..1, after each image.
        threads: Threads that draw; the bytes do not depend on it.

    Returns:
        How often each mask value occurs in the training views, 256 numbers.

    Raises:
        UserError: A file cannot be read, or the recipe gives what cannot be trained on.
    """
    if not order.recipe.built_in:
        check_recipe(order.recipe, order.data, order.image_size, order.train_size)
    arrays = {name: open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape) for name, shape in order.shapes.items()}
    for name, array in arrays.items():
        _reserve(folder / f"{name}.npy", array.offset + array.nbytes)
    train, val = order.data.splits["train"], order.data.splits["val"]
    jobs = [("train", index) for index in range(len(train))] + [("val", index) for index in range(len(val))]
    pixels, own = np.zeros(256, dtype=np.int64), local()

    def work(job: tuple[str, int]) -> Counts:
        split, index = job
        if split == "val":
            arrays["val_images"][index], arrays["val_masks"][index] = fit_image(*order.data.read(val[index]), order.image_size)
            return np.zeros(256, dtype=np.int64)
        if not hasattr(own, "maker"):
            own.maker = make_views(order.recipe, order.data, order.train_size)
        return _draw_views(order, train[index], index, own.maker, arrays["train_images"], arrays["train_masks"])

    with ThreadPoolExecutor(threads) as pool:
        try:
            for done, counts in enumerate(pool.map(work, jobs), start=1):
                pixels += counts
                progress(done / len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for array in arrays.values():
        array.flush()
    return pixels


def _draw_views(order: Order, item: Item, index: int, maker: ViewMaker, images: Bytes, masks: Bytes) -> Counts:
    """Draws all views of one training image into their places; returns how often each mask value occurs."""
    image, mask = scale_to_fit(*order.data.read(item), order.image_size)
    place = str(item.image or item.name)
    for view in range(order.views):
        images[view, index], masks[view, index] = maker.draw(image, mask, (order.seed, view, index), place)
    return np.bincount(masks[:, index].ravel(), minlength=256)


def _reserve(file: Path, size: int) -> None:
    """Claims a file's place on the disk: writing to a mapped file on a full disk would kill the process without a word."""
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as handle:
            os.posix_fallocate(handle.fileno(), 0, size)
