"""Measures any network on any data: the pooled confusion matrix and what it says. Knows nothing of genomes, trials or training."""

from nas.evaluate.metrics import OBJECTIVES, Evaluation, pool
from nas.evaluate.normalise import MEAN, STD, normalise
from nas.evaluate.run import accepts_domain, evaluate

__all__ = ["MEAN", "OBJECTIVES", "STD", "Evaluation", "accepts_domain", "evaluate", "normalise", "pool"]
