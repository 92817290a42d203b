"""Small banks and small networks."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas.data import VOID


def draw(rng: np.random.Generator, shape: tuple[int, ...], size: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images with a bright square in the channel of its class, and a void row on top."""
    masks = np.zeros((*shape, size, size), dtype=np.uint8)
    images = rng.integers(40, 90, (*shape, size, size, 3), dtype=np.uint8)
    for place in np.ndindex(shape):
        top, left, kind = rng.integers(0, size // 2), rng.integers(0, size // 2), rng.integers(1, classes)
        square = (*place, slice(top, top + size // 2), slice(left, left + size // 2))
        masks[square] = kind
        images[(*square, (kind - 1) % 3)] += 120
    masks[..., 0, :] = VOID
    return images, masks


def make_bank(name: str = "small", images: int = 9, views: int = 2, classes: int = 3, size: int = 16, seed: int = 0) -> SimpleNamespace:
    """A bank with the fields that training and evaluation read."""
    rng = np.random.default_rng(seed)
    train_images, train_masks = draw(rng, (views, images), size, classes)
    val_images, val_masks = draw(rng, (5,), size, classes)
    counts = np.bincount(train_masks[train_masks != VOID], minlength=classes)
    return SimpleNamespace(
        name=name,
        classes=tuple(f"class {i}" for i in range(classes)),
        num_classes=classes,
        train_images=train_images,
        train_masks=train_masks,
        val_images=val_images,
        val_masks=val_masks,
        pixel_shares=tuple((counts / counts.sum()).tolist()),
    )


class Net(nn.Module):
    """Everything whose state a resumed training might lose: weights, a norm, dropout, a buffer, a parameter that is never used."""

    def __init__(self, classes: int = 3, dropout: float = 0.2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(dropout), nn.Conv2d(6, 6, 3, padding=1)
        )
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6))
        self.head = nn.Conv2d(6, classes, 1)
        self.unused = nn.Parameter(torch.ones(2, 3))
        self.register_buffer("kernel", torch.eye(3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.head(torch.relu(x + self.pooled(x)))


class TwoHeads(nn.Module):
    """One trunk, a head for each domain; remembers which domains it was asked for."""

    def __init__(self, *classes: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU())
        self.heads = nn.ModuleList(nn.Conv2d(6, n, 1) for n in classes)
        self.asked: list[int] = []

    def forward(self, x: Tensor, domain: int = 0) -> Tensor:
        if self.training:
            self.asked.append(domain)
        return self.heads[domain](self.trunk(x))


def make_net(seed: int = 0, classes: int = 3, dropout: float = 0.2) -> Net:
    """A network with its own initial weights, drawn without touching the caller's random state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Net(classes, dropout)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(name="make_bank")
def _make_bank() -> Callable[..., SimpleNamespace]:
    return make_bank


@pytest.fixture(name="make_net")
def _make_net() -> Callable[..., Net]:
    return make_net


@pytest.fixture
def two_heads() -> Callable[..., TwoHeads]:
    return TwoHeads
