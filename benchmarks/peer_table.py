"""Cost and receptive field of the known hand-designed networks, scaled to one cap: the table of reports/peers.md, and drawings beside it.

Run: python benchmarks/peer_table.py [--budget 10000] > reports/peers.md
"""

import argparse
import re
from pathlib import Path

from nas.cost import Budget, estimate
from nas.drawing import drawing
from nas.files import write_text
from nas.receptive_field import receptive_field
from nas.space import Misfit, load_peers, load_space
from nas.topology import walk

IN_SHAPE, NUM_CLASSES = (3, 256, 256), 2

DRAWINGS = Path(__file__).resolve().parents[1] / "reports" / "peers"


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--budget", type=int, default=10_000)
    flags = made.parse_args()
    space = load_space("tiny_unet")
    print(f"# Hand-designed networks at {flags.budget:,} parameters\n")
    print(f"`python benchmarks/peer_table.py --budget {flags.budget}`: the genomes of `search_spaces/peers.py`, their widths scaled to the")
    print(
        f"cap; {NUM_CLASSES} classes, MACs and activation memory at {IN_SHAPE[1]}x{IN_SHAPE[2]}. Closed form: the same on every machine.\n"
    )
    print("| network | parameters | MACs | activations | receptive field | widths: stem, encoder, decoder |")
    print("|---|---:|---:|---:|---:|---|")
    for peer in load_peers():
        try:
            genome = space.scale_to(peer.genome, Budget(flags.budget), IN_SHAPE, NUM_CLASSES)
        except Misfit as misfit:
            print(f"| {peer.name} | does not fit: {misfit.cost.params:,} at its narrowest | | | | |")
            continue
        cost = estimate(genome, IN_SHAPE, NUM_CLASSES)
        sees = receptive_field(walk(genome, IN_SHAPE, NUM_CLASSES))
        widths = " ".join(map(str, genome.widths))
        costs = f"{cost.params:,} | {cost.macs / 1e6:,.1f}M | {cost.memory / 1024:,.0f}K"
        file = DRAWINGS / f"{re.sub(r'[^a-z0-9]+', '-', peer.name.lower()).strip('-')}.svg"
        write_text(file, drawing(genome, IN_SHAPE, NUM_CLASSES))
        print(f"| [{peer.name}]({DRAWINGS.name}/{file.name}) | {costs} | {sees} | {widths} |")
    print("\nWhere they come from:\n")
    for peer in load_peers():
        print(f"- {peer.name}: {peer.source}")


if __name__ == "__main__":
    main()
