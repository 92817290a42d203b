"""Measure a network on the validation set of a bank."""

import inspect

import torch
from torch import Tensor, nn

from nas.data import Bank
from nas.evaluate.break_even import count_scores, empty_scores, hits
from nas.evaluate.confusion import count, empty_confusion, predict
from nas.evaluate.metrics import Evaluation
from nas.evaluate.normalise import normalise
from nas.evaluate.precision import full_float32
from nas.evaluate.residence import onto, resident


def accepts_domain(model: nn.Module) -> bool:
    """Say whether a network wants to know which data set an image is from: its `forward` has a parameter called `domain`."""
    return "domain" in inspect.signature(model.forward).parameters


def evaluate(
    model: nn.Module,
    bank: Bank,
    device: str | torch.device = "cpu",
    batch_size: int = 8,
    domain: int = 0,
    multi: bool = False,
    ranked: bool = False,
    sample: int | None = None,
) -> Evaluation:
    """Measure a network on all validation images of a bank, at their size.

    The network is moved to the device and measured in evaluation mode, in float32; each of its modules gets its own mode back afterwards.

    Args:
        model: takes `batch x C x H x W`, C as in the bank, gives logits `batch x classes x H x W`.
        bank: whose `val_images` and `val_masks` are used.
        device: where to compute.
        batch_size: images at once; it changes memory and speed, not the result.
        domain: position of the bank among those the network was trained on.
        multi: pass `domain=` to the network; for networks that accept it.
        ranked: measure at the break-even point too.
        sample: measure on so many images at most, evenly spread over the set and always the same; None for all.

    Returns:
        The evaluation over all pixels of these images that are not void.

    Raises:
        ValueError: if the logits do not have the size of the masks and one channel for each class.
    """
    device = torch.device(device)
    images, masks = (_sampled(resident(array, device), sample) for array in (bank.val_images, bank.val_masks))
    confusion = empty_confusion(bank.num_classes, device)
    scores = empty_scores(bank.num_classes, device) if ranked else None
    modes = [(module, module.training) for module in model.modules()]
    model.to(device).eval()
    try:
        with torch.inference_mode(), full_float32(device):
            for rows in zip(torch.split(images, batch_size), torch.split(masks, batch_size), strict=True):
                pixels, mask = (onto(part, device) for part in rows)
                inputs = normalise(pixels)
                logits = model(inputs, domain=domain) if multi else model(inputs)
                check_logits(logits, mask, bank.num_classes)
                count(confusion, predict(logits), mask)
                if scores is not None:
                    count_scores(scores, logits, mask)
    finally:
        for module, mode in modes:
            module.training = mode
    return Evaluation(tuple(map(tuple, confusion.tolist())), bank.classes, None if scores is None else hits(scores))


def _sampled(rows: Tensor, sample: int | None) -> Tensor:
    if sample is None or sample >= len(rows):
        return rows
    return rows.index_select(0, torch.arange(sample, device=rows.device) * len(rows) // sample)


def check_logits(logits: object, mask: Tensor, num_classes: int) -> None:
    """Refuse an answer that does not fit its masks.

    Args:
        logits: what a network gave.
        mask: `batch x height x width`.
        num_classes: classes of the data, the background among them.

    Raises:
        ValueError: if the logits are not `batch x num_classes x height x width`.
    """
    expected = (mask.shape[0], num_classes, *mask.shape[1:])
    if not isinstance(logits, Tensor):
        raise ValueError(f"the network must answer with one tensor of logits, {expected} here; it gave a {type(logits).__name__}")
    if tuple(logits.shape) != expected:
        raise ValueError(f"the network must answer one image with logits of its size, {expected} here; it gave {tuple(logits.shape)}")
