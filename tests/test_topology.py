"""The wiring, in words and in shapes."""

import pytest

from nas.blocks import AddSkip, Bilinear, ConcatSkip, Conv, MaxPool
from nas.errors import UserError
from nas.genome import DecoderLevel, Genome
from nas.topology import by_stage, walk

GENOME = Genome(
    stem=(Conv(8, stride=2),),
    encoder=((Conv(8),), (MaxPool(), Conv(12)), (MaxPool(), Conv(16))),
    context=(),
    decoder=(DecoderLevel(Bilinear(), AddSkip(), (Conv(10),)), DecoderLevel(Bilinear(), ConcatSkip(), (Conv(6),))),
)


def test_stages_in_execution_order():
    names = [name for name, _ in by_stage(walk(GENOME, (3, 64, 64), 2))]
    assert names == ["stem", "encoder1", "encoder2", "encoder3", "up2", "join2", "decoder2", "up1", "join1", "decoder1", "head"]


def test_skips_meet_the_level_they_belong_to():
    sources = {step.stage: step.sources for step in walk(GENOME, (3, 64, 64), 2) if step.sources}
    assert sources["join2"] == ("up2", "encoder2")
    assert sources["join1"] == ("up1", "encoder1")


def test_logits_reach_the_image_even_if_it_is_odd():
    last = walk(GENOME, (3, 97, 131), 5)[-1]
    channels, height, width = last.out_shape
    assert channels == 5
    assert 97 <= height <= 98
    assert 131 <= width <= 132


def with_decoder(*decoder):
    return Genome(GENOME.stem, GENOME.encoder, (), decoder)


def test_a_short_decoder_predicts_coarsely():
    *_, head, resize = walk(with_decoder(GENOME.decoder[0]), (3, 64, 64), 2)
    assert head.out_shape == (2, 16, 16)
    assert resize.out_shape == (2, 64, 64)


def test_levels_finer_than_the_stem_have_no_skip():
    finer = DecoderLevel(Bilinear(), None, (Conv(4),))
    steps = walk(with_decoder(*GENOME.decoder, finer), (3, 64, 64), 2)
    assert [name for name, _ in by_stage(steps)][-3:] == ["fineup1", "fine1", "head"]
    assert steps[-1].out_shape == (2, 64, 64)
    with pytest.raises(UserError, match="skip at fine1"):
        walk(with_decoder(*GENOME.decoder, GENOME.decoder[0]), (3, 64, 64), 2)
    with pytest.raises(UserError, match="2 times the image's size"):
        walk(with_decoder(*GENOME.decoder, finer, finer), (3, 64, 64), 2)


def test_without_a_skip_the_encoder_is_not_read_again():
    bare = DecoderLevel(Bilinear(), None, (Conv(10),))
    sources = {step.stage: step.sources for step in walk(with_decoder(bare, GENOME.decoder[1]), (3, 64, 64), 2) if step.sources}
    assert "join2" not in sources
    assert sources["decoder2"] == ("up2",)
