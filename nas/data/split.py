"""Splits as a function of names alone.

A name's place depends on its hash, so the same folder is split in the same way on every machine and in every run, and the seed of
an experiment never moves an image from training to validation.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

SHARES = (0.6, 0.2, 0.2)
"""Shares of train, val and test where a data set brings no split of its own."""


def split_names(names: Sequence[str], seed: int, shares: Sequence[float] = SHARES) -> tuple[tuple[str, ...], ...]:
    """Deals names out by hash.

    Args:
        names: Distinct names.
        seed: Another seed gives another split.
        shares: Share of each part; they sum to 1.

    Returns:
        One tuple of names per share, each sorted; sizes are within one of the exact shares, except that no part before the
        last one with a positive share stays empty while there are names to give.
    """
    ranked = sorted(names, key=lambda name: (hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).digest(), name))
    cuts, passed = [0], 0.0
    for share in shares[:-1]:
        passed += share
        # Every part gets a name before a later one gets its first: a set of three has a validation image.
        cuts.append(min(len(ranked), max(round(passed * len(ranked)), cuts[-1] + (share > 0))))
    cuts.append(len(ranked))
    return tuple(tuple(sorted(ranked[low:high])) for low, high in pairwise(cuts))


def split_words(seed: int, shares: Sequence[float] = SHARES) -> str:
    """How `split_names` would be described beside a result: "hash of names, seed 0, 60/20/20"."""
    return f"hash of names, seed {seed}, {'/'.join(f'{round(100 * share)}' for share in shares)}"
