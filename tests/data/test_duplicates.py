"""Copies across splits are named, in whatever file they lie; images that are merely of one kind are not."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from nas.data import open_data
from nas.data.dataset import all_items
from nas.data.duplicates import alike, leaks, picture


def scene(seed, size=(120, 160)):
    """A smooth random picture, unlike that of another seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


def compressed(image):
    stream = io.BytesIO()
    Image.fromarray(image).resize((100, 75)).save(stream, "JPEG", quality=60)
    return np.asarray(Image.open(stream))


COPIES = {
    "compressed and smaller": compressed,
    "brighter": lambda image: np.clip(image * 1.08 + 4, 0, 255).astype(np.uint8),
    "the next frame": lambda image: np.ascontiguousarray(image[3:, 4:]),
}


def test_the_same_pixels_are_found_across_splits():
    found = leaks(
        [picture("a", "train", scene(0)), picture("b", "train", scene(1)), picture("c", "val", scene(1)), picture("d", "test", scene(1))]
    )
    assert [text.partition(":")[0] for text in found] == ["leakage"] * 3
    assert "1 of 1 val images is in train too, pixel by pixel (b and c)" in found[0]
    assert "1 of 1 test images is in train too, pixel by pixel (b and d)" in found[1]
    assert "1 of 1 test images is in val too, pixel by pixel (c and d)" in found[2]


@pytest.mark.parametrize("kind", COPIES)
def test_near_copies_are_found(kind):
    pictures = [picture(str(seed), "train", scene(seed)) for seed in range(40)]
    found = leaks([*pictures, picture("copy", "val", COPIES[kind](scene(7))), picture("other", "val", scene(99))])
    assert len(found) == 1
    assert "1 of 2 val images nearly equals one in train (7 and copy)" in found[0]


def test_a_repeated_image_within_a_split_is_a_softer_matter():
    found = leaks([picture(name, "train", scene(0)) for name in "abc"])
    assert found == ["train: 2 images are there twice (a and b, a and c); each counts twice"]


def test_long_lists_of_pairs_are_cut():
    pictures = [picture(f"{split}{seed}", split, scene(seed)) for split in ("train", "val") for seed in range(8)]
    (text,) = leaks(pictures)
    assert "8 of 8 val images are in train too" in text
    assert text.count(" and val") == 5
    assert "and 3 more" in text


@pytest.mark.parametrize("kind", ["synthetic", "synthetic:cracks", "synthetic:blobs"])
def test_pictures_of_one_kind_are_no_copies(kind):
    data = open_data(kind)
    some = [(split, item) for split, item in all_items(data) if item.name.endswith(("1", "5"))]
    assert leaks([picture(item.name, split, data.read_image(item)) for split, item in some]) == []


def test_asphalt_is_not_one_scene_and_a_shifted_frame_is(real):
    data = open_data(real("CFD"))
    assert leaks([picture(item.name, split, data.read_image(item)) for split, item in all_items(data)]) == []
    peanut = open_data(real("Peanut"))
    one, two = (
        picture(item.name, split, peanut.read_image(item)) for split, item in all_items(peanut) if item.name in ("train/0204", "val/0207")
    )
    assert alike(one, two)
