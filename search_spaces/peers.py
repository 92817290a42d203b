"""Known hand-designed networks as genomes: what a search starts from and must beat. The one file here that is not a space.

Only structure and proportions count: `SearchSpace.scale_to` sets the widths for the data and caps at hand. Where a published network has
something that genomes do not express, its entry says what stands for it. Those without a paper are re-created from descriptions of the
networks that were entered by hand in a competition under 10,000 parameters.

    from nas.space import load_peers
"""

from nas.blocks import (
    AddSkip,
    Bilinear,
    Block,
    ChannelSplit,
    CompactASPP,
    ConcatSkip,
    Conv,
    ConvBesidePool,
    CoordinateAttention,
    DepthwiseSeparable,
    DifferenceConv,
    DomainRouter,
    Down,
    GatedSkip,
    InvertedResidual,
    LiteASPP,
    MaxPool,
    MultiDilation,
    MultiExpert,
    PixelShuffle,
    Skip,
    SobelGradient,
    SqueezeExcite,
    StridedDepthwise,
    StridedInverted,
    Transposed,
    Up,
)
from nas.genome import DecoderLevel, Genome, Stage
from nas.space.peers import Peer


def stage(*blocks: Block, times: int = 1, down: Down | None = None, gate: Block | None = None) -> Stage:
    """A way down, blocks repeated, attention."""
    return (*([down] if down else []), *(blocks * times), *([gate] if gate else []))


def level(up: Up, skip: Skip | None, *blocks: Block, times: int = 1, gate: Block | None = None) -> DecoderLevel:
    """One step of a decoder."""
    return DecoderLevel(up, skip, stage(*blocks, times=times, gate=gate))


def doubling(levels: int, base: int = 16) -> list[int]:
    """Widths that double from level to level."""
    return [base * 2**i for i in range(levels)]


def unet(levels: int, base: int, times: int, up: Up) -> Genome:
    """Plain convolutions, max-pooling, doubling widths, concatenation, prediction at full size."""
    widths = doubling(levels, base)
    first = stage(Conv(widths[0]), times=max(1, times - 1))  # The stem is the first of its convolutions.
    others = tuple(stage(Conv(width), times=times, down=MaxPool()) for width in widths[1:])
    decoder = tuple(level(up, ConcatSkip(), Conv(width), times=times) for width in reversed(widths[:-1]))
    return Genome((Conv(widths[0]),), (first, *others), (), decoder)


def separable_unet() -> Genome:
    """U-Net of four levels with depthwise separable convolutions."""
    widths = doubling(4)
    others = tuple(stage(DepthwiseSeparable(width), times=2, down=MaxPool()) for width in widths[1:])
    decoder = tuple(level(Bilinear(), ConcatSkip(), DepthwiseSeparable(width), times=2) for width in reversed(widths[:-1]))
    return Genome((Conv(widths[0]),), (stage(DepthwiseSeparable(widths[0])), *others), (), decoder)


def simple_unet() -> Genome:
    """The same few channels at every one of four levels."""
    others = tuple(stage(Conv(16), times=2, down=MaxPool()) for _ in range(3))
    decoder = tuple(level(Bilinear(), ConcatSkip(), Conv(16), times=2) for _ in range(3))
    return Genome((Conv(16),), (stage(Conv(16)), *others), (), decoder)


def mininet_v2() -> Genome:
    """Fast way down, multi-dilation modules at 1/8, transposed way up, prediction at 1/2."""
    return Genome(
        stem=(Conv(16, stride=2),),
        encoder=(
            stage(DepthwiseSeparable(16)),
            stage(DepthwiseSeparable(32), times=3, down=ConvBesidePool()),
            stage(MultiDilation(64, dilations=(1, 8)), times=3, down=ConvBesidePool()),
        ),
        context=(),
        decoder=(
            level(Transposed(), AddSkip(), DepthwiseSeparable(32), times=2),
            level(Transposed(), None, DepthwiseSeparable(16)),
        ),
    )


