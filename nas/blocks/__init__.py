"""The vocabulary of a genome: one file, one operator family. A new operator is one file and one import here."""

from nas.blocks.aspp import CompactASPP as CompactASPP
from nas.blocks.base import AnyOperator as AnyOperator
from nas.blocks.base import Block as Block
from nas.blocks.base import Down as Down
from nas.blocks.base import Operator as Operator
from nas.blocks.base import Pair as Pair
from nas.blocks.base import Shape as Shape
from nas.blocks.base import Skip as Skip
from nas.blocks.base import Up as Up
from nas.blocks.base import WideBlock as WideBlock
from nas.blocks.base import WideDown as WideDown
from nas.blocks.conv import Conv as Conv
from nas.blocks.coordinate_attention import CoordinateAttention as CoordinateAttention
from nas.blocks.gradient import SobelGradient as SobelGradient
from nas.blocks.head import Head as Head
from nas.blocks.head import Resize as Resize
from nas.blocks.multi_dilation import MultiDilation as MultiDilation
from nas.blocks.pool import MaxPool as MaxPool
from nas.blocks.separable import DepthwiseSeparable as DepthwiseSeparable
from nas.blocks.separable import StridedDepthwise as StridedDepthwise
from nas.blocks.skip import AddSkip as AddSkip
from nas.blocks.skip import ConcatSkip as ConcatSkip
from nas.blocks.upsample import Bilinear as Bilinear
from nas.blocks.vocabulary import built_in_blocks as built_in_blocks
from nas.blocks.vocabulary import vocabulary_with as vocabulary_with
