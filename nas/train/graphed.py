"""The training step as a CUDA graph: recorded once for each shape of batch, then replayed as a single launch.

A step of a tiny network is about a thousand kernels of a few microseconds, and a host needs longer to launch them than a GPU to run them
(Gray, Getting Started with CUDA Graphs, 2019, https://developer.nvidia.com/blog/cuda-graphs/; Nguyen et al., Accelerating PyTorch with
CUDA Graphs, 2021, https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs/). What changes from step to step stands in buffers on
the device: images, masks, the learning rate and the share of the average that is kept. The host fills them and reads nothing.

A recording is checked against the eager step before it counts, on inputs other than those it was recorded with; that check, once for each
shape, is the one place where the host waits. Where it fails, training goes on eagerly from the untouched state, and the run notes why.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from nas.train.batches import Batch, count_by_size
from nas.train.capture import can_capture, cuda_capture
from nas.train.isolation import isolated, random_state
from nas.train.optimiser import set_learning_rate
from nas.train.run import Run, train_step

LEAST_STEPS = 12
"""Steps of a shape for which a recording pays: it costs two eager ones, one before it, itself, and the check."""

TOLERANCE = 0.1
"""Largest distance between what recording and eager step did, relative to what the eager step did, as sums of absolute values. Atomic
additions differ from run to run, and AdamW's first steps go by signs: if a hundredth of the weights, those of almost no gradient, step the
other way, the distance is 0.02. A buffer that is ignored made one of 0.33 or more (`tests/train/test_graphed.py`)."""

Capture = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]
"""Records a step that writes to tensors in place; gives what replays it. Both return the loss, always in the same tensor when replayed."""

Step = Callable[[Batch, float, float], Tensor]
"""Takes a step of training: (batch, learning rate, share of the average that is kept) -> loss before the step, a scalar on the device."""

_log = logging.getLogger(__name__)


def make_step(run: Run, epochs: int) -> Step:
    """Gives how a run takes its steps: replayed on a CUDA device, eagerly elsewhere.

    Args:
        run: whose steps.
        epochs: that it will train.
    """
    return GraphedStep(run, epochs) if run.device.type == "cuda" else partial(eager_step, run)


def eager_step(run: Run, batch: Batch, rate: float, decay: float) -> Tensor:
    """Takes one step, kernel by kernel; see `Step`."""
    set_learning_rate(run.optimiser, rate)
    return train_step(run, batch, decay)


@dataclass(frozen=True)
class Recording:
    """A step that can be replayed on other inputs of the same shape.

    Attributes:
        run: whose optimiser holds the buffer of the learning rate.
        batch: buffers of images and masks.
        kept: buffer of the share of the average that a step keeps.
        replay: what a `Capture` gave.
    """

    run: Run
    batch: Batch
    kept: Tensor
    replay: Callable[[], Tensor]

    def __call__(self, batch: Batch, rate: float, decay: float) -> Tensor:
        """Fills the buffers and replays."""
        self.batch.image.copy_(batch.image)
        self.batch.mask.copy_(batch.mask)
        self.kept.fill_(decay)
        set_learning_rate(self.run.optimiser, rate)
        return self.replay()


@dataclass
class GraphedStep:
    """Takes steps of training, replayed where a recording stood its check, eagerly elsewhere and once one did not.

    Attributes:
        run: whose model, optimiser and average change; the optimiser's learning rate is a tensor (`make_optimiser`).
        epochs: that will be trained.
        capture: how to record.
    """

    run: Run
    epochs: int
    capture: Capture = cuda_capture
    _recordings: dict[tuple[int, ...], Recording | None] = field(default_factory=dict)
    _eager: bool = False

    def __post_init__(self) -> None:
        self._in_epoch = count_by_size(self.run.shown, self.run.recipe.batch_size)
        if not can_capture():
            self._give_up("an earlier recording in this process failed")

    def __call__(self, batch: Batch, rate: float, decay: float) -> Tensor:
        """Take one step.

        Args:
            batch: on the device.
            rate: learning rate of the step.
            decay: share of the average that the step keeps.

        Returns:
            The loss before the step, a scalar on the device; the next call may overwrite it.
        """
        recording = None if self._eager else self._recording(batch, rate, decay)
        if recording is None:
            return eager_step(self.run, batch, rate, decay)
        return recording(batch, rate, decay)

    def _recording(self, batch: Batch, rate: float, decay: float) -> Recording | None:
        """Of a batch's shape, made when it is first asked for; None where there is none."""
        key = (batch.domain, *batch.image.shape)
        if key not in self._recordings:
            pays = self.epochs * self._in_epoch[batch.domain, len(batch.image)] >= LEAST_STEPS
            self._recordings[key] = self._record(batch, rate, decay) if pays else None
        return self._recordings.get(key)

    def _record(self, batch: Batch, rate: float, decay: float) -> Recording | None:
        """Records and checks; None, with a note, where that fails. The training stands where it stood.

        Raises:
            OutOfMemoryError: of torch's: there is no room for the network, however it is trained.
        """
        try:
            return self._checked(batch, rate, decay)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self._give_up((str(error).splitlines() or [type(error).__name__])[0])  # without the advice that torch adds
            return None

    def _checked(self, batch: Batch, rate: float, decay: float) -> Recording:
        """A recording that stood its check.

        Raises:
            RuntimeError: it cannot be made, or does other than the eager step.
        """
        # Other pictures and other numbers: a recording that ignores one of its buffers cannot repeat the second step.
        trials = [(batch, rate, decay), (_negative(batch), 4 * rate, (1 + decay) / 2)]
        with _undone(self.run):
            eager = _outcome(self.run, trials, partial(eager_step, self.run))
        if not all(bool(part.isfinite().all()) for part in eager):
            raise RuntimeError("the eager steps to check it against gave numbers that are not finite")
        with _undone(self.run):
            buffers = Batch(batch.image.clone(), batch.mask.clone(), batch.domain)
            kept = torch.full((), decay, device=batch.image.device)
            set_learning_rate(self.run.optimiser, rate)
            replay = self.capture(lambda: train_step(self.run, buffers, kept))
        recording = Recording(self.run, buffers, kept, replay)
        with _undone(self.run):
            replayed = _outcome(self.run, trials, recording)
        distance = max(_distance(one, other) for one, other in zip(replayed, eager, strict=True))
        if not distance <= TOLERANCE:
            raise RuntimeError(f"replayed steps differ from eager ones by {distance:.2g} of their size")
        return recording

    def _give_up(self, reason: str) -> None:
        """Lets this run go on eagerly: what fails for a shape fails for the next, and a recording that broke off spoils those before it."""
        self._eager = True
        self._recordings.clear()
        note = f"training goes on without a CUDA graph: {reason}"
        self.run.notes.append(note)
        _log.warning(note)


