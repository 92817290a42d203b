"""The step of a training."""

from contextlib import nullcontext

import pytest
import torch

from nas.train import Recipe
from nas.train.batches import epoch_batches
from nas.train.run import Run, multiplies_bfloat16, train_step

CPU = torch.device("cpu")


@pytest.mark.parametrize(("half", "kind"), [(False, torch.float32), (True, torch.bfloat16)])
def test_a_network_computes_in_bfloat16_where_the_run_says_so(make_bank, make_net, half, kind):
    bank, net, kinds = make_bank(), make_net(), []
    net.head.register_forward_hook(lambda module, given, logits: kinds.append(logits.dtype))
    run = Run(net, [bank], Recipe(epochs=1, batch_size=4), CPU)
    assert run.half is False
    run.half = half
    train_step(run, next(epoch_batches([bank], 4, 0, 0, CPU)), 0.9)
    assert kinds[-1] == kind


@pytest.mark.parametrize("has_units", [True, False])
def test_a_gpu_that_emulates_bfloat16_does_without(monkeypatch, has_units):
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or has_units)
    assert multiplies_bfloat16(torch.device("cuda")) is has_units
    assert multiplies_bfloat16(CPU) is False
