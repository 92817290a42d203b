"""New draws from old ones: a few genes drawn anew, or the parts of two draws mixed.

Real et al., Regularized Evolution for Image Classifier Architecture Search, 2019, https://arxiv.org/abs/1802.01548; Syswerda, Uniform
Crossover in Genetic Algorithms, 1989.
"""

from collections.abc import Mapping
from math import exp, log
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

Params = Mapping[str, Any]
Distributions = Mapping[str, BaseDistribution]


def drawn(distributions: Distributions, random: np.random.Generator) -> dict[str, Any]:
    """Every gene drawn by chance."""
    return {name: gene(distribution, random) for name, distribution in distributions.items()}


def mutant(parent: Params, distributions: Distributions, random: np.random.Generator) -> dict[str, Any]:
    """A parent with 1 to 16 genes drawn anew, mostly few: about half of the genes of a draw decide nothing in its network."""
    count = min(len(distributions), int(2 ** random.uniform(0, 4)))
    chosen = set(random.choice(sorted(distributions), size=count, replace=False).tolist())
    return {name: gene(one, random) if name in chosen or name not in parent else parent[name] for name, one in distributions.items()}


def child(mother: Params, father: Params, distributions: Distributions, random: np.random.Generator) -> dict[str, Any]:
    """Each part of the network, which is the first word of a gene's name, from one of two parents."""
    parts = sorted({_part(name) for name in distributions})
    chosen = dict(zip(parts, random.random(len(parts)) < 0.5, strict=True))
    found = {}
    for name, distribution in distributions.items():
        parent = mother if chosen[_part(name)] else father
        found[name] = parent[name] if name in parent else gene(distribution, random)
    return found


def _part(name: str) -> str:
    return name.split("_")[0]


def gene(distribution: BaseDistribution, random: np.random.Generator) -> Any:
    """One gene drawn by chance.

    Raises:
        TypeError: Optuna has a distribution that is not known here.
    """
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(random.integers(len(distribution.choices)))]
    if isinstance(distribution, IntDistribution):
        steps = (distribution.high - distribution.low) // distribution.step
        return distribution.low + distribution.step * int(random.integers(steps + 1))
    if isinstance(distribution, FloatDistribution):
        low, high = distribution.low, distribution.high
        value = exp(random.uniform(log(low), log(high))) if distribution.log else float(random.uniform(low, high))
        return min(max(value, low), high)
    raise TypeError(f"a gene is categorical, an integer or a float; got {distribution!r}")
