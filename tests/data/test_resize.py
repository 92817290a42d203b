import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.data import VOID, fit_image, resize_image, resize_mask
from nas.data.resize import PAD_GREY, fitted_size
from tests.data.conftest import picture

SIDES = st.integers(8, 150)
SIZES = st.tuples(SIDES, SIDES)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.tuples(st.integers(32, 96), st.integers(32, 96)), st.integers(0, 5))
def test_fitting_gives_the_canvas_and_no_new_values(native, canvas, seed):
    mask = np.random.default_rng(seed).choice(np.array([0, 0, 2, VOID], dtype=np.uint8), native)
    image, fitted = fit_image(picture(seed, native), mask, canvas)
    assert image.shape == (*canvas, 3)
    assert fitted.shape == canvas
    assert set(np.unique(fitted)) <= {0, 2, VOID}
    inner = fitted_size(native, canvas)
    assert inner[0] in (canvas[0], native[0]) or inner[1] in (canvas[1], native[1])
    assert (fitted == VOID).sum() >= canvas[0] * canvas[1] - inner[0] * inner[1]


@given(SIZES)
def test_a_fitting_image_is_left_alone(native):
    image = picture(0, native)
    mask = (image[..., 0] % 3).astype(np.uint8)
    same, kept = fit_image(image, mask, native)
    assert np.array_equal(same, image)
    assert np.array_equal(kept, mask)


def test_slightly_larger_canvases_pad_and_do_not_resample():
    image, mask = picture(0, (100, 75)), np.ones((100, 75), dtype=np.uint8)
    padded, void = fit_image(image, mask, (112, 80))
    assert np.array_equal(padded[6:106, 2:77], image)
    assert (void[6:106, 2:77] == 1).all()
    assert (void == VOID).sum() == 112 * 80 - 100 * 75
    assert (padded[0] == PAD_GREY).all()


def test_enlarging_takes_the_nearest():
    mask = np.array([[0, 3], [VOID, 1]], dtype=np.uint8)
    assert np.array_equal(resize_mask(mask, (4, 4)), np.repeat(np.repeat(mask, 2, axis=0), 2, axis=1))
    assert resize_image(picture(0, (10, 10)), (20, 20)).shape == (20, 20, 3)


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
@pytest.mark.parametrize("scale", [0.5, 0.6, 0.75])
def test_a_thin_line_survives_reduction(offset, scale):
    mask = np.zeros((80, 80), dtype=np.uint8)
    mask[30 + offset : 32 + offset] = 1
    mask[:, 50 + offset] = 1
    small = resize_mask(mask, (round(80 * scale), round(80 * scale)))
    assert (small == 1).any(axis=0).all(), "a line two pixels high has a gap"
    assert (small == 1).any(axis=1).mean() > 0.99, "a line one pixel wide has a gap"


@given(st.integers(0, 50), st.floats(0.5, 1.0))
@settings(max_examples=40, deadline=None)
def test_a_diagonal_stays_connected(seed, scale):
    import cv2

    rng = np.random.default_rng(seed)
    mask = np.zeros((90, 90), dtype=np.uint8)
    cv2.line(mask, tuple(int(v) for v in rng.integers(0, 40, 2)), tuple(int(v) for v in rng.integers(50, 90, 2)), 1, 2)
    small = resize_mask(mask, (round(90 * scale), round(90 * scale)))
    assert cv2.connectedComponents((small == 1).astype(np.uint8), connectivity=8)[0] == 2


def test_the_class_that_covers_most_wins_and_void_needs_half():
    mask = np.array([[1, 2], [2, 0]], dtype=np.uint8)
    assert resize_mask(mask, (1, 1))[0, 0] == 2
    assert resize_mask(np.array([[1, VOID], [VOID, VOID]], dtype=np.uint8), (1, 1))[0, 0] == 1
    assert resize_mask(np.array([[0, VOID], [VOID, 0]], dtype=np.uint8), (1, 1))[0, 0] == VOID
    assert resize_mask(np.array([[0, 0], [VOID, 0]], dtype=np.uint8), (1, 1))[0, 0] == 0


def test_large_areas_keep_their_share():
    mask = np.zeros((128, 128), dtype=np.uint8)
    mask[20:100, 30:90] = 4
    assert (resize_mask(mask, (48, 48)) == 4).mean() == pytest.approx((mask == 4).mean(), rel=0.1)
