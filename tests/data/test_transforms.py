import cv2
import numpy as np
import pytest

from nas.data import VOID, training_transform
from nas.data.resize import scale_to_fit
from nas.data.transforms import DESCRIPTION, FLIP, OBJECT_CROP
from nas.data.views import draw_view as drawn
from tests.data.conftest import picture


@pytest.fixture(scope="module")
def transform():
    return training_transform((32, 40))


def draw_view(transform, image, mask, seed):
    view = drawn(transform, image, mask, seed)
    return view["image"], view["mask"]


def scene(size=(64, 96)):
    mask = np.zeros(size, dtype=np.uint8)
    mask[40:44, 10:14] = 1
    return picture(0, size), mask


def test_views_have_their_size_and_repeat_by_seed(transform):
    image, mask = scene()
    first = draw_view(transform, image, mask, (0, 1, 2))
    draw_view(transform, image, mask, (0, 1, 3))
    again = draw_view(transform, image, mask, (0, 1, 2))
    assert first[0].shape == (32, 40, 3)
    assert first[1].shape == (32, 40)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], draw_view(transform, image, mask, (1, 1, 2))[0])


def test_half_of_the_crops_are_placed_on_foreground(transform):
    image, mask = scene()
    hit = np.mean([(draw_view(transform, image, mask, (0, view))[1] == 1).any() for view in range(200)])
    # A free crop of a seventh of the image meets this small object now and then.
    assert OBJECT_CROP - 0.05 < hit < 0.9


def test_flips_and_colours_are_drawn_apart():
    image = np.full((32, 32, 3), 128, dtype=np.uint8)
    mask = np.zeros((32, 32), dtype=np.uint8)
    mask[:, :8] = 1
    transform = training_transform((32, 32))
    views = [draw_view(transform, image, mask, (0, view)) for view in range(200)]
    flipped = np.array([(view_mask[:, -4:] == 1).sum() > (view_mask[:, :4] == 1).sum() for _, view_mask in views])
    shifted = np.array([not (image[(mask != VOID)] == 128).all() for image, mask in views])
    assert abs(flipped.mean() - FLIP) < 0.15
    assert 0.2 < shifted[flipped].mean() < 0.98
    assert 0.2 < shifted[~flipped].mean() < 0.98


def test_shrunk_images_are_padded_with_void():
    image, mask = picture(0, (32, 32)), np.zeros((32, 32), dtype=np.uint8)
    transform = training_transform((32, 32))
    views = [draw_view(transform, image, mask, (0, view))[1] for view in range(30)]
    values = {int(value) for view in views for value in np.unique(view)}
    assert values == {0, VOID}
    assert np.mean([(view == VOID).mean() for view in views]) < 0.3


def crack(native, width, seed):
    """A mask with a straight line from edge to edge, so many pixels wide."""
    ends = np.random.default_rng(seed).integers(0, native, 2)
    rows, columns = np.mgrid[:native, :native]
    slope = (ends[1] - ends[0]) / (native - 1)
    return (np.abs(columns - ends[0] - slope * rows) / np.hypot(1, slope) < width / 2).astype(np.uint8)


@pytest.mark.parametrize(("native", "width"), [(192, 2), (96, 2), (96, 1)])
def test_thin_cracks_are_whole_in_every_view(native, width):
    """Two pixels natively at half size, and one pixel at full size, scaled down once more by the recipe."""
    transform = training_transform((96, 96))
    pieces, grown = [], []
    for seed in range(20):
        mask = crack(native, width, seed)
        image, mask = scale_to_fit(np.repeat(mask[..., None] * 255, 3, axis=2), mask, (96, 96))
        for view in range(4):
            found = (draw_view(transform, image, mask, (seed, view))[1] == 1).astype(np.uint8)
            pieces.append(cv2.connectedComponents(found, connectivity=8)[0] - 1)
            grown.append(found.mean() / mask.mean())
    # A crop may meet a crack in two corners; nearest neighbour gave pieces in a quarter of the views and more.
    assert np.mean(np.array(pieces) > 1) < 0.03
    assert np.mean(grown) < 1.25, "and they are not thickened much"


def test_void_draws_no_crops(transform):
    image, mask = picture(0, (64, 96)), np.zeros((64, 96), dtype=np.uint8)
    mask[:4, :4] = VOID
    seen = np.mean([(draw_view(transform, image, mask, (0, view))[1] == VOID).any() for view in range(60)])
    assert seen < 0.75


def test_the_description_names_the_recipe():
    assert f"flip x {FLIP}" in DESCRIPTION


def test_masks_stay_on_their_images():
    """A white disc and its mask keep one centre, whatever the scale."""
    rows, columns = np.mgrid[:96, :96]
    mask = ((rows - 47) ** 2 + (columns - 45) ** 2 < 20**2).astype(np.uint8)
    image = np.repeat(mask[..., None] * 255, 3, axis=2)
    transform = training_transform((96, 96))
    offsets = []
    for view in range(60):
        drawn, found = draw_view(transform, image, mask, (0, view))
        bright = np.clip(drawn.astype(float).mean(axis=2) - 160, 0, None) * (found != VOID)
        if found.sum() == 0 or (found == 1)[[0, -1]].any() or (found == 1)[:, [0, -1]].any():
            continue
        here, there = np.argwhere(found == 1).mean(axis=0), [(bright * axis).sum() / bright.sum() for axis in (rows, columns)]
        offsets.append(here - there)
    assert len(offsets) > 20
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.15


def test_the_built_in_recipe_leaves_what_it_gets_alone():
    """Views are drawn from one image again and again, without a copy for each."""
    draw = np.random.default_rng(0)
    image, mask = draw.integers(0, 256, (96, 80, 3), dtype=np.uint8), draw.integers(0, 2, (96, 80), dtype=np.uint8)
    before = image.copy(), mask.copy()
    pipeline = training_transform((96, 80))
    for view in range(200):
        draw_view(pipeline, image, mask, (0, view))
    assert (image == before[0]).all()
    assert (mask == before[1]).all()
