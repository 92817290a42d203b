"""Recorded steps: the same training as eager steps, checked before use, with a way back that leaves no trace.

A CUDA graph needs a GPU; what surrounds it does not. Here a capture of one's own stands for it.
"""

import logging
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from nas.train import Recipe, fit
from nas.train import graphed as graphed_module
from nas.train.batches import Batch, epoch_batches
from nas.train.graphed import GraphedStep, eager_step, make_step
from nas.train.run import Run

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=2, batch_size=4, learning_rate=0.02)


def faithful(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Does what a CUDA graph does: some steps before the recording, then the step on the buffers of the moment."""
    step()
    return step


def make_run(make_net, *banks, dropout: float = 0.2, net=None) -> Run:
    run = Run(net or make_net(dropout=dropout), banks, RECIPE, CPU)
    run.model.train()
    for group in run.optimiser.param_groups:
        group["lr"] = torch.tensor(0.0)  # as on a GPU
    return run


def everything(run: Run) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in graphed_module._tensors(run).items()}


def train(run: Run, step, banks, epochs: int = 2) -> list[float]:
    """Losses of some epochs at rates that change from step to step."""
    torch.manual_seed(7)
    losses = []
    for epoch in range(epochs):
        for number, batch in enumerate(epoch_batches(banks, 4, 0, epoch, CPU)):
            losses.append(step(batch, 0.02 / (number + 1), 0.5 + 0.1 * epoch).item())
    return losses


def eagerly(run: Run):
    return lambda batch, rate, decay: eager_step(run, batch, rate, torch.tensor(decay))


def graphed(run: Run, capture, epochs: int = 12) -> GraphedStep:
    return GraphedStep(run, epochs, capture)


def test_replayed_steps_train_as_eager_ones_to_the_bit(make_bank, make_net):
    bank = make_bank()
    one, other = make_run(make_net, bank), make_run(make_net, bank)
    step = graphed(other, faithful)
    assert train(other, step, [bank]) == train(one, eagerly(one), [bank])
    torch.testing.assert_close(everything(other), everything(one), rtol=0, atol=0)
    assert all(step._recordings.values())


def test_one_recording_for_each_shape_and_set(make_bank, two_heads):
    banks = [make_bank("a", images=10, classes=2), make_bank("b", images=8, classes=4, size=24, seed=1)]
    run, captures = make_run(None, *banks, net=two_heads(2, 4)), []

    def counting(step):
        captures.append(step)
        return faithful(step)

    train(run, graphed(run, counting), banks)
    assert len(captures) == 3  # 10 images are dealt into batches of 3, 3 and 4; those of the other set have another size


@pytest.fixture
def warnings_of_training(caplog):
    caplog.set_level(logging.WARNING, logger="nas.train.graphed")
    return caplog


def deaf_to(*deaf: str) -> Callable:
    """A capture whose replays see some inputs as they were when it was recorded."""

    def capture(step):
        recording = step.__closure__
        cells = {name: cell.cell_contents for name, cell in zip(step.__code__.co_freevars, recording, strict=True)}
        run, buffers = cells["self"].run, cells["buffers"]
        inputs = {"image": buffers.image, "mask": buffers.mask, "kept": cells["kept"], "rate": run.optimiser.param_groups[0]["lr"]}
        then = {name: inputs[name].clone() for name in deaf}

        def replay():
            for name, value in then.items():
                inputs[name].copy_(value)
            if "rate" in then:
                for group in run.optimiser.param_groups:
                    group["lr"].copy_(then["rate"])
            return step()

        return replay

    return capture


def fails(step):
    step()
    raise RuntimeError("operation not permitted when stream is capturing")


def idle(step):
    loss = step().clone()
    return lambda: loss


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (deaf_to("image"), "differ"),
        (deaf_to("mask"), "differ"),
        (deaf_to("kept"), "differ"),
        (deaf_to("rate"), "differ"),
        (idle, "differ"),
        (fails, "not permitted when stream is capturing"),
    ],
)
def test_a_bad_recording_is_not_used_and_leaves_no_trace(make_bank, make_net, warnings_of_training, capture, reason):
    bank = make_bank()
    one, other = make_run(make_net, bank), make_run(make_net, bank)
    expected = train(one, lambda *arguments: eager_step(one, *arguments), [bank])
    assert train(other, graphed(other, capture), [bank]) == expected
    torch.testing.assert_close(everything(other), everything(one), rtol=0, atol=0)
    assert [reason in record.getMessage() for record in warnings_of_training.records] == [True]


def test_an_error_of_the_network_is_told_and_leaves_no_trace(make_bank, make_net):
    bank = make_bank()
    run = make_run(make_net, bank, net=make_net(classes=7))
    before, batch = everything(run), next(epoch_batches([bank], 4, 0, 0, CPU))
    with pytest.raises(ValueError, match="logits"):
        graphed(run, faithful)(batch, 0.01, 0.9)
    torch.testing.assert_close(everything(run), before, rtol=0, atol=0)


def test_no_room_is_an_error_and_leaves_no_trace(make_bank, make_net):
    def full(step):
        step()
        raise torch.OutOfMemoryError("CUDA out of memory")

    bank = make_bank()
    run = make_run(make_net, bank)
    before = everything(run)
    with pytest.raises(torch.OutOfMemoryError):
        graphed(run, full)(next(epoch_batches([bank], 4, 0, 0, CPU)), 0.01, 0.9)
    after = everything(run)
    torch.testing.assert_close({name: after[name] for name in before}, before, rtol=0, atol=0)
    assert not run.notes


def test_once_a_recording_failed_no_other_is_made_or_used(make_bank, two_heads):
    banks = [make_bank("a", images=10, classes=2), make_bank("b", images=8, classes=4, size=24, seed=1)]
    run, captures = make_run(None, *banks, net=two_heads(2, 4)), []

    def second_fails(step):
        captures.append(step)
        return fails(step) if len(captures) == 2 else faithful(step)

    step = graphed(run, second_fails)
    train(run, step, banks)
    assert len(captures) == 2
    assert not any(step._recordings.values())
    assert run.notes == ["training goes on without a CUDA graph: operation not permitted when stream is capturing"]


def test_a_shape_of_few_steps_is_not_recorded(make_bank, make_net, monkeypatch):
    monkeypatch.setattr(graphed_module, "LEAST_STEPS", 12)
    bank, captures = make_bank(images=10), []  # in each epoch two batches of 3 and one of 4
    run = make_run(make_net, bank)

    def counting(step):
        captures.append(run)
        return faithful(step)

    for epochs, recorded in ((5, 0), (6, 1), (11, 1), (12, 2)):
        captures.clear()
        train(run, graphed(run, counting, epochs), [bank], epochs=1)
        assert len(captures) == recorded
    assert not run.notes


def test_a_process_whose_recording_broke_off_tries_no_other(make_bank, make_net, monkeypatch):
    monkeypatch.setattr(graphed_module, "can_capture", lambda: False)
    bank = make_bank()
    one, other = make_run(make_net, bank), make_run(make_net, bank)
    assert train(other, graphed(other, lambda step: pytest.fail("recorded")), [bank]) == train(one, eagerly(one), [bank])
    assert "earlier recording" in other.notes[0]


class Logarithm(torch.nn.Module):
    """A network that takes brightness between 0 and 1, in logarithms."""

    def __init__(self, bank) -> None:
        super().__init__()
        brightness = torch.from_numpy(bank.train_images.copy()).amin((0, 1, 2, 3)) / 255
        self.register_buffer("floor", (brightness - 0.45)[:, None, None] / 0.225)
        self.head = torch.nn.Conv2d(3, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.log(x - self.floor + 0.1))


def test_the_check_shows_a_network_brightness_within_the_range_of_its_images(make_bank):
    bank = make_bank()
    run = make_run(None, bank, net=Logarithm(bank))
    step = graphed(run, faithful)
    train(run, step, [bank])
    assert all(step._recordings.values())
    assert not run.notes


def test_an_eager_step_without_finite_numbers_is_called_that(make_bank, make_net):
    bank = make_bank()
    run = make_run(make_net, bank)
    with torch.no_grad():
        run.model.head.weight.fill_(torch.inf)
    graphed(run, lambda step: pytest.fail("recorded"))(next(epoch_batches([bank], 4, 0, 0, CPU)), 0.01, 0.9)
    assert run.notes == ["training goes on without a CUDA graph: the eager steps to check it against gave numbers that are not finite"]


def test_the_reason_comes_with_every_epoch(make_bank, make_net, monkeypatch):
    monkeypatch.setattr(sys.modules[fit.__module__], "make_step", lambda run, epochs: GraphedStep(run, 12 * epochs, fails))
    told = [epoch.notes for epoch in fit(make_net(), make_bank(), RECIPE)]
    assert told == [("training goes on without a CUDA graph: operation not permitted when stream is capturing",)] * 2
    monkeypatch.undo()
    assert [epoch.notes for epoch in fit(make_net(), make_bank(), RECIPE)] == [(), ()]


class Reads(TorchDispatchMode):
    """Counts how often the host reads a tensor."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func.overloadpacket in (torch.ops.aten._local_scalar_dense, torch.ops.aten.equal, torch.ops.aten.nonzero)
        return func(*args, **(kwargs or {}))


def test_the_host_reads_nothing_once_a_recording_is_made(make_bank, make_net):
    bank = make_bank()
    run = make_run(make_net, bank)
    batch = next(epoch_batches([bank], 4, 0, 0, CPU))
    step = graphed(run, faithful)
    with Reads() as reads:
        step(batch, 0.01, 0.9)
    assert reads.count > 0  # the check reads, and this way of counting sees it
    key = (0, *batch.image.shape)
    object.__setattr__(step._recordings[key], "replay", lambda: torch.zeros(()))
    with Reads() as reads:
        for _ in epoch_batches([bank], 4, 0, 1, CPU):
            step(batch, 0.02, 0.8)
    assert reads.count == 0


def test_a_batch_is_copied_and_not_kept(make_bank, make_net):
    bank = make_bank()
    run, seen = make_run(make_net, bank), []
    step = graphed(run, faithful)
    for batch in epoch_batches([bank], 3, 0, 0, CPU):
        step(Batch(batch.image, batch.mask, 0), 0.01, 0.9)
        (recording,) = step._recordings.values()
        assert torch.equal(recording.batch.image, batch.image)
        assert torch.equal(recording.batch.mask, batch.mask)
        seen.append(recording.batch.image.data_ptr())
    assert len(set(seen)) == 1
    assert recording.batch.image.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_graph_is_used(make_bank, make_net, warnings_of_training, monkeypatch):
    bank, steps = make_bank(images=24, views=3), []

    def kept(run, epochs):
        steps.append(make_step(run, epochs))
        return steps[-1]

    monkeypatch.setattr(sys.modules["nas.train.fit"], "make_step", kept)
    last = list(fit(make_net(), bank, Recipe(epochs=12, batch_size=4, learning_rate=0.02), device="cuda"))[-1]
    assert any(steps[0]._recordings.values())
    assert not warnings_of_training.records
    assert not last.notes
    assert last.evaluations["small"].mean_iou > 0.8
