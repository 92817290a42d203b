"""Training-time augmentation, the whole recipe in one file: mild, since small networks underfit rather than overfit.

To change it, copy this file and edit the copy: `python -m nas.search --transforms my.py` draws the views of a study with it. What is asked
of such a file is `training_transform`; anything else in it is yours. albumentations (Buslaev et al., Information 2020) does the drawing.
"""

import os
from typing import TYPE_CHECKING

import cv2

from nas.data.dataset import VOID
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
    f"3: flip x {FLIP}; scale {SCALE[0]}..{SCALE[1]}, thin structures kept; pad grey {PAD_GREY}, void; crop, {OBJECT_CROP} on foreground; "
    f"brightness and contrast {LIGHT}, of RGB hue {HUE}, saturation {SATURATION}, each {COLOUR}"
)
"""The recipe in words, for who reads a study; a file of one's own need not have it."""


def training_transform(train_size: tuple[int, int], channels: int = 3) -> "albumentations.Compose":
    """The recipe as a pipeline.

    Args:
        train_size: Height and width of what comes out.
        channels: Of the images; hue and saturation are those of red, green and blue. A file of one's own may leave this argument out.

    Returns:
        A pipeline that takes `image` (`H x W x channels`) and `mask` (`H x W`), both uint8 and already scaled to the size of use, and gives
        them at `train_size`, uint8 still; the mask holds a class index or `VOID`. It is not safe to share between threads.
    """
    # albumentations asks the network for a newer version of itself at import; that takes seconds and is nobody's wish.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as A  # 1.3 s, and only who builds a bank needs it

    from nas.data.scaling import RandomScale

    height, width = train_size
    crops = [
        A.CropNonEmptyMaskIfExists(height, width, ignore_values=[VOID], p=OBJECT_CROP),
        A.RandomCrop(height, width, p=1 - OBJECT_CROP),
    ]
    return A.Compose(
        [
            A.HorizontalFlip(p=FLIP),
            RandomScale(SCALE),
            A.PadIfNeeded(height, width, border_mode=cv2.BORDER_CONSTANT, fill=PAD_GREY, fill_mask=VOID, position="random"),
            A.OneOf(crops, p=1),
            A.RandomBrightnessContrast(LIGHT, LIGHT, p=COLOUR),
            *([A.HueSaturationValue(HUE, SATURATION, 0, p=COLOUR)] if channels == 3 else []),
        ]
    )
