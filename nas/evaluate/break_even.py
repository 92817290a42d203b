"""How well a network tells classes apart before it has learned how often they occur: the IoU at the break-even point.

For each class the pixels with the highest scores are taken, as many as there are of it; precision and recall are then equal, which is
called the break-even point (Raghavan, Bollmann and Jung, A Critical Investigation of Recall and Precision as Measures of Retrieval System
Performance, 1989, https://doi.org/10.1145/65943.65945). The most probable class says less early on: after a ninth of a short training most
networks call every pixel background, and all of those have IoU 0.

Scores are log-odds, counted in a histogram: one pass, no sorting, and memory that does not grow with the images.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from nas.data import VOID

REACH = 12.0
"""Log-odds beyond which scores count as equal: a probability of 6e-6 or 1 - 6e-6."""

BINS = 960
"""Of 1/40 each."""


def empty_scores(num_classes: int, device: torch.device) -> Tensor:
    """Make a histogram of zeros to count into.

    Args:
        num_classes: classes, the background among them.
        device: where the logits will be.

    Returns:
        `2 x num_classes x BINS`, int64: pixels of other classes, and pixels of the class.
    """
    return torch.zeros(2, num_classes, BINS, dtype=torch.int64, device=device)


def count_scores(scores: Tensor, logits: Tensor, mask: Tensor) -> None:
    """Add the pixels of a batch to a histogram, in place; void pixels are left out.

    Args:
        scores: as `empty_scores` made it.
        logits: `batch x classes x height x width`.
        mask: `batch x height x width`, any integer type, values below `classes` or `VOID`.
    """
    classes = scores.shape[1]
    odds = torch.logit(torch.softmax(logits.float(), dim=1), eps=1e-7)
    bins = ((odds + REACH) * (BINS / (2 * REACH))).long().clamp_(0, BINS - 1)
    kinds = torch.arange(classes, device=mask.device).view(1, -1, 1, 1)
    truth = mask.unsqueeze(1)
    cells = torch.where(truth == VOID, scores.numel(), ((truth == kinds) * classes + kinds) * BINS + bins).flatten()
    # One more bin, for void; not bincount(), for which the host would wait for a GPU.
    found = torch.zeros(scores.numel() + 1, dtype=torch.int64, device=scores.device)
    found.index_add_(0, cells, torch.ones(1, dtype=torch.int64, device=scores.device).expand(cells.numel()))
    scores += found[:-1].view_as(scores)


def hits(scores: Tensor) -> tuple[float, ...]:
    """Count the right pixels among those with the highest scores.

    Args:
        scores: of a whole data set.

    Returns:
        For each class, of as many pixels as it has, those that are of it. Of pixels with equal scores a share is taken, as chance would.
    """
    return tuple(_hits(*kind) for kind in zip(*scores.tolist(), strict=True))


def _hits(others: Sequence[int], own: Sequence[int]) -> float:
    left, found = sum(own), 0.0
    for wrong, right in zip(reversed(others), reversed(own), strict=True):
        if wrong + right >= left:
            return found + right * left / (wrong + right) if left else found
        left -= wrong + right
        found += right
    return found
