"""A genome: everything that decides an architecture except the numbers of input channels and classes.

A frozen tree of operators with canonical JSON. The genome is the identity of a candidate: `key` is the first 12 hex digits of the
SHA-256 of its JSON, the same in every process and on every machine.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import Any, TypeVar

from nas.blocks import AnyOperator, Block, Skip, Up, WideBlock, built_in_blocks
from nas.blocks.base import from_dict
from nas.errors import UserError

GENOME_VERSION = 2
"""Raised when the meaning of the JSON changes."""

T = TypeVar("T", Block, Up, Skip)

Stage = tuple[Block, ...]
"""Blocks in a row at one level; a `Down` at its start halves the size."""


@dataclass(frozen=True)
class DecoderLevel:
    """One step from a coarser level to the next finer one.

    Attributes:
        up: How features grow to twice their size.
        skip: How they meet the encoder's features of that size; None where they do not, as at a level finer than the stem.
        blocks: What follows.
    """

    up: Up
    skip: Skip | None
    blocks: Stage

    @property
    def width(self) -> int:
        """Output channels."""
        return stage_width(self.blocks)


@dataclass(frozen=True)
class Genome:
    """An encoder-decoder, from the image to the logits.

    Attributes:
        stem: First blocks, on the image.
        encoder: Stages from fine to coarse; every stage but the first begins with a `Down`.
        context: Blocks at the coarsest level, after the encoder; may be empty.
        decoder: From coarse to fine, as far as the network predicts: none predicts at the coarsest level, as many as the encoder has after
            its first predict at the stem's size, more predict finer than that.
        router: Blocks between context and decoder that may be told the data set an image comes from; may be empty.
    """

    stem: Stage
    encoder: tuple[Stage, ...]
    context: Stage
    decoder: tuple[DecoderLevel, ...]
    router: Stage = ()

    def to_json(self) -> str:
        """Canonical: sorted keys, no spaces."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; tuples where JSON has lists."""
        return {
            "version": GENOME_VERSION,
            "stem": [block.to_dict() for block in self.stem],
            "encoder": [[block.to_dict() for block in stage] for stage in self.encoder],
            "context": [block.to_dict() for block in self.context],
            "router": [block.to_dict() for block in self.router],
            "decoder": [
                {
                    "up": level.up.to_dict(),
                    "skip": level.skip and level.skip.to_dict(),
                    "blocks": [block.to_dict() for block in level.blocks],
                }
                for level in self.decoder
            ],
        }

    @cached_property
    def key(self) -> str:
        """12 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Output channels of the stem, the encoder stages and the decoder levels, in execution order; the context has its stage's."""
        stages = (self.stem, *self.encoder, *(level.blocks for level in self.decoder))
        return tuple(stage_width(stage) for stage in stages)

    @cached_property
    def width_steps(self) -> tuple[int, ...]:
        """What each of `widths` must be a multiple of, by its blocks."""
        stages = [self.stem, *self.encoder, *(level.blocks for level in self.decoder)]
        stages[len(self.encoder)] = (*self.encoder[-1], *self.context)
        return tuple(lcm(*{block.width_multiple for block in stage if isinstance(block, WideBlock)}) for stage in stages)

    def with_widths(self, widths: Sequence[int], made: dict[tuple[int, int], Stage] | None = None) -> "Genome":
        """The same structure with other widths.

        Args:
            widths: In the order of `widths`.
            made: Stages by place and width, taken from here and put here, where the same genome gets widths many times.
        """
        known = {} if made is None else made

        def widened(place: int, stage: Stage, width: int) -> Stage:
            if (place, width) not in known:
                known[place, width] = _widened(stage, width)
            return known[place, width]

        end = 1 + len(self.encoder)
        stem = widened(0, self.stem, widths[0])
        encoder = tuple(widened(i, stage, widths[i]) for i, stage in enumerate(self.encoder, start=1))
        context = widened(-1, self.context, widths[end - 1])
        levels = zip(range(end, len(widths)), self.decoder, strict=True)
        decoder = tuple(DecoderLevel(level.up, level.skip, widened(i, level.blocks, widths[i])) for i, level in levels)
        return Genome(stem, encoder, context, decoder, self.router)


def genome_from_json(text: str, vocabulary: Mapping[str, type[AnyOperator]] | None = None) -> Genome:
    """The genome that `Genome.to_json` wrote.

    Args:
        text: JSON.
        vocabulary: Kind -> operator class; the built-in ones where it is left out.

    Raises:
        UserError: Not a genome, of another version, or with operators that the vocabulary lacks.
    """
    known = built_in_blocks() if vocabulary is None else vocabulary
    try:
        document = json.loads(text)
        version = document["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"not a genome: {text[:80]!r} ({error})") from error
    if version != GENOME_VERSION:
        raise UserError(f"a genome of version {version!r} came, this program reads version {GENOME_VERSION}: use the version that wrote it")
    try:
        return Genome(
            stem=_stage(document["stem"], known),
            encoder=tuple(_stage(stage, known) for stage in document["encoder"]),
            context=_stage(document["context"], known),
            router=_stage(document["router"], known),
            decoder=tuple(_decoder_level(level, known) for level in document["decoder"]),
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"a genome lacks a part or has one of the wrong form: {error!r}") from error


def _stage(documents: Sequence[Mapping[str, Any]], vocabulary: Mapping[str, type[AnyOperator]]) -> Stage:
    return tuple(_of_type(Block, document, vocabulary) for document in documents)  # type: ignore[type-abstract]


def _decoder_level(document: Mapping[str, Any], vocabulary: Mapping[str, type[AnyOperator]]) -> DecoderLevel:
    return DecoderLevel(
        up=_of_type(Up, document["up"], vocabulary),  # type: ignore[type-abstract]
        skip=None if document["skip"] is None else _of_type(Skip, document["skip"], vocabulary),  # type: ignore[type-abstract]
        blocks=_stage(document["blocks"], vocabulary),
    )


def _of_type(expected: type[T], document: Mapping[str, Any], vocabulary: Mapping[str, type[AnyOperator]]) -> T:
    operator = from_dict(document, vocabulary)
    if not isinstance(operator, expected):
        raise UserError(f"a genome has {operator.kind!r} where a {expected.__name__.lower()} must stand")
    return operator


def stage_width(stage: Stage) -> int:
    """Output channels of a stage: those of its last block that sets them.

    Raises:
        UserError: It has none.
    """
    for block in reversed(stage):
        if isinstance(block, WideBlock):
            return block.width
    raise UserError(f"a stage needs a block that sets its width; {[block.kind for block in stage]} has none")


def _widened(stage: Stage, width: int) -> Stage:
    return tuple(block.with_width(width) if isinstance(block, WideBlock) else block for block in stage)
