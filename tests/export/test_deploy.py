"""Folding changes nothing but rounding; files that run elsewhere give the network's answers, or are not written."""

import errno
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nas.blocks import Skip, built_in_blocks
from nas.cost import Budget
from nas.errors import UserError
from nas.export import deploy as room
from nas.export.deploy import deploy
from nas.export.fold import TOLERANCE, folded
from nas.network import build_network
from nas.space import ScaledDraws, load_peers, load_space
from nas.testing import block_variants
from nas.topology import walk

GENOMES = [
    *(peer.genome for peer in load_peers()),
    *(g for _, g in zip(range(12), ScaledDraws(load_space("tiny_unet"), Budget(10_000), (3, 64, 64), 3, seed=5), strict=False)),
]


STAY = {"conv_pool"}
"""Kinds whose norm follows more than convolutions, as README says."""


def norms(model):
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())


def trained(genome):
    """Weights and statistics that are not those of the beginning."""
    torch.manual_seed(0)
    model = build_network(genome, 3, 3).train()
    for shift in (0, 1):
        model(torch.randn(4, 3, 64, 64) + shift)
    return model.eval()


@pytest.mark.parametrize("genome", GENOMES, ids=lambda genome: genome.key)
def test_folding_changes_nothing_but_rounding(genome):
    model = trained(genome)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    made, images = folded(model), torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        expected, found = model(images), made(images)
    assert (found - expected).abs().max() <= TOLERANCE * expected.abs().max()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert norms(model) > norms(made) == sum(step.operator.kind in STAY for step in walk(genome, (3, 64, 64), 3))


class Alone(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.own = module

    def forward(self, *x):
        return self.own(*x)


@pytest.mark.parametrize("kind", sorted(built_in_blocks()))
def test_norms_stay_where_pooling_is_before_them_alone(kind):
    torch.manual_seed(0)
    for operator in block_variants(built_in_blocks()[kind]):
        shapes = ((4, 16, 16),) * (2 if isinstance(operator, Skip) else 1)
        model = Alone(operator.build(shapes if len(shapes) > 1 else shapes[0]))
        for _ in range(3):
            model(*(torch.randn(4, *shape) + 1 for shape in shapes))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
        made, images = folded(model.eval()), [torch.randn(2, *shape) for shape in shapes]
        with torch.no_grad():
            expected, found = model(*images), made(*images)
        assert (found - expected).abs().max() <= TOLERANCE * expected.abs().max(), operator
        assert norms(made) == (norms(model) if kind in STAY else 0), operator


def test_a_transposed_convolution_of_groups_takes_its_norm():
    torch.manual_seed(0)
    model = nn.Sequential(nn.ConvTranspose2d(4, 6, 4, 2, 1, groups=2), nn.BatchNorm2d(6), nn.ReLU())
    model(torch.randn(4, 4, 8, 8))
    made, images = folded(model.eval()), torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(made(images), model(images), rtol=1e-5, atol=1e-5)
    assert norms(made) == 0


def test_a_layer_in_two_places_takes_the_norm_of_one():
    torch.manual_seed(0)
    shared = nn.Conv2d(3, 3, 1)
    model = nn.Sequential(shared, nn.BatchNorm2d(3), nn.ReLU(), shared)
    model(torch.randn(4, 3, 8, 8))
    made, images = folded(model.eval()), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(made(images), model(images), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(4, affine=False), nn.BatchNorm2d(4, track_running_stats=False)])
def test_a_norm_of_another_make_is_folded_or_left(norm):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 1), norm)
    model(torch.randn(4, 3, 8, 8))
    made, images = folded(model.eval()), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(made(images), model(images), rtol=1e-5, atol=1e-5)
    assert norms(made) == (not norm.track_running_stats)


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1)).eval()


def test_programs_answer_as_the_network(tmp_path):
    model = small()
    found = deploy(model, 3, ("py", "pt2", "folded"), tmp_path)
    assert [one.path.name for one in found] == ["model.pt2", "folded.pt2"]
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt2", "folded.pt2"}
    images = torch.randn(1, 3, 48, 160)
    for one in found:
        answer = torch.export.load(str(one.path)).module()(images)
        torch.testing.assert_close(answer, model(images), rtol=1e-5, atol=1e-5)


def deep():
    """Its inner map is a single pixel where a side is one step."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 16, 1), nn.ReLU(), nn.Upsample(scale_factor=16, mode="bilinear"), Times(), nn.Conv2d(4, 2, 1)
    ).eval()


class Times(nn.Module):
    def forward(self, x):
        return x + nn.functional.avg_pool2d(x, 16).mean((2, 3), keepdim=True)


@pytest.mark.parametrize("make", [small, deep])
def test_programs_take_what_is_said_of_them(tmp_path, make):
    model = make()
    for one in deploy(model, 3, ("pt2", "folded"), tmp_path):
        assert f"any batch, sides that are multiples of 16, {one.least} or more" in str(one)
        program = torch.export.load(str(one.path)).module()
        for shape in ((300, 3, one.least, one.least), (1, 3, one.least, 16 * 257)):
            images = torch.randn(*shape)
            torch.testing.assert_close(program(images), model(images), rtol=1e-5, atol=1e-5)
        for side in range(16, one.least, 16):
            with pytest.raises(AssertionError):
                program(torch.zeros(1, 3, side, side))
    assert one.least == {small: 16, deep: 32}[make]


def test_onnx_answers_as_the_network(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model = small()
    (found,) = deploy(model, 3, ("onnx",), tmp_path)
    assert found.difference < 1e-5
    session = runtime.InferenceSession(str(found.path))
    images = torch.randn(5, 3, 80, 32)
    (answer,) = session.run(["logits"], {"image": images.numpy()})
    np.testing.assert_allclose(answer, model(images).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_a_file_that_answers_otherwise_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_read_program", lambda path: lambda images: small()(images) + 0.1)
    with pytest.raises(UserError, match="was not written: its answers differ"):
        deploy(small(), 3, ("pt2",), tmp_path)
    assert not list(tmp_path.iterdir())


def test_folding_may_change_less_than_another_library(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "_read_program", lambda path: lambda images: small()(images) + 5e-5)
    assert deploy(small(), 3, ("pt2",), tmp_path)
    with pytest.raises(UserError, match=r"folded\.pt2 was not written: its answers differ from the network's by up to 5.0e-05"):
        deploy(small(), 3, ("folded",), tmp_path)


class Stubborn(nn.Module):
    def forward(self, x):
        return x[:, :2] if x.sum() > 0 else x[:, 1:]


def test_what_cannot_be_exported_is_explained(tmp_path):
    with pytest.raises(UserError, match=r"model\.pt2 cannot be made of this network"):
        deploy(Stubborn(), 3, ("pt2",), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_no_fault_of_the_network(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        deploy(small(), 3, ("pt2",), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_package_names_its_install_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r'pip install "nas-tiny-segmentation\[onnx\]"'):
        deploy(small(), 3, ("onnx",), tmp_path)
