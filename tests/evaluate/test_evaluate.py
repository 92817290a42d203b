"""Measuring a network on a bank."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from nas.evaluate import accepts_domain, evaluate
from nas.evaluate.normalise import MEAN, STD


class Pointwise(nn.Module):
    """A pixel-wise network with everything that differs between the modes."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.ReLU(), nn.Conv2d(8, classes, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Oracle(nn.Module):
    """Reads the class from the red channel, turned round for domain 1."""

    def forward(self, x: torch.Tensor, domain: int = 0) -> torch.Tensor:
        red = torch.round((x[:, 0] * STD + MEAN) * 255)
        logits = torch.stack([-(red - c).abs() for c in range(3)], dim=1)
        return logits.flip(1) if domain else logits


@pytest.fixture
def perfect(bank):
    bank.val_images[..., 0] = np.where(bank.val_masks == 255, 0, bank.val_masks)
    return bank


def test_a_perfect_network_scores_one(perfect):
    evaluation = evaluate(Oracle(), perfect)
    assert evaluation.iou == (1.0, 1.0, 1.0)
    assert sum(map(sum, evaluation.confusion)) == (perfect.val_masks != 255).sum()
    assert evaluation.classes == perfect.classes


def test_agrees_with_numpy(bank):
    torch.manual_seed(0)
    model = Pointwise().eval()
    inputs = torch.from_numpy(((bank.val_images / 255 - MEAN) / STD).astype(np.float32)).permute(0, 3, 1, 2)
    predicted = model(inputs).argmax(1).numpy()
    expected = np.zeros((3, 3), dtype=int)
    for t, p in zip(bank.val_masks.ravel(), predicted.ravel(), strict=True):
        if t != 255:
            expected[t, p] += 1
    assert evaluate(model, bank).confusion == tuple(map(tuple, expected.tolist()))


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
def test_batch_size_changes_nothing(bank, batch_size):
    torch.manual_seed(0)
    model = Pointwise()
    assert evaluate(model, bank, batch_size=batch_size) == evaluate(model, bank, batch_size=3)


def test_what_lies_under_void_changes_nothing(bank):
    class AtPosition(nn.Module):
        def __init__(self, logits: torch.Tensor) -> None:
            super().__init__()
            self.logits = logits

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.logits

    logits = torch.randn(5, 3, 12, 10, generator=torch.Generator().manual_seed(1))
    void = torch.from_numpy(bank.val_masks == 255).unsqueeze(1)
    changed = torch.where(void, -7 * logits, logits)
    assert not torch.equal(logits.argmax(1), changed.argmax(1))
    assert evaluate(AtPosition(logits), bank) == evaluate(AtPosition(changed), bank)


@pytest.mark.parametrize(("sample", "chosen"), [(2, [0, 2]), (3, [0, 1, 3]), (5, [0, 1, 2, 3, 4]), (9, [0, 1, 2, 3, 4])])
def test_a_sample_is_spread_over_the_images(bank, sample, chosen):
    torch.manual_seed(0)
    model, part = Pointwise(), SimpleNamespace(**vars(bank))
    part.val_images, part.val_masks = bank.val_images[chosen], bank.val_masks[chosen]
    assert evaluate(model, bank, sample=sample) == evaluate(model, part)


def test_every_module_gets_its_mode_back_and_nothing_else_changes(bank):
    model = Pointwise().train()
    model.layers[1].eval()  # a frozen norm
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    evaluate(model, bank)
    assert model.training
    assert not model.layers[1].training
    assert model.layers[2].training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_mode_is_restored_after_a_failure(bank):
    model = Pointwise(classes=2).train()
    with pytest.raises(ValueError, match="logits"):
        evaluate(model, bank)
    assert model.training


def test_an_answer_of_another_size_is_refused(bank):
    with pytest.raises(ValueError, match=r"\(5, 3, 12, 10\).*\(5, 3, 6, 5\)"):
        evaluate(nn.Sequential(Pointwise(), nn.AvgPool2d(2)), bank)


def test_an_answer_that_is_no_tensor_is_refused(bank):
    model = Pointwise()
    model.register_forward_hook(lambda module, given, answer: (answer, answer))
    with pytest.raises(ValueError, match=r"one tensor of logits, .* gave a tuple"):
        evaluate(model, bank)


def test_domain_reaches_the_network(perfect):
    assert evaluate(Oracle(), perfect, domain=1).mean_iou == 1.0  # not passed unless asked for
    turned = evaluate(Oracle(), perfect, domain=1, multi=True)
    assert turned.iou[0] == turned.iou[2] == 0.0
    assert turned.iou[1] == 1.0


def test_accepts_domain():
    assert accepts_domain(Oracle())
    assert not accepts_domain(Pointwise())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_cpu(perfect):
    assert evaluate(Oracle(), perfect, device="cuda") == evaluate(Oracle(), perfect)
