"""Rungs at growing resolution: each size has a bank, the last is the image size."""

import pytest

from nas.data import open_bank, reduced
from nas.data.size import SizeChoice
from nas.errors import UserError
from nas.proxy.rungs import rung_scales
from nas.search import run_search
from nas.search.plan import make_plan


def test_scales_grow_from_a_half_to_the_whole():
    assert rung_scales(3) == (0.5, 0.75, 1.0)
    assert rung_scales(1) == (1.0,)


@pytest.mark.parametrize(
    ("size", "scale", "expected"), [((320, 480), 0.5, (160, 240)), ((64, 64), 0.75, (48, 48)), ((40, 32), 0.5, (32, 32))]
)
def test_reduced_sizes_are_multiples_of_16_and_no_smaller_than_32(size, scale, expected):
    choice = reduced(SizeChoice(size, size, "because"), scale)
    assert choice.image_size == choice.train_size == expected


def test_each_rung_is_validated_at_its_own_size_and_the_last_at_the_image_size(quick):
    config = quick(image_size=(64, 64), grow=True, epochs=4, trials=2)
    result = run_search(config)
    assert result.trials == 2
    sizes = {open_bank(folder).image_size for folder in make_plan(config).bank_folder.glob("squares-*")}
    assert sizes == {(32, 32), (48, 48), (64, 64)}
    assert result.front["image_size"][0] == "64x64"
    with pytest.raises(UserError, match="grow is True, now False"):
        run_search(quick(image_size=(64, 64), epochs=4, trials=3))