def mobilenet_v2_lraspp() -> Genome:
    """Inverted residuals down to 1/16, lite ASPP, one skip, prediction at 1/8."""
    return Genome(
        stem=(Conv(16, stride=2),),
        encoder=(
            stage(InvertedResidual(16, expansion=1)),
            stage(InvertedResidual(24, expansion=4), down=StridedInverted(expansion=4)),
            stage(InvertedResidual(32, expansion=4), times=2, down=StridedInverted(expansion=4)),
            stage(InvertedResidual(64, expansion=4), times=3, down=StridedInverted(expansion=4)),
        ),
        context=(LiteASPP(64),),
        decoder=(level(Bilinear(), AddSkip(), DepthwiseSeparable(32)),),
    )


def mk_unet() -> Genome:
    """Inverted residuals of several kernels at once, max-pooling, gated skips, channel attention in the decoder."""
    widths = [16, 24, 32, 48]
    block = [InvertedResidual(width, expansion=2, kernels=(1, 3, 5)) for width in widths]
    others = tuple(stage(made, down=MaxPool()) for made in block[1:])
    decoder = tuple(level(Bilinear(), GatedSkip(), made, gate=SqueezeExcite(floor=4)) for made in reversed(block[:-1]))
    return Genome((Conv(widths[0]),), (stage(block[0]), *others), (), decoder)


def lcnet() -> Genome:
    """Separable convolutions, larger kernels and squeeze-and-excitation at the coarse levels."""
    return Genome(
        stem=(Conv(16, stride=2),),
        encoder=(
            stage(DepthwiseSeparable(16)),
            stage(DepthwiseSeparable(32), times=2, down=StridedDepthwise()),
            stage(DepthwiseSeparable(48, kernel=5), times=2, down=StridedDepthwise(), gate=SqueezeExcite(floor=4)),
        ),
        context=(),
        decoder=(level(Bilinear(), AddSkip(), DepthwiseSeparable(32)), level(Bilinear(), AddSkip(), DepthwiseSeparable(16))),
    )


def hwnet() -> Genome:
    """Channel splitting and shuffling at all levels."""
    return Genome(
        stem=(Conv(16, stride=2),),
        encoder=(
            stage(ChannelSplit(16)),
            stage(ChannelSplit(32), times=2, down=ConvBesidePool()),
            stage(ChannelSplit(48), times=2, down=ConvBesidePool()),
        ),
        context=(),
        decoder=(level(Bilinear(), ConcatSkip(), ChannelSplit(32)), level(Bilinear(), ConcatSkip(), ChannelSplit(16))),
    )


def mininet_v3() -> Genome:
    """Edges at full size, multi-dilation modules below."""
    return Genome(
        stem=(Conv(12),),
        encoder=(
            stage(DifferenceConv(12)),
            stage(MultiDilation(24, dilations=(1, 2)), times=2, down=MaxPool()),
            stage(MultiDilation(32, dilations=(1, 4)), times=2, down=MaxPool()),
        ),
        context=(),
        decoder=(
            level(Bilinear(), AddSkip(), MultiDilation(24, dilations=(1, 2))),
            level(Bilinear(), AddSkip(), MultiDilation(12, dilations=(1, 2))),
        ),
    )


def internal_ensemble() -> Genome:
    """Edge, region and multi-scale experts at the two coarser levels."""
    return Genome(
        stem=(Conv(16),),
        encoder=(
            stage(Conv(16)),
            stage(MultiExpert(24, shares=(2, 1, 1)), down=MaxPool()),
            stage(MultiExpert(32, shares=(1, 1, 2)), down=MaxPool()),
        ),
        context=(),
        decoder=(level(Bilinear(), ConcatSkip(), DepthwiseSeparable(24)), level(Bilinear(), ConcatSkip(), DepthwiseSeparable(16))),
    )


