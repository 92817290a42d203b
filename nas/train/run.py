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
from nas.train.batches import Batch, shown, steps_per_epoch
from nas.train.class_weights import class_weights
from nas.train.ema import float_tensors, update_average
from nas.train.flat import Flat, suits_blocks, with_gradients
from nas.train.layout import memory_format_for
from nas.train.losses import LOSSES
from nas.train.optimiser import make_optimiser, optimiser_tensors, restore_optimiser
from nas.train.recipe import Recipe
from nas.train.state import TrainState, load_weights, on_host


@dataclass
class Run:
    """What one call of `fit` works on; everything in it is on the device.

    Attributes:
        model: in training.
        banks: the data sets, in the order of their domains.
        recipe: how.
        device: where.
        optimiser: of the model's parameters, or of blocks of them.
        average: the moving average, by the names of `float_tensors`.
        live: what is averaged, as it is now: the model's `float_tensors`, or blocks of them.
        kept: the averages of `live`.
        weights: of the classes, for each data set.
        shown: images of each data set in one epoch.
        steps: of one epoch.
        multi: whether the model is told the domain of a batch.
        half: whether the model computes in bfloat16, as autocast says.
        notes: what a person wants to know of how it goes.
    """

    model: nn.Module
    banks: Sequence[Bank]
    recipe: Recipe
    device: torch.device
    optimiser: torch.optim.Optimizer = field(init=False)
    average: dict[str, Tensor] = field(init=False)
    live: list[Tensor] = field(init=False)
    kept: list[Tensor] = field(init=False)
    weights: list[Tensor] = field(init=False)
    shown: list[int] = field(init=False)
    steps: int = field(init=False)
    multi: bool = field(init=False)
    half: bool = field(init=False)
    notes: list[str] = field(init=False, default_factory=list)
    _flat: Flat | None = field(init=False, default=None)
    _reached: tuple[bool, ...] | None = field(init=False, default=None)
    _passes: int = field(init=False, default=0)
    _formats: dict[tuple[int, int], torch.memory_format] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # A CPU's convolutions repack their weights whatever they are given, and blocks of memory hold them row by row.
        memory_format = torch.contiguous_format if self.device.type == "cpu" else torch.channels_last
        self.model.to(device=self.device, memory_format=memory_format)  # type: ignore[call-overload]  # missing in torch's stubs
        self.optimiser = make_optimiser(self.model, self.recipe)
        self.average = {name: tensor.clone() for name, tensor in float_tensors(self.model).items()}
        self.live, self.kept = list(float_tensors(self.model).values()), list(self.average.values())
        self._parameters = list(self.model.parameters())
        rule = self.recipe.class_weights
        self.weights = [torch.tensor(class_weights(bank.pixel_shares, rule), device=self.device) for bank in self.banks]
        self.shown = [shown(bank.train_images.shape[1], self.recipe.parts) for bank in self.banks]
        self.steps = steps_per_epoch(self.shown, self.recipe.batch_size)
        self.multi = accepts_domain(self.model)
        self.half = multiplies_bfloat16(self.device)

    def restore(self, state: TrainState) -> None:
        """Take a state up: weights, average and optimiser."""
        load_weights(self.model, state.weights)
        restore_optimiser(self.model, self.optimiser, state.optimiser)
        self._passes = state.epoch * self.steps
        for name, tensor in self.average.items():
            tensor.copy_(state.ema[name])

    def snapshot(self, epoch: int, random: dict[str, Tensor]) -> TrainState:
        """Copy the state as it is after an epoch."""
        weights = on_host({name: tensor for name, tensor in self.model.state_dict().items() if isinstance(tensor, Tensor)})
        ema = weights | on_host(self.average)
        return TrainState(epoch, weights, ema, on_host(self.optimiser_tensors()), random)

    def optimiser_tensors(self) -> dict[str, Tensor]:
        """What the optimiser remembers, by parameter and quantity."""
        return self._flat.optimiser_tensors() if self._flat else optimiser_tensors(self.model, self.optimiser)

    def format_of(self, batch: Batch) -> torch.memory_format:
        """The order of an image's numbers that the network trains fastest with."""
        if self.device.type != "cpu":
            return torch.channels_last
        height, width = batch.image.shape[2:]
        key = batch.domain, self.recipe.batch_size * height * width
        if key not in self._formats:
            # By the recipe's batch, not the one at hand: those of an epoch differ by an image, and a training that goes on begins with any.
            told = {"domain": batch.domain} if self.multi else {}
            self._formats[key] = memory_format_for(self.model, batch.image[:1], self.recipe.batch_size, **told)
        return self._formats[key]

    def forget_gradients(self) -> None:
        """Before a backward pass."""
        for parameter in self._parameters:
            parameter.grad = None

    def prepare_step(self) -> None:
        """After a backward pass: the gradient is limited, and lies where the optimiser looks for it.

        On a CPU the parameters are put into blocks with the first pass, and stay there as long as every pass reaches the same ones: what
        has no gradient must not decay, which a block cannot spare. A training that goes on asks what its passes reached before it stopped,
        so that it does as one that never did.
        """
        reached = with_gradients(self._parameters)
        if self._reached is None:
            self._reached = reached
            if self._blocks_wanted and suits_blocks(self.model, self.optimiser, self._passes):
                self._flat = Flat(self.model, self.optimiser, self.average)
                self.optimiser, self.average = self._flat.optimiser, self._flat.average
                self.live, self.kept = self._flat.live, self._flat.kept
        elif self._flat is not None and reached != self._reached:
            self.release()
        longest = self.recipe.max_grad_norm
        if self._flat is not None:
            self._flat.gather()
            if longest is not None:
                self._flat.limit(longest)
        elif longest is not None:
            nn.utils.clip_grad_norm_(self._parameters, longest)

    @property
    def _blocks_wanted(self) -> bool:
        """With several sets each step reaches the head of another one; a GPU's graph takes all launches away."""
        return self.device.type == "cpu" and len(self.banks) == 1

    def release(self) -> None:
        """Gives the model memory of its own again; nothing else changes."""
        if self._flat is None:
            return
        self.optimiser, self._flat = self._flat.dissolve(), None
        self.average = {name: self.average[name].clone() for name in float_tensors(self.model)}
        self.live, self.kept = list(float_tensors(self.model).values()), list(self.average.values())


