"""The first candidates of a search: known hand-designed networks, made to fit the caps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nas.errors import UserError
from nas.search.candidate import SHARE, Candidate, Target
from nas.space import Misfit, Peer, with_router

LARGEST_SHARE = 4
"""At most one of so many trials is a warm start."""


@dataclass(frozen=True)
class WarmStart:
    """What became of the known networks.

    Attributes:
        candidates: Those that fit, in the order of the list.
        left_out: Name and reason of each that is not trained.
    """

    candidates: tuple[Candidate, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    def reasons(self) -> dict[str, list[str]]:
        """Reason -> names of those that it leaves out."""
        grouped: dict[str, list[str]] = {}
        for name, reason in self.left_out:
            grouped.setdefault(reason, []).append(name)
        return grouped


def warm_start(target: Target, peers: Sequence[Peer], trials: int, *, shared: bool) -> WarmStart:
    """Scales the peers to the caps.

    Args:
        target: What they must fit.
        peers: In order of preference.
        trials: Wanted in the study; a quarter of them at most are warm starts.
        shared: Whether the share of the parameter cap to fill is a gene; peers fill it.
    """
    candidates: list[Candidate] = []
    left_out: list[tuple[str, str]] = []
    for peer in peers:
        try:
            params = target.space.encode(with_router(target.space, peer.genome)) | ({SHARE: 1.0} if shared else {})
            candidate = replace(target.candidate(params), peer=peer.name)
        except Misfit:
            left_out.append((peer.name, "its narrowest form is over the caps"))
        except UserError as error:
            left_out.append((peer.name, str(error)))
        else:
            if len(candidates) < trials // LARGEST_SHARE:
                candidates.append(candidate)
            else:
                left_out.append((peer.name, f"{trials // LARGEST_SHARE} of {trials} trials are warm starts already"))
    return WarmStart(tuple(candidates), tuple(left_out))
