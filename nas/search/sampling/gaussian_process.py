"""A Gaussian process over genomes: what accuracy to expect of a network that nobody has trained.

Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, https://gaussianprocess.org/gpml/, chapters 2 and 5. The covariance
of two genomes is a weighted sum of two squared exponentials, one of the distance of their shapes and one of that of their operators.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from torch import Tensor

from nas.search.sampling.features import Features

LEAST_SPREAD = 0.2
"""Of an operator's count: a rare operator must not outweigh all others."""


@dataclass(frozen=True)
class Settings:
    """Of the covariance.

    Attributes:
        shape: Length over which shapes are alike, in root mean square of standard deviations.
        operators: The same for operators.
        share: Of the shape's part.
        noise: Variance of a measurement, as a share of the signal's.
    """

    shape: float = 1.5
    operators: float = 2.0
    share: float = 0.6
    noise: float = 0.1

    def varied(self, random: np.random.Generator) -> "Settings":
        """Near by, within bounds."""
        low, high = np.array([0.5, 0.5, 0.05, 0.02]), np.array([6.0, 6.0, 0.95, 1.0])
        now = np.array([self.shape, self.operators, self.share, self.noise])
        found = now * np.exp(random.normal(0, [0.4, 0.4, 0.3, 0.5]))
        return Settings(*np.clip(found, low, high).tolist())


class Table:
    """Features as two matrices, columns scaled by those of the trained.

    Args:
        trained: At least one.
    """

    def __init__(self, trained: Sequence[Features]) -> None:
        self._names = [sorted({name for one in trained for name in one.shape}), sorted({name for one in trained for name in one.operators})]
        raw = self._raw(trained)
        self._means = [matrix.mean(dim=0) for matrix in raw]
        least = (1e-6, LEAST_SPREAD)
        self._spreads = [matrix.std(dim=0, correction=0).clamp(min=floor) for matrix, floor in zip(raw, least, strict=True)]
        self._trained = self._scaled(raw)
        self.among_trained = [_distances(one, one) for one in self._trained]

    def to_trained(self, many: Sequence[Features]) -> list[Tensor]:
        """Mean squared distances (many x trained) of shapes and of operators."""
        return [_distances(*pair) for pair in zip(self._scaled(self._raw(many)), self._trained, strict=True)]

    def _scaled(self, raw: Sequence[Tensor]) -> list[Tensor]:
        return [(matrix - mean) / spread for matrix, mean, spread in zip(raw, self._means, self._spreads, strict=True)]

    def _raw(self, many: Sequence[Features]) -> list[Tensor]:
        shapes, operators = self._names
        return [
            torch.tensor([[one.shape.get(name, 0.0) for name in shapes] for one in many], dtype=torch.float64),
            torch.tensor([[one.operators.get(name, 0.0) for name in operators] for one in many], dtype=torch.float64),
        ]


def _distances(these: Tensor, those: Tensor) -> Tensor:
    return torch.cdist(these, those) ** 2 / max(these.shape[1], 1)


class Surrogate:
    """A Gaussian process that has seen some networks.

    Args:
        trained: Their features.
        values: Their accuracies.
        doubt: Of each value its own variance beside the common noise, in units of the accuracy squared.
        random: Draws the settings that are tried.
        start: Settings to try first.
        tries: Settings to try; those of highest marginal likelihood are kept.
    """

    def __init__(
        self,
        trained: Sequence[Features],
        values: Sequence[float],
        doubt: Sequence[float],
        random: np.random.Generator,
        start: Settings | None = None,
        tries: int = 6,
    ) -> None:
        self._table = Table(trained)
        targets = torch.tensor(values, dtype=torch.float64)
        self._mean, self._scale = float(targets.mean()), float(targets.std(correction=0)) + 1e-6
        self._targets = (targets - self._mean) / self._scale
        self._doubt = torch.tensor(doubt, dtype=torch.float64) / self._scale**2
        self.settings = start or Settings()
        best = self._fit(self.settings)
        for _ in range(tries - 1):
            tried = self.settings.varied(random)
            if (likelihood := self._fit(tried)) > best:
                best, self.settings = likelihood, tried
        self._fit(self.settings)

    def predict(self, many: Sequence[Features]) -> tuple[Tensor, Tensor]:
        """Expected accuracies and their standard deviations, (n,) each."""
        near = _covariance(self._table.to_trained(many), self.settings)
        explained = (torch.linalg.solve_triangular(self._lower, near.T, upper=False) ** 2).sum(dim=0)
        variance = self._amplitude * (1 - explained).clamp(min=1e-6)
        return near @ self._weights * self._scale + self._mean, variance.sqrt() * self._scale

    def _fit(self, settings: Settings) -> float:
        """The logarithm of the marginal likelihood, but for a constant; the amplitude is the most likely one."""
        count = len(self._targets)
        covariance = _covariance(self._table.among_trained, settings) + torch.diag(settings.noise + self._doubt)
        self._lower = torch.linalg.cholesky(covariance)
        half = torch.linalg.solve_triangular(self._lower, self._targets[:, None], upper=False)
        self._weights = torch.linalg.solve_triangular(self._lower.T, half, upper=True)[:, 0]
        self._amplitude = max(float((half**2).mean()), 1e-6)
        return -0.5 * count * log(self._amplitude) - float(torch.diag(self._lower).log().sum())


def _covariance(distances: Sequence[Tensor], settings: Settings) -> Tensor:
    shapes, operators = distances
    alike = settings.share * torch.exp(-shapes / (2 * settings.shape**2))
    return alike + (1 - settings.share) * torch.exp(-operators / (2 * settings.operators**2))
