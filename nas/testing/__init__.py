"""Conformance suites: promises that every block, space and data layout keeps, as functions; tests call them, a user's own too."""

from nas.evaluate.activations import measured_peak as measured_peak
from nas.testing.blocks import block_variants as block_variants
from nas.testing.blocks import check_operator as check_operator
from nas.testing.genomes import check_genome as check_genome
from nas.testing.genomes import counted_macs as counted_macs
from nas.testing.layouts import check_layout as check_layout
from nas.testing.layouts import check_opened as check_opened
from nas.testing.report import check_space_file as check_space_file
from nas.testing.spaces import check_space as check_space
