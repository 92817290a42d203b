"""Architectures as text."""

from nas.blocks import Conv
from nas.cost import estimate
from nas.genome import Genome
from nas.outline import outline
from tests.test_topology import GENOME


def test_a_line_a_stage_between_header_and_totals():
    lines = outline(GENOME, (3, 64, 64), 2).splitlines()
    assert len(lines) == 11 + 2
    assert lines[0].split() == ["stage", "output", "parameters", "MACs", "memory", "sees", "operators"]
    (level,) = [line for line in lines if line.startswith("encoder2")]
    assert level.split()[1:7] == ["12", "x", "16", "x", "16", "888"]
    assert level.endswith("max pool; conv kernel 3 -> 12")


def test_totals_are_the_cost():
    cost = estimate(GENOME, (3, 64, 64), 2)
    total = outline(GENOME, (3, 64, 64), 2).splitlines()[-1].split()
    assert total[0] == "total"
    assert f"{cost.params:,}" in total
    assert f"{cost.memory / 1024:,.0f}K" in total


def test_repeated_blocks_are_counted():
    genome = Genome(GENOME.stem, (*GENOME.encoder[:2], (*GENOME.encoder[2], Conv(16))), (), GENOME.decoder)
    assert "max pool; 2 x conv kernel 3 -> 16" in outline(genome, (3, 64, 64), 2)