def _negative(batch: Batch) -> Batch:
    """The images' negatives, in the range of each channel, since a network may take logarithms; the masks all background."""
    axes = (0, 2, 3)
    low, high = batch.image.amin(axes, keepdim=True), batch.image.amax(axes, keepdim=True)
    return Batch(low + high - batch.image, torch.zeros_like(batch.mask), batch.domain)


def _tensors(run: Run) -> dict[str, Tensor]:
    """All that a step changes, live."""
    weights = {f"model/{name}": tensor for name, tensor in run.model.state_dict().items() if isinstance(tensor, Tensor)}
    average = {f"average/{name}": tensor for name, tensor in run.average.items()}
    return weights | average | {f"optimiser/{name}": tensor for name, tensor in run.optimiser_tensors().items()}


@contextmanager
def _undone(run: Run) -> Iterator[None]:
    """Takes back all that a block does to a training, to the bit, also when the block fails."""
    before = {name: tensor.clone() for name, tensor in _tensors(run).items()}
    try:
        with isolated(random_state(run.device), run.device):
            yield
    finally:
        for name, tensor in _tensors(run).items():
            # What the optimiser has not had before starts as zeros.
            tensor.copy_(before[name]) if name in before else tensor.zero_()


def _outcome(run: Run, trials: list[tuple[Batch, float, float]], step: Step) -> tuple[Tensor, Tensor, Tensor]:
    """What some steps do: their losses, the change of the weights and that of the average, each as one vector."""
    names = [name for name, tensor in _tensors(run).items() if tensor.is_floating_point() and not name.startswith("optimiser/")]
    before = {name: tensor.clone() for name, tensor in _tensors(run).items()}
    losses = torch.stack([step(*trial).clone() for trial in trials])
    after = _tensors(run)
    weights, average = (
        torch.cat([(after[name] - before[name]).flatten() for name in names if name.startswith(kind)]) for kind in ("model/", "average/")
    )
    return losses, weights, average


def _distance(one: Tensor, other: Tensor) -> float:
    """Between two vectors, relative to the second; not a number if either is not finite."""
    difference, size = (one - other).abs().sum(), other.abs().sum()
    return float(difference / size.clamp(min=torch.finfo(size.dtype).tiny))
