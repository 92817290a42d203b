"""Whole images in their own size, ensembles, test-time augmentation, thresholds."""

import numpy as np
import pytest
import torch
from torch import nn

from nas.data import VOID
from nas.errors import UserError
from nas.evaluate.threshold import best_threshold, classes_of
from nas.evaluate.whole import Predictor


class Brightness(nn.Module):
    """Says how bright each pixel is; `tilt` adds something that depends on the place."""

    def __init__(self, tilt=0.0, scale=4.0):
        super().__init__()
        self.tilt, self.scale = tilt, scale

    def forward(self, x):
        ramp = torch.linspace(-1, 1, x.shape[3]).view(1, 1, 1, -1) * self.tilt
        bright = self.scale * x.mean(1, keepdim=True) + ramp
        return torch.cat([-bright, bright], 1)


def picture(height=50, width=70):
    image = np.full((height, width, 3), 20, dtype=np.uint8)
    image[10:30, 20:60] = 230
    return image


@pytest.mark.parametrize("shape", [(50, 70), (64, 64), (33, 128), (200, 40)])
def test_the_answer_has_the_images_own_size(shape):
    image = picture(*shape)
    found = Predictor([Brightness()], (48, 64), 2)(image)
    assert found.shape == (2, *shape)
    torch.testing.assert_close(found.sum(0), torch.ones(shape))
    agree = (classes_of(found, None) == (image[..., 0] > 100)).mean()
    assert agree > 0.93


def test_an_ensemble_is_the_mean():
    models, image = [Brightness(), Brightness(tilt=2.0)], picture()
    both = Predictor(models, (64, 64), 2)(image)
    alone = [Predictor([model], (64, 64), 2)(image) for model in models]
    torch.testing.assert_close(both, (alone[0] + alone[1]) / 2)


def test_flips_take_out_what_depends_on_the_side():
    image = picture(64, 64)
    image[:] = 110
    plain, flipped = (Predictor([Brightness(tilt=2.0)], (64, 64), 2, tta=tta)(image)[1] for tta in ((), ("flips",)))
    assert plain[:, -1].mean() > plain[:, 0].mean() + 0.5
    torch.testing.assert_close(flipped, flipped.flip(1))


def test_scales_are_averaged():
    image = picture()
    one, more = (Predictor([Brightness()], (64, 64), 2, tta=tta)(image) for tta in ((), ("scales",)))
    assert not torch.equal(one, more)
    assert (classes_of(more, None) == classes_of(one, None)).mean() > 0.95


class Watching(Brightness):
    """Keeps the size of each canvas that it sees, and that of the bright image on it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        bright = x[0].mean(0) > 1
        self.seen.append((tuple(x.shape[2:]), (int(bright.any(1).sum()), int(bright.any(0).sum()))))
        return super().forward(x)


@pytest.mark.parametrize(
    ("shape", "sizes", "contents"),
    [
        ((375, 500), [(368, 496), (288, 384), (464, 624)], [(368, 491), (276, 368), (460, 614)]),
        ((368, 496), [(368, 496), (288, 384), (464, 624)], [(368, 496), (276, 372), (460, 620)]),
        ((320, 400), [(368, 496), (288, 384), (464, 624)], [(320, 400), (240, 300), (400, 500)]),
    ],
)
def test_scales_are_of_what_is_seen_at_the_size_of_use(shape, sizes, contents):
    watching = Watching()
    predictor = Predictor([watching], (368, 496), 2, tta=("scales",))
    predictor(np.full((*shape, 3), 250, dtype=np.uint8))
    assert watching.seen == list(zip(sizes, contents, strict=True))
    assert list(predictor.sizes) == sizes


def test_the_network_sees_the_size_that_was_asked_for():
    watching = Watching()
    predictor = Predictor([watching], (100, 110), 2)
    assert predictor(picture(200, 220)).shape == (2, 200, 220)
    assert watching.seen[0][0] == (100, 110)
    assert predictor.sizes == ((100, 110),)


def test_a_wrong_number_of_classes_is_explained():
    with pytest.raises(UserError, match="logits of 3 classes"):
        Predictor([Brightness()], (32, 32), 3)(picture())


def test_a_wrong_number_of_channels_is_explained():
    with pytest.raises(UserError, match="--channels"):
        Predictor([nn.Conv2d(1, 2, 1)], (32, 32), 2)(picture())


class Pictures:
    """A data set of pictures whose mask is where they are bright."""

    def read(self, item):
        image = picture()
        mask = (image[..., 0] > 100).astype(np.uint8)
        mask[:5] = VOID
        return image, mask


@pytest.mark.parametrize(("low", "high", "expected"), [(0.05, 0.2, (0.05, 0.2)), (0.6, 0.95, (0.6, 0.95)), (0.2, 0.9, (0.5, 0.5))])
def test_the_threshold_that_parts_best(low, high, expected):
    def probability(image):
        bright = torch.from_numpy(image[..., 0] > 100)
        share = torch.where(bright, torch.tensor(high), torch.tensor(low))
        return torch.stack([1 - share, share])

    found = best_threshold(Pictures(), [None, None], probability)
    assert expected[0] <= found <= expected[1]
    image, mask = Pictures().read(None)
    assert (classes_of(probability(image), found)[5:] == mask[5:]).all()
