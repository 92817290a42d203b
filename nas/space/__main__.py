"""Lists, shows and checks search spaces."""

import argparse
import sys
from itertools import islice
from pathlib import Path

from nas.cost import Budget
from nas.door import enter
from nas.drawing import drawing
from nas.export import ModelFacts, checked_source
from nas.files import write_text
from nas.flags import at_least, count, image_size, size_in_bytes
from nas.genome import Genome
from nas.outline import outline
from nas.space import Misfit, ScaledDraws, SearchSpace, find_space, known_spaces, load_peers, load_space, sized
from nas.testing import check_space_file

EXPORTS = 10
"""Random genomes whose model file `check` writes and compares."""


def parser() -> argparse.ArgumentParser:
    """The command's flags."""
    made = argparse.ArgumentParser(prog="python -m nas.space", description="Lists, shows and checks search spaces.")
    commands = made.add_subparsers(dest="command", metavar="show|check|peers")
    shown = commands.add_parser("show", help="sample architectures as trees")
    shown.add_argument("name", metavar="NAME_OR_FILE", help="a space")
    shown.add_argument("--samples", type=at_least(1), default=5, metavar="N", help="architectures (default %(default)s)")
    shown.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (default %(default)s)")
    checked = commands.add_parser("check", help="send a space through the conformance suite")
    checked.add_argument("name", metavar="NAME_OR_FILE", help="a space")
    peers = commands.add_parser("peers", help="the known hand-designed networks at the caps")
    peers.add_argument("--space", default="tiny_unet", dest="name", metavar="NAME_OR_FILE", help="whose limits hold (default %(default)s)")
    for command in (shown, peers):
        command.add_argument("--svg", type=Path, metavar="DIR", help="draw each as DIR/KEY.svg too")
    for command in (shown, checked, peers):
        command.add_argument("--budget", type=count, default=10_000, metavar="N", help="most parameters (default %(default)s)")
        command.add_argument("--max-macs", type=count, metavar="N", help="most multiply-accumulates, such as 50M")
        command.add_argument("--max-memory", type=size_in_bytes, metavar="N", help="most bytes of activations, such as 512K")
        command.add_argument("--image-size", type=image_size, default=(128, 128), metavar="H[xW]", help="pixels (default 128)")
        command.add_argument("--channels", type=at_least(1), default=3, metavar="N", help="of the image (default 3)")
        command.add_argument("--classes", type=at_least(2), default=2, metavar="N", help="logits with the background (default 2)")
    return made


def main() -> int:
    """Parses and does what the command says."""
    flags = parser().parse_args()
    if flags.command is None:
        print(listing())
        return 0
    if flags.command == "check":
        return check(flags)
    print(sampled(flags) if flags.command == "show" else known(flags))
    return 0


def listing() -> str:
    """Every built-in space with its docstring's first line, its size and its vocabulary."""
    parts = []
    for name in known_spaces():
        space = load_space(name)
        parts.append(f"{name}: {describe(space)}\n  {space.summary}\n  {', '.join(space.kinds)}")
    return "\n\n".join([*parts, "python -m nas.space show NAME prints sample architectures, python -m nas.space peers the known networks."])


def describe(space: SearchSpace) -> str:
    """Number of genes and of settings."""
    return f"{len(space.distributions())} genes, about 10^{space.log10_size:.0f} settings of choices, widths apart"


def sampled(flags: argparse.Namespace) -> str:
    """Random draws, scaled to the caps."""
    space = sized(load_space(flags.name), *flags.image_size)
    draws = ScaledDraws(space, _budget(flags), _in_shape(flags), flags.classes, flags.seed)
    shown = [f"{genome.key}\n{_tree(genome, flags)}" for genome in islice(draws, flags.samples)]
    seen = f"{draws.misfits} of {draws.misfits + flags.samples} draws were over the caps at their narrowest"
    return "\n\n".join([f"{space.name}: {describe(space)}", *shown, seen])


def known(flags: argparse.Namespace) -> str:
    """The hand-designed networks, scaled to the caps."""
    space, parts = load_space(flags.name), []
    for peer in load_peers():
        try:
            genome = space.scale_to(peer.genome, _budget(flags), _in_shape(flags), flags.classes)
        except Misfit as misfit:
            parts.append(f"{peer.name}: {peer.source}\n  does not fit: {misfit}")
        else:
            parts.append(f"{peer.name}: {peer.source}\n{_tree(genome, flags)}")
    return "\n\n".join(parts)


def check(flags: argparse.Namespace) -> int:
    """Prints what holds and what does not; 2 where something does not."""
    file = find_space(flags.name)
    space = load_space(file)
    problems = check_space_file(space, file.path, _budget(flags), print)
    if not problems:
        _check_exports(space, flags)
        print(f"{space.name} is sound: {describe(space)}")
        return 0
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{file.path} does not keep {len(problems)} of the promises of spaces: see CONTRIBUTING.md", file=sys.stderr)
    return 2


def _check_exports(space: SearchSpace, flags: argparse.Namespace) -> None:
    facts = ModelFacts(flags.channels, flags.image_size, (("", tuple(f"class {i}" for i in range(flags.classes))),), ())
    for genome in islice(ScaledDraws(space, _budget(flags), _in_shape(flags), flags.classes), EXPORTS):
        checked_source(genome, facts)
    print(f"the model files of {EXPORTS} random genomes equal their networks")


def _tree(genome: Genome, flags: argparse.Namespace) -> str:
    if flags.svg is not None:
        write_text(flags.svg / f"{genome.key}.svg", drawing(genome, _in_shape(flags), flags.classes))
    return "\n".join(f"  {line}" for line in outline(genome, _in_shape(flags), flags.classes).splitlines())


def _budget(flags: argparse.Namespace) -> Budget:
    return Budget(flags.budget, flags.max_macs, flags.max_memory)


def _in_shape(flags: argparse.Namespace) -> tuple[int, int, int]:
    height, width = flags.image_size
    return flags.channels, height, width


if __name__ == "__main__":
    sys.exit(enter(main))
