"""Splits as a function of the data alone.

A name's place depends on its hash, so the same folder is split in the same way on every machine and in every run, and the seed of
an experiment never moves an image from training to validation. Where the masks are known, the hash decides among images of like
foreground share only, so that no split gets all the large objects.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from nas.errors import UserError

SHARES = (0.6, 0.2, 0.2)
"""Shares of train, val and test where a data set brings no split of its own."""

_WORDS = re.compile(r"(hash of names|stratified by foreground share), seed -?\d+, [\d/]+")


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
    ranked = sorted(names, key=lambda name: _rank(name, seed))
    cuts, passed = [0], 0.0
    for share in shares[:-1]:
        passed += share
        # Every part gets a name before a later one gets its first: a set of three has a validation image.
        cuts.append(min(len(ranked), max(round(passed * len(ranked)), cuts[-1] + (share > 0))))
    cuts.append(len(ranked))
    return tuple(tuple(sorted(ranked[low:high])) for low, high in pairwise(cuts))


def split_words(seed: int, shares: Sequence[float] = SHARES) -> str:
    """How `split_names` would be described beside a result: "hash of names, seed 0, 60/20/20"."""
    return f"hash of names, seed {seed}, {_percentages(shares)}"


def stratified_split(foreground: Mapping[str, float], seed: int, shares: Sequence[float] = SHARES) -> tuple[tuple[str, ...], ...]:
    """Deals names out by hash within strata of like foreground share.

    The names, sorted by foreground share, are cut into strata of as many as the smallest part gets one name of (5 for 60/20/20), and
    each stratum is dealt: every part has names from everywhere between the smallest share and the largest.

    Args:
        foreground: Share of foreground pixels by name.
        seed: Another seed gives another split.
        shares: Share of each part; they sum to 1.

    Returns:
        One tuple of names per share, each sorted. Every part with a positive share gets a name before any gets a second; from then on
        sizes are within one of the exact shares.
    """
    ranked = sorted(foreground, key=lambda name: (foreground[name], _rank(name, seed)))
    width = round(1 / min(share for share in shares if share > 0))
    strata = (sorted(ranked[low : low + width], key=lambda name: _rank(name, seed)) for low in range(0, len(ranked), width))
    parts: list[list[str]] = [[] for _ in shares]
    for place, name in enumerate((name for stratum in strata for name in stratum), start=1):
        parts[_next_part([len(part) for part in parts], place, shares)].append(name)
    return tuple(tuple(sorted(part)) for part in parts)


def stratified_words(seed: int, shares: Sequence[float] = SHARES) -> str:
    """How `stratified_split` would be described: "stratified by foreground share, seed 0, 60/20/20"."""
    return f"stratified by foreground share, seed {seed}, {_percentages(shares)}"


def with_words(source: str, words: str) -> str:
    """A description in which other words say how names were dealt, and the rest stands.

    Args:
        source: Such as "folders; train and val: hash of names, seed 0, 75/25".
        words: From `split_words` or `stratified_words`.
    """
    stated, found = _WORDS.subn(words, source)
    return stated if found else f"{source}; {words}"


def fold_split(
    names: Sequence[str], foreground: Mapping[str, float], folds: int, fold: int, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """One fold of a cross-validation, stratified by foreground share: on few images one validation split is luck.

    Args:
        names: Distinct names to train and validate on; those of the test split stay out of it.
        foreground: Share of foreground pixels by name.
        folds: Number of folds, 2 or more.
        fold: Which one, 0 to `folds` - 1.
        seed: Another seed gives other folds.

    Returns:
        Names of training and of validation, each sorted. Over all folds every name validates once; folds differ by one name at most.

    Raises:
        UserError: If there is no such fold, or fewer names than folds.
    """
    if folds < 2 or not 0 <= fold < folds:
        raise UserError(f"fold {fold} of {folds}: expected 2 or more folds, counted from 0")
    if len(names) < folds:
        raise UserError(f"{len(names)} images cannot make {folds} folds: give at most {len(names)} folds")
    parts = stratified_split({name: foreground[name] for name in names}, seed, [1 / folds] * folds)
    return tuple(sorted(name for part in parts[:fold] + parts[fold + 1 :] for name in part)), parts[fold]


def fold_words(source: str, folds: int, fold: int, seed: int) -> str:
    """How a fold would be described: where the images are from, and "fold 1 of 3 of train and val, stratified by foreground share, ..."."""
    return f"{source}; fold {fold + 1} of {folds} of train and val, stratified by foreground share, seed {seed}"


def _next_part(sizes: Sequence[int], place: int, shares: Sequence[float]) -> int:
    """Which part gets the name of a place (from 1): an empty one, else the one that lacks most of what is due to it by then."""
    for part, (size, share) in enumerate(zip(sizes, shares, strict=True)):
        if size == 0 and share > 0:
            return part
    # Rounded, so that equal lacks are equal whatever the order of additions: the first part then has it.
    return max(range(len(shares)), key=lambda part: (round(shares[part] * place - sizes[part], 9), -part))


def _rank(name: str, seed: int) -> tuple[bytes, str]:
    """Where a name comes: a hash of it, and the name itself should two hashes be equal."""
    return hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=16).digest(), name


def _percentages(shares: Sequence[float]) -> str:
    return "/".join(f"{round(100 * share)}" for share in shares)
