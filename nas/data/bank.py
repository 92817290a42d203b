"""The bank: every training view of a study drawn once, and the validation images, as memory-mapped arrays.

Candidates of a search then differ by architecture alone and not by luck of the augmentation, and their training moves no files. A
bank lies in a cache folder of its own, never in the user's data, under a name that is a hash of everything it depends on.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nas.data.crew import draw_arrays
from nas.data.dataset import VOID, DataSet
from nas.data.drawing import BANK_VERSION, Counts, Order
from nas.data.images import Bytes
from nas.data.recipe import BUILT_IN, ViewRecipe
from nas.errors import UserError
from nas.machine import available_cores

ARRAYS = ("train_images", "train_masks", "val_images", "val_masks")
META = "meta.json"

STALE = 86_400
"""Seconds after which the draft of a killed run is removed."""


@dataclass(frozen=True, eq=False)
class Bank:
    """Training views and validation images of one data set, ready to train on.

    Attributes:
        path: The bank's folder.
        name: The data set's name.
        classes: Names of the classes by index, background first.
        image_size: Height and width of the validation images.
        train_size: Height and width of the training views.
        train_images: `views x N x h x w x C`-dim, uint8, RGB where C is 3, read-only and mapped from disk, as all four arrays are.
        train_masks: `views x N x h x w`-dim, class index or `VOID`.
        val_images: `M x H x W x C`-dim.
        val_masks: `M x H x W`-dim; what was padded is `VOID`.
        val_names: Names of the validation items.
        pixel_shares: Share of each class among the training pixels that are not void.
    """

    path: Path
    name: str
    classes: tuple[str, ...]
    image_size: tuple[int, int]
    train_size: tuple[int, int]
    train_images: Bytes
    train_masks: Bytes
    val_images: Bytes
    val_masks: Bytes
    val_names: tuple[str, ...]
    pixel_shares: tuple[float, ...]

    @property
    def num_classes(self) -> int:
        """Number of classes, the background included."""
        return len(self.classes)

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return int(self.train_images.shape[-1])


def build_bank(
    data: DataSet,
    image_size: tuple[int, int],
    train_size: tuple[int, int],
    views: int,
    seed: int,
    cache: Path,
    progress: Callable[[float], None] | None = None,
    threads: int | None = None,
    recipe: ViewRecipe = BUILT_IN,
) -> Bank:
    """Draws a bank, or finds the one drawn before.

    Args:
        data: A data set that `check_data` has passed.
        image_size: Height and width of validation images; training images are scaled to fit it before they are cropped.
        train_size: Height and width of training views.
        views: Augmented views per training image.
        seed: Seed of the augmentation.
        cache: Folder that holds banks; made where it is missing.
        progress: Told the share done, 0..1, now and then; not called where the bank is there already.
        threads: How many draw at a time, as many as cores without it; in processes where there is much to draw. The bytes do not depend
            on it.
        recipe: How views are drawn.

    Returns:
        The bank, mapped read-only.

    Raises:
        UserError: If the arguments make no bank, a file cannot be read, or the recipe gives what cannot be trained on.
        OSError: If the disk is full; nothing half-made stays.
    """
    if views < 1:
        raise UserError(f"a bank needs at least one view of each training image; got {views}")
    order = Order(data, image_size, train_size, views, seed, recipe)
    final = cache / f"{data.name}-{order.address}"
    if not (final / META).is_file():
        cache.mkdir(parents=True, exist_ok=True)
        _sweep(cache)
        draft = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=cache))
        try:
            pixels = draw_arrays(order, draft, progress or (lambda share: None), threads or available_cores())
            _write_meta(order, draft, pixels)
            _settle(draft, final)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return open_bank(final)


def open_bank(path: Path) -> Bank:
    """Maps a bank that was built before; quick, and the way for every process but the builder.

    Args:
        path: The bank's folder (`Bank.path`).

    Returns:
        The bank, mapped read-only.

    Raises:
        UserError: If there is no whole bank of this version.
    """
    try:
        meta = json.loads((path / META).read_text(encoding="utf-8"))
        arrays = {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no bank of images ({error}): remove it and run again, so that it is drawn anew") from error
    return Bank(
        path=path,
        name=meta["name"],
        classes=tuple(meta["classes"]),
        image_size=(meta["image_size"][0], meta["image_size"][1]),
        train_size=(meta["train_size"][0], meta["train_size"][1]),
        val_names=tuple(meta["val_names"]),
        pixel_shares=tuple(meta["pixel_shares"]),
        **arrays,
    )


def bank_bytes(data: DataSet, image_size: tuple[int, int], train_size: tuple[int, int], views: int) -> int:
    """Bytes that the arrays of such a bank take on disk (and in memory, where they are held there)."""
    return sum(int(np.prod(shape, dtype=np.int64)) for shape in Order(data, image_size, train_size, views, 0).shapes.values())


def _write_meta(order: Order, folder: Path, pixels: Counts) -> None:
    data = order.data
    labelled = max(1, int(pixels[:VOID].sum()))
    meta = {
        "version": BANK_VERSION,
        "name": data.name,
        "classes": data.classes,
        "image_size": order.image_size,
        "train_size": order.train_size,
        "views": order.views,
        "seed": order.seed,
        "val_names": [item.name for item in data.splits["val"]],
        "pixel_shares": (pixels[: data.num_classes] / labelled).tolist(),
        "fingerprint": data.fingerprint(),
        "split_source": data.split_source,
        "transforms": order.recipe.document(),
    }
    (folder / META).write_text(json.dumps(meta, indent=1), encoding="utf-8")


def _settle(draft: Path, final: Path) -> None:
    """Gives a whole bank its name; where another process was first, its bank stands."""
    draft.chmod(0o755)  # mkdtemp makes folders for their owner alone
    try:
        draft.rename(final)
    except OSError:
        if (final / META).is_file():
            return
        shutil.rmtree(final)  # what somebody broke: a bank without its meta file
        draft.rename(final)


def _sweep(cache: Path) -> None:
    """Removes what killed runs left: drafts that nobody has touched for a day."""
    for draft in cache.glob(".*-*-*"):
        if (draft / f"{ARRAYS[0]}.npy").is_file() and time.time() - draft.stat().st_mtime > STALE:
            shutil.rmtree(draft, ignore_errors=True)
