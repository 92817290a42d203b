"""The default space: encoder-decoders of 2 to 4 levels for caps from about 2,000 parameters up.

Contains U-Net-like networks at full resolution (stem stride 1, plain convolutions) and lean ones at half resolution (stem stride 2,
multi-dilation or separable blocks); each stage chooses its block, its width and whether coordinate attention follows.

Run:      python -m nas.search --space tiny_unet --budget 10000
Edit:     copy this file, change SPACE, and give the copy's path to --space.
"""

from nas.blocks import (
    AddSkip,
    CompactASPP,
    ConcatSkip,
    Conv,
    CoordinateAttention,
    DepthwiseSeparable,
    MaxPool,
    MultiDilation,
    SobelGradient,
    StridedDepthwise,
)
from nas.space import SearchSpace

SPACE = SearchSpace(
    stem=Conv,
    stem_strides=(1, 2),
    levels=(2, 3, 4),
    growth=(1.0, 1.5, 2.0),
    blocks=(Conv, DepthwiseSeparable, MultiDilation, SobelGradient),
    attention=(None, CoordinateAttention),
    context=(None, CompactASPP),
    downs=(MaxPool, StridedDepthwise),
    skips=(AddSkip, ConcatSkip),
)
