"""Cracks, vessels, roots, wires: structures a few pixels wide that must not be lost on the way down.

Contains   encoder-decoders of 2 to 4 levels whose first level works at full size or at half of it, prediction at full size or at half;
           edge operators (Sobel, pixel differences), plain and factorised convolutions, dilations for lines that run on, skips at all
           levels. No stem of stride 4, nothing that predicts at 1/4.
Size       78 genes, about 10^36 settings of choices, widths apart.
Run        python -m nas.search --space thin_structures --data path/to/your/data --budget 10000
Expect     more MACs for each parameter than in `tiny_unet`: most of the work is done at full size.
"""

from nas.blocks import (
    ECA,
    AddSkip,
    Bilinear,
    CompactASPP,
    ConcatSkip,
    Conv,
    CoordinateAttention,
    DepthwiseSeparable,
    DifferenceConv,
    FactorisedConv,
    GatedSkip,
    InvertedResidual,
    MaxPool,
    MultiDilation,
    MultiExpert,
    PixelShuffle,
    SobelGradient,
    StridedConv,
    StridedDepthwise,
)
from nas.space import SearchSpace

SPACE = SearchSpace(
    stem=Conv,
    stem_strides=(1, 2),
    levels=(2, 3, 4),
    depths=(1, 2, 3),
    predictions=(1, 2),
    max_stride=16,
    growth=(1.0, 1.5, 2.0),
    blocks=(
        Conv,
        FactorisedConv,
        DepthwiseSeparable,
        InvertedResidual,
        MultiDilation,
        SobelGradient,
        DifferenceConv,
        MultiExpert,
    ),
    attention=(None, ECA, CoordinateAttention),
    context=(None, CompactASPP),
    downs=(MaxPool, StridedDepthwise, StridedConv),
    skips=(AddSkip, ConcatSkip, GatedSkip),
    ups=(Bilinear, PixelShuffle),
    min_width=2,
)
