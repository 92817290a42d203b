"""One call's working set of a training, and the step: the only place where weights change.

A step is a function of tensors on the device. The host enqueues it and reads nothing back, so a GPU never waits for it; whether the loss
was finite is asked once an epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from nas.data import Bank
from nas.evaluate.run import accepts_domain, check_logits
from nas.train.batches import Batch, steps_per_epoch
from nas.train.ema import float_tensors, update_average
from nas.train.loss import class_weights, segmentation_loss
from nas.train.optimiser import make_optimiser, optimiser_tensors, restore_optimiser
from nas.train.recipe import Recipe
from nas.train.state import TrainState, load_weights, on_host

MEMORY_FORMAT = torch.channels_last
"""1.1x to 1.3x on a CPU at batch 8, 1.3x to 1.8x at batch 16, and what a GPU's convolutions want."""


@dataclass
class Run:
    """What one call of `fit` works on; everything in it is on the device.

    Attributes:
        model: in training.
        banks: the data sets, in the order of their domains.
        recipe: how.
        device: where.
        optimiser: of the model's parameters.
        average: the moving average, by the names of `float_tensors`.
        weights: of the classes, for each data set.
        steps: of one epoch.
        multi: whether the model is told the domain of a batch.
    """

    model: nn.Module
    banks: Sequence[Bank]
    recipe: Recipe
    device: torch.device
    optimiser: torch.optim.Optimizer = field(init=False)
    average: dict[str, Tensor] = field(init=False)
    weights: list[Tensor] = field(init=False)
    steps: int = field(init=False)
    multi: bool = field(init=False)

    def __post_init__(self) -> None:
        self.model.to(device=self.device, memory_format=MEMORY_FORMAT)  # type: ignore[call-overload]  # missing in torch's stubs
        self.optimiser = make_optimiser(self.model, self.recipe)
        self.average = {name: tensor.clone() for name, tensor in float_tensors(self.model).items()}
        rule = self.recipe.class_weights
        self.weights = [torch.tensor(class_weights(bank.pixel_shares, rule), device=self.device) for bank in self.banks]
        self.steps = steps_per_epoch([bank.train_images.shape[1] for bank in self.banks], self.recipe.batch_size)
        self.multi = accepts_domain(self.model)

    def restore(self, state: TrainState) -> None:
        """Take a state up: weights, average and optimiser."""
        load_weights(self.model, state.weights)
        restore_optimiser(self.model, self.optimiser, state.optimiser)
        for name, tensor in self.average.items():
            tensor.copy_(state.ema[name])

    def snapshot(self, epoch: int, random: dict[str, Tensor]) -> TrainState:
        """Copy the state as it is after an epoch."""
        weights = on_host({name: tensor for name, tensor in self.model.state_dict().items() if isinstance(tensor, Tensor)})
        ema = weights | on_host(self.average)
        return TrainState(epoch, weights, ema, on_host(optimiser_tensors(self.model, self.optimiser)), random)


def train_step(run: Run, live: list[Tensor], batch: Batch, ema_decay: float | Tensor) -> Tensor:
    """Take one step of training.

    Args:
        run: whose model, optimiser and average change; the learning rate is set already.
        live: the model's `float_tensors`, as a list.
        batch: on the device.
        ema_decay: share of the average that this step keeps; a scalar tensor in a recorded step.

    Returns:
        The loss before the step, a scalar on the device.

    Raises:
        ValueError: if the model does not answer at the size of the masks with the classes of the data set.
    """
    with torch.autocast(run.device.type, torch.bfloat16, enabled=run.device.type == "cuda"):
        logits = run.model(batch.image, domain=batch.domain) if run.multi else run.model(batch.image)
    check_logits(logits, batch.mask, run.banks[batch.domain].num_classes)
    loss = segmentation_loss(logits, batch.mask, run.weights[batch.domain], run.recipe.dice_weight)
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if run.recipe.max_grad_norm is not None:
        nn.utils.clip_grad_norm_(run.model.parameters(), run.recipe.max_grad_norm)
    run.optimiser.step()
    update_average(list(run.average.values()), live, ema_decay)
    return loss.detach()
