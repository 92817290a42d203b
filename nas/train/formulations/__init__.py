"""Layers in forms that compute the same numbers faster: one file = one form, with what it was measured to save on top."""

from nas.train.formulations.applied import FORMULATIONS as FORMULATIONS
from nas.train.formulations.applied import fast_layers as fast_layers
