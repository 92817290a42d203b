import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.data import NEAR_COPY, distance, image_hash, open_data
from nas.data.similarity import distances
from tests.data.layouts.writers import frames


def plain(*colour):
    return np.full((40, 60, 3), colour, dtype=np.uint8)


def test_equal_images_are_at_no_distance():
    image = frames(0, 1)[0]
    assert distance(image_hash(image), image_hash(image.copy())) == 0
    assert 0 <= image_hash(image) < 2**88


def test_frames_of_one_scene_are_near_and_other_scenes_are_not():
    first, second = (list(map(image_hash, frames(seed, 3))) for seed in (0, 1))
    assert max(distance(a, b) for a, b in itertools.combinations(first, 2)) <= NEAR_COPY
    assert min(distance(a, b) for a, b in itertools.product(first, second)) > NEAR_COPY


def test_plain_images_differ_by_colour():
    assert distance(image_hash(plain(10, 200, 10)), image_hash(plain(10, 10, 200))) == 190 // 8
    noise = np.random.default_rng(0).integers(-1, 2, (40, 60, 3))
    assert distance(image_hash(plain(90, 90, 90)), image_hash((plain(90, 90, 90) + noise).astype(np.uint8))) == 0


def test_the_size_does_not_matter():
    image = frames(3, 1, (96, 128))[0]
    assert distance(image_hash(image), image_hash(image[::2, ::2])) <= 3


@pytest.mark.parametrize("name", ["VOCdevkit", "CocoCarDamage"])
def test_real_photographs(name, real):
    """A crop with other light is a near-copy; other photographs are not."""
    data = open_data(real(name))
    images = [data.read_image(item) for item in data.splits["val"][:10]]
    hashes = [image_hash(image) for image in images]
    copies = [image_hash(np.clip(image[3:-3, 5:-5].astype(int) + 8, 0, 255).astype(np.uint8)) for image in images]
    assert max(map(distance, hashes, copies)) <= NEAR_COPY
    assert min(distance(a, b) for a, b in itertools.combinations(hashes, 2)) > NEAR_COPY


@given(st.lists(st.integers(0, 2**88 - 1), max_size=20), st.integers(0, 2**88 - 1))
def test_many_distances_at_once_are_the_same(codes, code):
    assert distances(code, codes).tolist() == [distance(code, other) for other in codes]
