import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.data import DataFacts, recommend_size, train_size_for
from nas.data.resize import fitted_size
from nas.data.size import MAX_AREA, MIN_AREA, MIN_SIDE
from nas.errors import UserError


def facts(size, thickness):
    return DataFacts({}, size, size, size, (0.9, 0.1), 0.0, thickness)


@pytest.mark.parametrize(
    ("native", "thickness", "image", "train"),
    [
        ((320, 480), 2.8, (320, 480), (128, 128)),  # thin: native
        ((352, 352), 42.0, (128, 128), (128, 128)),  # thick: down to the smallest area
        ((64, 64), 2.5, (64, 64), (64, 64)),  # small: native
        ((240, 320), 8.0, (128, 160), (128, 160)),  # half, in multiples of 16
        ((240, 320), 4.3, (240, 320), (128, 128)),  # hardly any reduction is none
        ((1080, 1920), 3.0, (288, 528), (128, 128)),  # too large: the cap wins
        ((100, 75), 2.0, (112, 80), (112, 80)),  # odd sides are rounded up, to be padded
    ],
)
def test_choices(native, thickness, image, train):
    choice = recommend_size(facts(native, thickness))
    assert (choice.image_size, choice.train_size) == (image, train)
    assert f"{image[0]}x{image[1]}" in choice.reason


@given(st.tuples(st.integers(64, 3000), st.integers(64, 3000)), st.floats(1, 300))
def test_what_every_choice_keeps(native, thickness):
    choice = recommend_size(facts(native, thickness))
    height, width = choice.image_size
    assert height % 16 == width % 16 == 0
    assert min(choice.image_size) >= MIN_SIDE
    if max(native) <= 8 * min(native):
        assert height * width <= MAX_AREA
    fitted = fitted_size(native, choice.image_size)
    assert fitted[0] <= native[0]
    assert fitted[1] <= native[1]
    assert height * width >= min(MIN_AREA, native[0] * native[1])
    assert all(train <= full for train, full in zip(choice.train_size, choice.image_size, strict=True))


def test_reasons_are_in_words():
    assert recommend_size(facts((320, 480), 2.8)).reason.endswith("the native size: the thinnest structures are 2.8 px wide")
    assert "keep 4.0 px" in recommend_size(facts((320, 320), 8.0)).reason
    assert "smallest area" in recommend_size(facts((352, 352), 42.0)).reason
    assert "largest area" in recommend_size(facts((1080, 1920), 3.0)).reason


@pytest.mark.parametrize(
    ("image", "train"), [((64, 64), (64, 64)), ((128, 192), (128, 192)), ((256, 256), (128, 128)), ((64, 512), (64, 128))]
)
def test_the_size_of_training_views(image, train):
    assert train_size_for(image) == train


def test_sizes_below_the_minimum_are_refused():
    with pytest.raises(UserError, match="16x64 is too small: each side must have at least 32"):
        train_size_for((16, 64))
