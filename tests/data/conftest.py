"""Tiny data sets on disk, written by the tests in the layouts that people have."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def _one_opencv_thread() -> None:
    cv2.setNumThreads(1)


@pytest.fixture
def real() -> Callable[[str], Path]:
    """The folder of a real data set, where there is one beside the checkout."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.is_dir():
            pytest.skip(f"no real data in {path}")
        return path

    return find


def picture(seed: int, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    """An image `H x W x 3` that is not like another of a different seed."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def spot(size: tuple[int, int] = (24, 32), value: int = 1) -> np.ndarray:
    """A mask with a block of `value` on background."""
    mask = np.zeros(size, dtype=np.uint8)
    mask[4:12, 6:20] = value
    return mask


def save(path: Path, array: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def flat(root: Path, count: int = 10, value: int = 1, size: tuple[int, int] = (24, 32)) -> Path:
    """`images/` and `masks/` alone."""
    for index in range(count):
        save(root / "images" / f"{index:03d}.png", picture(index, size))
        save(root / "masks" / f"{index:03d}.png", spot(size, value))
    return root


def foldered(root: Path, counts: dict[str, int] | None = None, value: int = 1) -> Path:
    """`train/`, `val/` and `test/` with images and masks in each."""
    for split, count in (counts or {"train": 3, "val": 2, "test": 1}).items():
        flat(root / split, count, value)
    return root
