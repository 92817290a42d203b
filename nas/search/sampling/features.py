"""What a genome is like, as numbers: what it costs and is shaped like, and which operators it has with which settings.

Features know nothing of a space: an operator of a user's own has some too.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log, log1p
from typing import Any

from nas.search.candidate import Candidate

WIDE = {"width"}
"""Settings that follow from the caps and are told by the shape."""


@dataclass(frozen=True)
class Features:
    """Of a candidate.

    Attributes:
        shape: Costs, receptive field, depth and widths; logarithms but for numbers of levels. The same names for every genome.
        operators: Logarithm of one more than how often each operator stands in each part, and each setting of it anywhere.
    """

    shape: Mapping[str, float]
    operators: Mapping[str, float]


def features(candidate: Candidate) -> Features:
    """The features of a candidate."""
    document = candidate.genome.to_dict()
    parts = [(part, list(_operators(document[part]))) for part in ("stem", "encoder", "context", "router", "decoder")]
    return Features(_shape(candidate, parts), _counts(parts))


def _operators(document: Any) -> Iterator[Mapping[str, Any]]:
    """The operators of a part in the order of execution; a level of a decoder without a skip counts one that says so."""
    if isinstance(document, (list, tuple)):
        for one in document:
            yield from _operators(one)
    elif isinstance(document, dict) and "kind" in document:
        yield document
    elif isinstance(document, dict):
        for key in ("up", "skip", "blocks"):
            yield from _operators(document[key] or {"kind": "no skip"})


def _shape(candidate: Candidate, parts: list[tuple[str, list[Mapping[str, Any]]]]) -> dict[str, float]:
    cost, genome = candidate.cost, candidate.genome
    widths = [log(max(width, 1)) for width in genome.widths]
    return {
        "params": log(max(cost.params, 1)),
        "macs": log(max(cost.macs, 1)),
        "memory": log(max(cost.memory, 1)),
        "receptive field": log(max(candidate.sees.pixels, 1)),
        "levels": len(genome.encoder),
        "decoder levels": len(genome.decoder),
        "coarseness": len(genome.encoder) - len(genome.decoder),
        "operators": log1p(sum(len(operators) for _, operators in parts)),
        "first width": widths[0],
        "last width": widths[-1],
        "least width": min(widths),
        "largest width": max(widths),
    }


def _counts(parts: list[tuple[str, list[Mapping[str, Any]]]]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for part, operators in parts:
        for one in operators:
            found[f"{part}: {one['kind']}"] += 1
            found.update(f"{one['kind']}.{name}={json.dumps(value)}" for name, value in one.items() if name not in {"kind", *WIDE})
    return {name: log1p(count) for name, count in found.items()}
