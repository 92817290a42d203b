"""Float32 is float32."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from nas.evaluate import run, whole
from nas.evaluate.precision import full_float32

CUDA = torch.device("cuda")


def of_each_operation():
    return SimpleNamespace(conv=SimpleNamespace(fp32_precision="tf32"))


def of_all_operations():
    return SimpleNamespace(allow_tf32=True)


@pytest.mark.parametrize(("switches", "exact"), [(of_each_operation, "ieee"), (of_all_operations, False)])
def test_convolutions_on_a_gpu_do_without_tf32_for_a_while(monkeypatch, switches, exact):
    cudnn = switches()
    monkeypatch.setattr(torch.backends, "cudnn", cudnn)
    before, holder = str(cudnn), getattr(cudnn, "conv", cudnn)
    with full_float32(CUDA):
        assert list(vars(holder).values()) == [exact]
    assert str(cudnn) == before
    with full_float32(torch.device("cpu")):
        assert str(cudnn) == before


def test_torch_has_one_of_these_switches():
    assert torch.backends.cudnn.allow_tf32
    with full_float32(CUDA):
        inside = torch.backends.cudnn.conv.fp32_precision == "ieee" if hasattr(torch.backends.cudnn, "conv") else None
        assert inside or not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32


def test_validation_and_predictions_ask_for_it(bank, monkeypatch):
    seen = []

    @contextmanager
    def noted(device):
        seen.append(device)
        yield
        seen.append("end")

    for module in (run, whole):
        monkeypatch.setattr(module, "full_float32", noted)
    model = torch.nn.Conv2d(3, bank.num_classes, 1)
    run.evaluate(model, bank)
    whole.Predictor([model], (16, 16), bank.num_classes)(bank.val_images[0])
    assert seen == [torch.device("cpu"), "end"] * 2
