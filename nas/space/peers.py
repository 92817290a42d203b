"""Known hand-designed networks as genomes, to be compared with and to start a search from."""

from dataclasses import dataclass

from nas.errors import UserError
from nas.genome import Genome
from nas.space.load import built_in_folder, load_module


@dataclass(frozen=True)
class Peer:
    """A hand-designed network.

    Attributes:
        name: How it is called.
        source: Paper with link, or where its description comes from; and what here departs from it.
        genome: Its structure. Widths are proportions: pass it through `SearchSpace.scale_to` for the data and caps at hand.
    """

    name: str
    source: str
    genome: Genome


def load_peers() -> tuple[Peer, ...]:
    """`PEERS` of `search_spaces/peers.py`.

    Raises:
        UserError: The file is gone or faulty.
    """
    path = built_in_folder() / "peers.py"
    if not path.is_file():
        raise UserError(f"the known networks should be in {path}, which is not there: install again, or use --warm-start none")
    peers = getattr(load_module(path), "PEERS", ())
    if not peers or not all(isinstance(peer, Peer) for peer in peers):
        raise UserError(f"{path} should define PEERS, a tuple of Peer(name, source, genome)")
    return tuple(peers)
