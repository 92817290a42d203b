"""The pooled confusion matrix: every pixel of a data set counted once, rows = truth, columns = prediction.

All the figures of merit are functions of it, and two halves of a data set add up. It stays on the device as int64 and is read by the
host once, at the end.
"""

import torch
from torch import Tensor

from nas.data import VOID


def empty_confusion(num_classes: int, device: torch.device) -> Tensor:
    """Make a matrix of zeros to count into.

    Args:
        num_classes: classes, the background among them.
        device: where the predictions will be.

    Returns:
        `num_classes x num_classes`, int64.
    """
    return torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)


def predict(logits: Tensor) -> Tensor:
    """Choose the class of every pixel.

    Args:
        logits: `batch x classes x height x width`.

    Returns:
        `batch x height x width`, int64; among equal logits the lowest class.
    """
    # max() answers the same as argmax() and is up to 7 times as fast on a CPU (8 x 6 x 64 x 64: 0.6 against 3.9 ms).
    return logits.max(dim=1).indices


def count(confusion: Tensor, prediction: Tensor, mask: Tensor) -> None:
    """Add the pixels of a batch to a confusion matrix, in place; void pixels are left out.

    Args:
        confusion: `classes x classes`, int64; rows = truth.
        prediction: `batch x height x width`, int64, values below `classes`.
        mask: the same shape, any integer type, values below `classes` or `VOID`.

    Raises:
        ValueError: if prediction and mask differ in shape.
        IndexError: on a CPU, if the mask holds a value that is neither a class nor void.
    """
    if prediction.shape != mask.shape:
        raise ValueError(f"prediction and mask must have one shape, got {tuple(prediction.shape)} and {tuple(mask.shape)}")
    classes = confusion.shape[0]
    cells = mask.long() * classes + prediction
    cells = torch.where(mask == VOID, classes * classes, cells).flatten()
    # Counted with index_add_ into one bin more than there are cells, for void: bincount() would make the host wait for a GPU in
    # every batch, since the length of its answer depends on the data; on a CPU both take 0.09 ms for 8 x 64 x 64 pixels.
    bins = torch.zeros(classes * classes + 1, dtype=torch.int64, device=confusion.device)
    bins.index_add_(0, cells, torch.ones(1, dtype=torch.int64, device=confusion.device).expand(cells.numel()))
    confusion += bins[:-1].view(classes, classes)
