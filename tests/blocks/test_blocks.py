"""Every operator of the vocabulary keeps every promise."""

import pytest

from nas.blocks import Conv, DepthwiseSeparable, built_in_blocks, vocabulary_with
from nas.blocks.base import from_dict
from nas.blocks.coordinate_attention import CoordinateAttention
from nas.errors import UserError
from nas.testing import block_variants, check_operator


@pytest.mark.parametrize("kind", sorted(built_in_blocks()))
def test_operator_keeps_all_promises(kind):
    for operator in block_variants(built_in_blocks()[kind]):
        check_operator(operator)


def test_the_suite_finds_a_wrong_formula():
    class Liar(Conv):
        kind = "liar"

        def params(self, in_shape):
            return super().params(in_shape) + 1

    with pytest.raises(AssertionError, match="parameters, its module has"):
        check_operator(Liar())


def test_the_suite_finds_wrong_macs():
    class Liar(DepthwiseSeparable):
        kind = "liar"

        def macs(self, in_shape):
            return super().macs(in_shape) - 1

    with pytest.raises(AssertionError, match="MACs, its module does"):
        check_operator(Liar())


def test_strided_convolution_rounds_up():
    assert Conv(width=8, stride=2).out_shape((3, 97, 131)) == (8, 49, 66)


def test_coordinate_attention_costs_what_the_paper_costs():
    assert CoordinateAttention(floor=8).params((16, 20, 20)) == 440


def test_unknown_kind_names_the_vocabulary():
    with pytest.raises(UserError, match=r"'nothing'.*separable"):
        from_dict({"kind": "nothing"}, built_in_blocks())


def test_unknown_field_is_named():
    with pytest.raises(UserError, match="speed"):
        from_dict({"kind": "conv", "speed": 3}, built_in_blocks())


def test_two_blocks_of_one_kind_are_refused():
    class Other(Conv):
        pass

    with pytest.raises(UserError, match="two blocks are of kind 'conv'"):
        vocabulary_with([Other])
