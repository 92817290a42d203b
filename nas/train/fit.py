"""Training as a resumable generator: one `EpochMetrics` after each epoch, with the state from which to go on."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from nas.data import Bank
from nas.errors import UserError
from nas.evaluate.metrics import Evaluation
from nas.evaluate.run import evaluate
from nas.machine import is_short_of_memory
from nas.train.batches import epoch_batches
from nas.train.ema import averaged, decay_at
from nas.train.formulations import fast_layers
from nas.train.graphed import Step, make_step
from nas.train.isolation import first_random_state, isolated, random_state
from nas.train.optimiser import learning_rate
from nas.train.recipe import Recipe
from nas.train.run import Run
from nas.train.state import TrainState, load_ema

FEW_PIXELS = 2**20
"""Pixels that are validated at once, whatever a training batch has: at most four times as many as that."""


class Diverged(Exception):  # noqa: N818 - what happened, in the word the field has for it
    """Training left the finite numbers.

    Attributes:
        epoch: in which it did, from 1.
        what: was not finite: `"loss"` or `"weights"`.
    """

    def __init__(self, epoch: int, what: str) -> None:
        super().__init__(epoch, what)
        self.epoch = epoch
        self.what = what

    def __str__(self) -> str:
        return f"training diverged in epoch {self.epoch}: the {self.what} must stay finite; lower learning_rate or max_grad_norm"


class NoRoomToValidate(MemoryError):  # noqa: N818 - what happened
    """The memory does not suffice for a validation image, whatever batches and crops are trained on."""


@dataclass(frozen=True)
class EpochMetrics:
    """What is known after an epoch.

    Attributes:
        epoch: epochs completed, from 1.
        loss: mean over the steps of the epoch.
        learning_rate: of its last step.
        evaluations: of the averaged weights, by name of the data set; empty if the validation sets were not evaluated after this epoch.
        train_seconds: wall time of the steps.
        validate_seconds: wall time of the evaluation.
        state: from which `fit` goes on.
        notes: what a person wants to know of how this call has trained so far, such as why it does without a CUDA graph.
    """

    epoch: int
    loss: float
    learning_rate: float
    evaluations: Mapping[str, Evaluation]
    train_seconds: float
    validate_seconds: float
    state: TrainState
    notes: tuple[str, ...] = ()


def fit(
    model: nn.Module,
    data: Bank | Sequence[Bank],
    recipe: Recipe,
    state: TrainState | None = None,
    epochs: int | None = None,
    device: str | torch.device = "cpu",
    ranked: bool = False,
    sample: int | None = None,
) -> Iterator[EpochMetrics]:
    """Train a network, one epoch for each item that is asked for.

    Stopping after any epoch and going on with its state, in a fresh network and another process, equals never stopping: to the bit on a
    CPU with the same number of threads. The schedule spans `recipe.epochs`, wherever a call stops. Torch's global random state is neither
    read nor disturbed. While it trains, the network carries the weights of the moment; with the item of epoch `recipe.epochs` it carries
    the averaged weights that were evaluated: the trained network. Before that, `load_ema` puts them into a network.

    Args:
        model: takes `batch x 3 x h x w`, gives logits `batch x classes x h x w`. It is trained in place, moved to the device and to
            `channels_last`. Its present weights are the start, unless there is a state. With a parameter `domain` in its `forward` it is
            told the position of the data set that a batch is from.
        data: one bank, or several with different names; batches hold images of one bank each.
        recipe: how to train.
        state: from which to go on; of the same network, data and recipe.
        epochs: completed epochs, counted from the very beginning, after which this call stops; None for `recipe.epochs`.
        device: where to train; on a GPU that has units for bfloat16 in that, where torch's autocast says so.
        ranked: measure at the break-even point too.
        sample: evaluate on so many validation images of each set at most; None for all.

    Returns:
        A generator of one item for each epoch. The validation sets are evaluated after the epochs of which `recipe.validates` holds, and
        after the last of this call.

    Raises:
        UserError: if data sets are missing or share a name, or `epochs` or the state's epoch is beyond `recipe.epochs`.
        ValueError: if the state belongs to another network, or the network's answer does not fit the masks.
        Diverged: if the loss or the weights are not finite at the end of an epoch.
        NoRoomToValidate: if the memory does not suffice for validation.
    """
    banks = tuple(data) if isinstance(data, Sequence) else (data,)
    names = [bank.name for bank in banks]
    if not banks or len(set(names)) < len(names):
        raise UserError(f"training needs at least one data set, and each under a name of its own; got {', '.join(names) or 'none'}")
    stop = recipe.epochs if epochs is None else epochs
    if not 1 <= stop <= recipe.epochs:
        raise UserError(f"training can stop after 1 to {recipe.epochs} epochs (the recipe's length); got {stop}")
    if state is not None and state.epoch > recipe.epochs:
        raise UserError(f"the state is from epoch {state.epoch}, and the recipe ends with epoch {recipe.epochs}: give it more epochs")
    return _epochs(model, banks, recipe, state, stop, torch.device(device), partial(_validate, ranked=ranked, sample=sample))


def _epochs(
    model: nn.Module,
    banks: Sequence[Bank],
    recipe: Recipe,
    state: TrainState | None,
    stop: int,
    device: torch.device,
    validate: Callable[[Run], dict[str, Evaluation]],
) -> Iterator[EpochMetrics]:
    run = Run(model, banks, recipe, device)
    first = 0 if state is None else state.epoch
    take_step = make_step(run, stop - first)
    random = first_random_state(recipe.seed, device)
    if state is not None:
        run.restore(state)
        random |= state.random
        if state.epoch == recipe.epochs:  # nothing is left to do, and the network is the trained one all the same
            load_ema(model, state)
    try:
        for epoch in range(first, stop):
            with isolated(random, device):
                began = time.perf_counter()
                loss = _train_epoch(run, take_step, epoch)
                trained = time.perf_counter()
                random = random_state(device)
                evaluations = validate(run) if epoch + 1 == stop or recipe.validates(epoch + 1) else {}
                validated = time.perf_counter()
            rate = learning_rate(recipe, (epoch + 1) * run.steps - 1, recipe.epochs * run.steps)
            state = run.snapshot(epoch + 1, random)
            if state.epoch == recipe.epochs:
                load_ema(model, state)
            yield EpochMetrics(epoch + 1, loss, rate, evaluations, trained - began, validated - trained, state, tuple(run.notes))
    finally:
        run.release()


def _train_epoch(run: Run, take_step: Step, epoch: int) -> float:
    """Train one epoch, counted from 0; returns the mean loss."""
    run.model.train()
    recipe, first, total = run.recipe, epoch * run.steps, run.recipe.epochs * run.steps
    loss = torch.zeros((), device=run.device)
    with fast_layers(run.model, run.device):
        batches = epoch_batches(run.banks, recipe.batch_size, recipe.seed, epoch, run.device, recipe.parts)
        for step, batch in enumerate(batches, start=first):
            loss += take_step(batch, learning_rate(recipe, step, total), decay_at(step, recipe.ema_decay))
    # The one place where the host reads: the sum of the losses, and a number that is finite only if every averaged weight is.
    mean, norm = torch.stack([loss / run.steps, _norm(list(run.average.values()))]).tolist()
    if not math.isfinite(mean) or not math.isfinite(norm):
        raise Diverged(epoch + 1, "weights" if math.isfinite(mean) else "loss")
    return float(mean)


def _norm(tensors: list[Tensor]) -> Tensor:
    norms: tuple[Tensor, ...] = torch._foreach_norm(tensors)
    return torch.stack(norms).sum()


def _validate(run: Run, ranked: bool, sample: int | None) -> dict[str, Evaluation]:
    try:
        with averaged(run.model, run.average):
            return {
                bank.name: evaluate(run.model, bank, run.device, _validation_batch(bank, run.recipe), domain, run.multi, ranked, sample)
                for domain, bank in enumerate(run.banks)
            }
    except (MemoryError, RuntimeError) as error:
        if is_short_of_memory(error):
            raise NoRoomToValidate(str(error)) from error
        raise


def _validation_batch(bank: Bank, recipe: Recipe) -> int:
    """As many whole images as have the pixels of a training batch, or up to four times as many where that is little.

    Large images would need more memory than the training did. Small batches take a CPU twice as long: with one thread and fewer than 16
    images PyTorch unfolds each image for a 1 x 1 convolution.
    """
    _, _, crop_height, crop_width, _ = bank.train_images.shape
    _, height, width, _ = bank.val_images.shape
    trained = recipe.batch_size * int(crop_height * crop_width)
    return max(1, max(trained, min(4 * trained, FEW_PIXELS)) // int(height * width))
