"""Few multiply-accumulates, for phones and microcontrollers; operators that quantise well.

Contains   encoder-decoders of 2 to 5 levels behind a stem of stride 2 or 4, prediction at 1/2 to 1/8; separable and ghost convolutions,
           inverted residuals, channel shuffling, pooled branches. ReLU alone within the blocks; squeeze-and-excitation is the only
           attention, and no operator needs square roots, computed kernels or gates over rows and columns.
Size       80 genes, about 10^33 settings of choices, widths apart.
Run        python -m nas.search --space mobile --budget 10000 --max-macs 5M
Expect     a tenth of the MACs of `tiny_unet`'s best at the same parameters, and less accuracy on thin structures.
"""

from nas.blocks import (
    AddSkip,
    Bilinear,
    ChannelSplit,
    CompactASPP,
    ConcatSkip,
    Conv,
    ConvBesidePool,
    DepthwiseSeparable,
    GhostConv,
    InvertedResidual,
    LiteASPP,
    MaxPool,
    PooledBranches,
    SqueezeExcite,
    StridedDepthwise,
    StridedInverted,
)
from nas.space import SearchSpace

SPACE = SearchSpace(
    stem=Conv,
    stem_strides=(2, 4),
    levels=(2, 3, 4, 5),
    depths=(1, 2, 3),
    predictions=(2, 4, 8),
    growth=(1.0, 1.5, 2.0),
    blocks=(DepthwiseSeparable, InvertedResidual, ChannelSplit, GhostConv, PooledBranches),
    attention=(None, SqueezeExcite),
    context=(None, CompactASPP, LiteASPP, PooledBranches),
    downs=(MaxPool, StridedDepthwise, ConvBesidePool, StridedInverted),
    skips=(AddSkip, ConcatSkip, None),
    ups=(Bilinear,),
    min_width=2,
)
