"""The sampler that learns what networks are like: of many draws it gives the one whose training promises most.

What a network costs is known before it is trained; only its accuracy is a guess, of a Gaussian process that every training teaches,
stopped ones too. Of random draws, mutants and children of the best networks it takes the one with the largest expected gain of hypervolume
(Emmerich, Giannakoglou and Naujoks, Single- and Multiobjective Evolutionary Optimization Assisted by Gaussian Random Field Metamodels,
2006, https://doi.org/10.1109/TEVC.2005.859463), and every third time that of accuracy. For networks see White, Neiswanger and Savani,
BANANAS, 2021, https://arxiv.org/abs/1910.11858.
"""

import contextlib
from collections.abc import Mapping, Sequence
from math import log10
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from nas.genome import Genome
from nas.machine import one_thread
from nas.pareto import hypervolume_gains, non_dominated
from nas.search.candidate import SHARE, Candidate, Target
from nas.search.objectives import ACCURACIES
from nas.search.sampling.features import Features, features
from nas.search.sampling.gaussian_process import Settings, Surrogate
from nas.search.sampling.knowledge import Knowledge, Known
from nas.search.sampling.variation import child, drawn, gene, mutant
from nas.search.volume import reference_costs, scaled
from nas.space import Misfit

FIRST = 6
"""Networks by chance, before there is anything to learn from."""

LEAST_FINISHED = 3
"""Networks trained to the end from which on accuracies are guessed."""

POOL = {"random": 12, "mutant": 16, "child": 4}
"""Draws among which one is chosen."""

ACCURATE = 3
"""Every so many-th draw is chosen for accuracy alone: hypervolume has more to gain from cheap networks than from the best one."""

LEAST_GAIN = 1e-9
"""Gain that an expected accuracy of 1 is worth in itself."""

ELITE = 6
"""Most accurate networks that have offspring, beside those of the front."""

LESSONS = 400
"""Networks that are learned from at most; a fit takes time with the third power of them."""

Floats = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
"""Where a normal distribution is asked, and with what weight."""


Identity = tuple[Genome, Any]
"""What a draw decides: a genome before scaling, and the share of the cap."""


def _identity(target: Target, params: Mapping[str, Any]) -> Identity:
    return target.space.decode(params), params.get(SHARE)


