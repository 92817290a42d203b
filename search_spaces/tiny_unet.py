"""The default space: the whole vocabulary, for caps from about 2,000 parameters up.

Contains   encoder-decoders of 2 to 5 levels with 1 to 3 blocks each: U-Nets at full resolution and lean networks behind a stem of stride 2
           or 4, flat and doubling widths, plain, factorised, separable, ghost and shuffled convolutions, inverted residuals,
           multi-dilation and pooled branches, edge operators, internal ensembles; attention, context and a domain router; prediction at
           full size down to 1/8.
Size       106 genes, about 10^54 settings of choices, widths apart.
Run        python -m nas.search --space tiny_unet --budget 10000
Expect     the known hand-designed networks (peers.py) as its first trials, and a front from cheap strided networks to full-resolution
           ones. A space that knows your images better finds good networks sooner: `thin_structures`, `mobile`, or one of your own.
Edit       copy this file, change SPACE, and give the copy's path to --space.
"""

from nas.blocks import (
    ECA,
    AddSkip,
    Bilinear,
    ChannelSplit,
    CompactASPP,
    ConcatSkip,
    Conv,
    ConvBesidePool,
    CoordinateAttention,
    DepthwiseSeparable,
    DifferenceConv,
    DomainRouter,
    FactorisedConv,
    GatedSkip,
    GhostConv,
    InvertedResidual,
    LiteASPP,
    MaxPool,
    MultiDilation,
    MultiExpert,
    PixelShuffle,
    PooledBranches,
    SobelGradient,
    SqueezeExcite,
    StridedConv,
    StridedDepthwise,
    StridedInverted,
    Transposed,
)
from nas.space import SearchSpace

SPACE = SearchSpace(
    stem=Conv,
    stem_strides=(1, 2, 4),
    levels=(2, 3, 4, 5),
    depths=(1, 2, 3),
    predictions=(1, 2, 4, 8),
    growth=(1.0, 1.5, 2.0),
    blocks=(
        Conv,
        FactorisedConv,
        DepthwiseSeparable,
        InvertedResidual,
        MultiDilation,
        ChannelSplit,
        GhostConv,
        SobelGradient,
        DifferenceConv,
        PooledBranches,
        MultiExpert,
    ),
    attention=(None, SqueezeExcite, ECA, CoordinateAttention),
    context=(None, CompactASPP, LiteASPP, PooledBranches),
    router=(None, DomainRouter),
    downs=(MaxPool, StridedDepthwise, StridedConv, ConvBesidePool, StridedInverted),
    skips=(AddSkip, ConcatSkip, GatedSkip, None),
    ups=(Bilinear, PixelShuffle, Transposed),
    min_width=2,
)
