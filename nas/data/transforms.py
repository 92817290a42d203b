"""Training-time augmentation, the whole recipe in one place: mild, since small networks underfit rather than overfit.

albumentations (Buslaev et al., Information 2020) draws it once per study into a bank, not once per trial.
"""

import os
import random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from nas.data.dataset import VOID
from nas.data.images import Bytes
from nas.data.resize import PAD_GREY

if TYPE_CHECKING:
    import albumentations

FLIP = 0.5
SCALE = (0.8, 1.25)
LIGHT = 0.15
HUE, SATURATION = 6, 20
COLOUR = 0.5
OBJECT_CROP = 0.5
"""Share of crops that are placed on foreground: on thin or rare structures a free crop is mostly background."""

DESCRIPTION = (
    f"2: flip x {FLIP}; scale {SCALE[0]}..{SCALE[1]}; pad grey {PAD_GREY}, void; crop, {OBJECT_CROP} on foreground; "
    f"brightness and contrast {LIGHT}, hue {HUE}, saturation {SATURATION}, each {COLOUR}"
)
"""The recipe in words; it enters the address of a bank, so a change of the recipe without a number draws a new bank."""


def training_transform(train_size: tuple[int, int]) -> "albumentations.Compose":
    """The recipe as a pipeline.

    Args:
        train_size: Height and width of what comes out.

    Returns:
        A pipeline that takes `image` (`H x W x 3`) and `mask` (`H x W`), already scaled to the size of use. It is not safe to
        share between threads.
    """
    # albumentations asks the network for a newer version of itself at import; that takes seconds and is nobody's wish.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as A  # 1.3 s, and only who builds a bank needs it

    height, width = train_size
    limits = (SCALE[0] - 1, SCALE[1] - 1)
    crops = [
        A.CropNonEmptyMaskIfExists(height, width, ignore_values=[VOID], p=OBJECT_CROP),
        A.RandomCrop(height, width, p=1 - OBJECT_CROP),
    ]
    return A.Compose(
        [
            A.HorizontalFlip(p=FLIP),
            # The plain INTER_NEAREST ignores the half-pixel and shifts the mask by 0.4 px against its image.
            A.RandomScale(
                limits, interpolation=cv2.INTER_LINEAR, mask_interpolation=cv2.INTER_NEAREST_EXACT, area_for_downscale="image", p=1
            ),
            A.PadIfNeeded(height, width, border_mode=cv2.BORDER_CONSTANT, fill=PAD_GREY, fill_mask=VOID, position="random"),
            A.OneOf(crops, p=1),
            A.RandomBrightnessContrast(LIGHT, LIGHT, p=COLOUR),
            A.HueSaturationValue(HUE, SATURATION, 0, p=COLOUR),
        ]
    )


def draw_view(transform: "albumentations.Compose", image: Bytes, mask: Bytes, seed: tuple[int, ...]) -> tuple[Bytes, Bytes]:
    """One augmented view: a function of its arguments alone, whatever was drawn before.

    Args:
        transform: What `training_transform` returned.
        image: `H x W x 3`.
        mask: `H x W`, class index or `VOID`.
        seed: Names the view.

    Returns:
        The view's image and mask, of the transform's size.
    """
    # set_random_seed would give every step the same stream, so that flips and colour shifts always came together.
    transform.set_random_state(np.random.default_rng(seed), random.Random(repr(seed)))
    view: dict[str, Any] = transform(image=image, mask=mask)
    return np.asarray(view["image"], dtype=np.uint8), np.asarray(view["mask"], dtype=np.uint8)
