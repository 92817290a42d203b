"""A small bank that needs no files."""

from types import SimpleNamespace

import numpy as np
import pytest

VOID = 255


@pytest.fixture
def bank() -> SimpleNamespace:
    """Five validation images of 12 x 10 pixels, three classes, a quarter of the pixels void."""
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 3, (5, 12, 10), dtype=np.uint8)
    masks[rng.random(masks.shape) < 0.25] = VOID
    return SimpleNamespace(
        name="small",
        classes=("background", "leaf", "stem"),
        num_classes=3,
        val_images=rng.integers(0, 256, (5, 12, 10, 3), dtype=np.uint8),
        val_masks=masks,
    )
