"""One network for each operator of the vocabulary: the same U-Net of three levels, with the operator wherever it may stand."""

from collections.abc import Mapping
from dataclasses import replace

from nas.blocks import AnyOperator, Bilinear, Block, Conv, Down, MaxPool, Shape, Skip, Up, WideBlock, built_in_blocks
from nas.blocks.skip import AddSkip
from nas.cost import Budget
from nas.genome import DecoderLevel, Genome, Stage
from nas.space import load_space
from nas.testing.blocks import block_variants

WIDTHS = (16, 24, 36)


def operator_networks(budget: Budget, in_shape: Shape, num_classes: int) -> Mapping[str, Genome]:
    """Kind of an operator -> a network of it, scaled to a budget; of its settings the middle one."""
    space = load_space("tiny_unet")
    # A router is told the domain, so it has a place of its own, in networks of several heads alone.
    kinds = {kind: cls for kind, cls in built_in_blocks().items() if not getattr(cls, "takes_domain", False)}
    return {kind: space.scale_to(_network(_middle(cls)), budget, in_shape, num_classes) for kind, cls in kinds.items()}


def _middle(cls: type[AnyOperator]) -> AnyOperator:
    variants = list(block_variants(cls))
    return variants[len(variants) // 2]


def _network(operator: AnyOperator) -> Genome:
    up = operator if isinstance(operator, Up) else Bilinear(width=0)
    skip = operator if isinstance(operator, Skip) else AddSkip()
    encoder = [_stage(operator, width) for width in WIDTHS]
    encoder[1:] = [(_down(operator, width), *stage) for width, stage in zip(WIDTHS[1:], encoder[1:], strict=True)]
    decoder = tuple(DecoderLevel(up, skip, _stage(operator, width)) for width in reversed(WIDTHS[:-1]))
    return Genome((Conv(width=WIDTHS[0], kernel=3, stride=1),), tuple(encoder), (), decoder)


def _stage(operator: AnyOperator, width: int) -> Stage:
    """Two of the operator where it gives a width, else one after a convolution."""
    plain = Conv(width=width, kernel=3, stride=1)
    if not isinstance(operator, Block) or isinstance(operator, Up | Down):
        return (plain,)
    return (_as_wide(operator, width),) * 2 if isinstance(operator, WideBlock) else (plain, operator)


def _down(operator: AnyOperator, width: int) -> Block:
    if not isinstance(operator, Down):
        return MaxPool()
    return _as_wide(operator, width) if isinstance(operator, WideBlock) else operator


def _as_wide(operator: WideBlock, width: int) -> WideBlock:
    return replace(operator, width=-(-width // operator.width_multiple) * operator.width_multiple)