def adaptive() -> Genome:
    """Separable convolutions and a router over three paths at the coarsest level."""
    return Genome(
        stem=(Conv(16),),
        encoder=(
            stage(DepthwiseSeparable(16)),
            stage(DepthwiseSeparable(24), times=2, down=MaxPool()),
            stage(DepthwiseSeparable(32), times=2, down=MaxPool()),
        ),
        context=(),
        decoder=(level(Bilinear(), ConcatSkip(), DepthwiseSeparable(24)), level(Bilinear(), ConcatSkip(), DepthwiseSeparable(16))),
        router=(DomainRouter(paths=3),),
    )


def distillation_net() -> Genome:
    """Gradients at full size, multi-dilation with coordinate attention, compact ASPP, a router."""
    gate = CoordinateAttention(floor=4)
    return Genome(
        stem=(Conv(12),),
        encoder=(
            stage(SobelGradient(12)),
            stage(MultiDilation(24, dilations=(1, 2)), down=MaxPool(), gate=gate),
            stage(MultiDilation(32, dilations=(1, 4)), times=2, down=MaxPool(), gate=gate),
        ),
        context=(CompactASPP(32, ratio=4, rates=(1, 2, 4)),),
        decoder=(
            level(Bilinear(), AddSkip(), MultiDilation(24, dilations=(1, 2))),
            level(Bilinear(), AddSkip(), MultiDilation(12, dilations=(1, 2))),
        ),
        router=(DomainRouter(paths=2),),
    )


PEERS = (
    Peer("MicroUNet", "re-created: a U-Net of three levels, one convolution a level", unet(3, 16, 1, Bilinear())),
    Peer("MiniNetV3-style", "re-created: multi-dilation modules after a difference convolution", mininet_v3()),
    Peer(
        "MK-UNet",
        "Rahman et al. 2025, https://arxiv.org/abs/2509.18493; squeeze-and-excitation stands for its channel and spatial attention, "
        "an ungrouped gate for its grouped one, four levels instead of five",
        mk_unet(),
    ),
    Peer("SimpleUNet", "re-created: the same width at every level of a U-Net", simple_unet()),
    Peer("DistillationNet-style", "re-created: gradients, multi-dilation, coordinate attention, compact ASPP, router", distillation_net()),
    Peer("internal ensemble", "re-created: edge, region and multi-scale experts fused by attention", internal_ensemble()),
    Peer("HWNet-style", "re-created: channel split and shuffle (ShuffleNetV2, https://arxiv.org/abs/1807.11164)", hwnet()),
    Peer("adaptive network", "re-created: separable convolutions and a domain router", adaptive()),
    Peer(
        "MiniNet-v2",
        "Alonso et al. 2020, https://doi.org/10.1109/TRO.2020.2974099; a plain strided stem for its first downsampler, one dilation "
        "for all its modules, fewer of them, the encoder's skip for its second branch",
        mininet_v2(),
    ),
    Peer(
        "LCNet-style",
        "re-created, after PP-LCNet, Cui et al. 2021, https://arxiv.org/abs/2109.15099; ReLU for its hard-swish",
        lcnet(),
    ),
    Peer(
        "separable U-Net",
        "U-Net (https://arxiv.org/abs/1505.04597) with the convolutions of MobileNets (https://arxiv.org/abs/1704.04861), four levels",
        separable_unet(),
    ),
    Peer(
        "U-Net",
        "Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597, padded and normalised; its 2 x 2 up-convolution is a pixel shuffle",
        unet(5, 16, 2, PixelShuffle()),
    ),
    Peer(
        "MobileNetV2 + LR-ASPP",
        "Sandler et al. 2018, https://arxiv.org/abs/1801.04381, and Howard et al. 2019, https://arxiv.org/abs/1905.02244; "
        "expansion 4 for 6, a separable convolution where the published head adds logits",
        mobilenet_v2_lraspp(),
    ),
)
