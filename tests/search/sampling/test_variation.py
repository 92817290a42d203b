"""Draws that come from draws stay within their distributions."""

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from nas.search.sampling.variation import child, drawn, gene, mutant
from nas.space import load_space

GENES = {
    "stem_width": FloatDistribution(0.5, 2.0, log=True),
    "stem_share": FloatDistribution(-1.0, 1.0),
    "encoder1_block": CategoricalDistribution(["a", "b", "c"]),
    "encoder1_depth": IntDistribution(1, 7, step=3),
}


def within(params, distributions):
    assert set(params) == set(distributions)
    return all(distributions[name]._contains(distributions[name].to_internal_repr(value)) for name, value in params.items())


@pytest.mark.parametrize("space", ["tiny_unet", None])
def test_everything_lies_within_its_distribution(space):
    distributions = load_space(space).distributions() if space else GENES
    random = np.random.default_rng(0)
    for _ in range(100):
        mother, father = drawn(distributions, random), drawn(distributions, random)
        assert within(mother, distributions)
        assert within(mutant(mother, distributions, random), distributions)
        assert within(child(mother, father, distributions, random), distributions)


def test_all_values_occur():
    random = np.random.default_rng(0)
    assert {gene(GENES["encoder1_block"], random) for _ in range(100)} == {"a", "b", "c"}
    assert {gene(GENES["encoder1_depth"], random) for _ in range(100)} == {1, 4, 7}
    assert np.mean([gene(GENES["stem_width"], random) < 1 for _ in range(400)]) == pytest.approx(0.5, abs=0.1)


def test_a_mutant_keeps_most_of_its_parent():
    distributions = load_space("tiny_unet").distributions()
    random = np.random.default_rng(0)
    parent = drawn(distributions, random)
    changes = [sum(mutant(parent, distributions, random)[name] != value for name, value in parent.items()) for _ in range(100)]
    assert max(changes) <= 16
    assert np.median(changes) < 6


def test_a_child_has_whole_parts_of_its_parents():
    random = np.random.default_rng(0)
    mother, father = drawn(GENES, random), drawn(GENES, random)
    seen = set()
    for _ in range(30):
        found = child(mother, father, GENES, random)
        seen.add(tuple("m" if found[name] == mother[name] else "f" for name in ("stem_width", "stem_share")))
    assert seen == {("m", "m"), ("f", "f")}


def test_a_gene_that_a_parent_lacks_is_drawn():
    random = np.random.default_rng(0)
    assert within(mutant({}, GENES, random), GENES)
    assert within(child({}, {}, GENES, random), GENES)


def test_an_unknown_distribution_is_refused():
    with pytest.raises(TypeError, match="categorical, an integer or a float"):
        gene(None, np.random.default_rng(0))