def multiplies_bfloat16(device: torch.device) -> bool:
    """Say whether a device has units for bfloat16, as NVIDIA's GPUs have since Ampere; before, it is emulated, slower than float32."""
    if device.type != "cuda":
        return False
    with torch.cuda.device(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def train_step(run: Run, batch: Batch, ema_decay: float | Tensor) -> Tensor:
    """Take one step of training.

    Args:
        run: whose model, optimiser and average change; the learning rate is set already.
        batch: on the device.
        ema_decay: share of the average that this step keeps; a scalar tensor in a recorded step.

    Returns:
        The loss before the step, a scalar on the device.

    Raises:
        ValueError: if the model does not answer at the size of the masks with the classes of the data set.
    """
    image = batch.image.contiguous(memory_format=run.format_of(batch))
    with torch.autocast(run.device.type, torch.bfloat16, enabled=run.half):
        logits = run.model(image, domain=batch.domain) if run.multi else run.model(image)
    check_logits(logits, batch.mask, run.banks[batch.domain].num_classes)
    loss = LOSSES[run.recipe.loss](logits, batch.mask, run.weights[batch.domain], run.recipe.dice_weight)
    run.forget_gradients()
    loss.backward()  # type: ignore[no-untyped-call]
    run.prepare_step()
    run.optimiser.step()
    update_average(run.kept, run.live, ema_decay)
    return loss.detach()