class SurrogateSampler(BaseSampler):
    """Give it a target, objectives and what is known of trained candidates (`meet`); until then it has no genes to draw.

    Args:
        seed: Of its draws.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._settings = Settings()
        self._dry = -1
        self._drawn: set[Identity] = set()
        self._parents_told: set[str] = set()
        self._reference: list[float] | None = None
        self._distributions: dict[str, BaseDistribution] = {}
        self._knowledge = Knowledge()
        self._target: Target | None = None
        self._objectives: Sequence[str] = ()

    def meet(self, target: Target, objectives: Sequence[str], distributions: Mapping[str, BaseDistribution], knowledge: Knowledge) -> None:
        """Says what candidates must fit, what is wanted of them, which genes there are, and where to read what became of candidates."""
        self._target, self._objectives, self._distributions = target, objectives, dict(distributions)
        self._knowledge = knowledge

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """All genes: a draw is made in one piece. None where a trial has its genes already."""
        del study
        return {} if self._target is None or "fixed_params" in trial.system_attrs else self._distributions

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """One draw."""
        del study, trial
        return dict(self._draw(self._target)) if search_space and self._target is not None else {}

    def sample_independent(self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution) -> Any:
        """By chance: for a parameter that is no gene."""
        del study, trial
        return gene(param_distribution, self._random)

    def _draw(self, target: Target) -> Mapping[str, Any]:
        by_chance = drawn(self._distributions, self._random)
        finished = self._knowledge.finished
        learned = len(self._knowledge.trained)
        if learned < FIRST or len(finished) < LEAST_FINISHED or learned == self._dry:
            return by_chance
        pool = self._pool(target, finished)
        if not pool:
            self._dry = learned  # A space with nothing new left near the best: asking again would take as long.
            return by_chance
        chosen = pool[int(np.argmax(self._promises(target, pool, finished)))].params
        self._drawn.add(_identity(target, chosen))
        return chosen

    def _pool(self, target: Target, finished: Sequence[Known]) -> list[Candidate]:
        """Draws that are new and fit, nearly as they would be trained."""
        parents = self._parents(target, finished)
        draws = [drawn(self._distributions, self._random) for _ in range(POOL["random"])]
        draws += [mutant(self._one(parents), self._distributions, self._random) for _ in range(POOL["mutant"])]
        draws += [child(self._one(parents), self._one(parents), self._distributions, self._random) for _ in range(POOL["child"])]
        found: dict[Identity, Candidate] = {}
        for params in draws:
            identity = _identity(target, params)
            if identity in found or identity in self._drawn:
                continue
            with contextlib.suppress(Misfit):
                found[identity] = target.sketch(params, identity[0])
        return list(found.values())

    def _parents(self, target: Target, finished: Sequence[Known]) -> list[Mapping[str, Any]]:
        """Genes of the front's networks and of the most accurate ones; they count as drawn, since most offspring that is known is one."""
        points = self._points(finished)
        front = non_dominated(points)
        accurate = sorted(finished, key=lambda one: -self._accuracy(one))[:ELITE]
        chosen = {one.candidate.genome.key: one for one in [*(one for one, keep in zip(finished, front, strict=True) if keep), *accurate]}
        for key in chosen.keys() - self._parents_told:
            self._drawn.add(_identity(target, chosen[key].candidate.params))
        self._parents_told |= chosen.keys()
        return [one.candidate.params for one in chosen.values()]

    def _one(self, parents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        return parents[int(self._random.integers(len(parents)))]

    def _promises(self, target: Target, pool: Sequence[Candidate], finished: Sequence[Known]) -> Floats:
        """The expected gain of hypervolume of each candidate."""
        told = [features(candidate) for candidate in pool]
        with one_thread():  # The other cores are the workers'.
            guesses = {name: self._guesses(name, told) for name in self._accuracies}
        front, corner = self._points(finished), self._corner(target)
        # Where nothing promises a gain, the most accurate.
        gains = LEAST_GAIN * sum(mean for mean, _ in guesses.values()) + np.zeros(len(pool))
        if guesses and len(self._knowledge.trained) % ACCURATE == 0:
            return np.asarray(gains + self._improvements(*guesses[self._accuracies[0]], finished))
        for node, weight in zip(NODES, WEIGHTS / WEIGHTS.sum(), strict=True):
            reached = {name: np.clip(mean + node * spread, 0.0, 1.0) for name, (mean, spread) in guesses.items()}
            points = [
                scaled(
                    self._objectives,
                    [float(reached[name][i]) if name in reached else float(getattr(one.cost, name)) for name in self._objectives],
                )
                for i, one in enumerate(pool)
            ]
            gains += weight * hypervolume_gains(front, corner, points)
        return gains

    def _improvements(self, mean: Floats, spread: Floats, finished: Sequence[Known]) -> Floats:
        """By how much each candidate is expected to be more accurate than the best."""
        best = max(map(self._accuracy, finished))
        return np.asarray(np.maximum(mean[:, None] + spread[:, None] * NODES - best, 0.0) @ (WEIGHTS / WEIGHTS.sum()))

    def _guesses(self, name: str, told: Sequence[Features]) -> tuple[Floats, Floats]:
        """Expected accuracies and their spreads; networks in training count as if they reached what is expected of them."""
        lessons = self._knowledge.lessons(name, LESSONS)
        seen, values, doubts = [one.known.features for one in lessons], [one.value for one in lessons], [one.doubt for one in lessons]
        surrogate = Surrogate(seen, values, doubts, self._random, self._settings)
        self._settings = surrogate.settings
        if pending := [one.features for one in self._knowledge.in_training.values()]:
            expected, _ = surrogate.predict(pending)
            seen, values, doubts = seen + pending, values + expected.tolist(), doubts + [0.0] * len(pending)
            surrogate = Surrogate(seen, values, doubts, self._random, self._settings, tries=1)
        mean, spread = surrogate.predict(told)
        return mean.numpy(), spread.numpy()

    @property
    def _accuracies(self) -> list[str]:
        return [name for name in self._objectives if name in ACCURACIES]

    def _accuracy(self, known: Known) -> float:
        assert known.final is not None
        return float(known.final[(self._accuracies or ["iou"])[0]])

    def _points(self, finished: Sequence[Known]) -> list[list[float]]:
        """Of finished networks, to be minimised."""
        return [scaled(self._objectives, [self._value(name, one) for name in self._objectives]) for one in finished]

    @staticmethod
    def _value(name: str, known: Known) -> float:
        assert known.final is not None
        return float(known.final[name] if name in ACCURACIES else getattr(known.candidate.cost, name))

    def _corner(self, target: Target) -> list[float]:
        if self._reference is None:
            costs = reference_costs(target, self._objectives)
            self._reference = [log10(costs[name]) if name in costs else 0.0 for name in self._objectives]
        return self._reference
