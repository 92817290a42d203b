"""What a network sees."""

import numpy as np
import torch

from nas.evaluate import MEAN, STD, normalise


def test_formula_and_layout():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    result = normalise(torch.from_numpy(pixels))
    assert result.shape == (2, 3, 5, 4)
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(result.permute(0, 2, 3, 1).numpy(), (pixels / 255 - MEAN) / STD, atol=1e-6)


def test_leaves_the_stored_images_alone():
    pixels = torch.full((1, 2, 2, 3), 7, dtype=torch.uint8)
    normalise(pixels)
    assert (pixels == 7).all()


def test_a_batch_of_one_pixel():
    assert normalise(torch.zeros(1, 1, 1, 3, dtype=torch.uint8)).flatten().tolist() == [np.float32(-MEAN / STD)] * 3
