"""What is expected of networks that nobody has trained."""

import numpy as np
import pytest
import torch

from nas.search.sampling.features import Features
from nas.search.sampling.gaussian_process import Settings, Surrogate


def network(draw):
    return Features({"macs": draw.normal(), "levels": draw.normal()}, {f"kind {i}": float(draw.integers(3)) for i in range(5)})


def accuracy(one):
    return 0.4 + 0.05 * np.sin(one.shape["macs"]) + 0.05 * one.operators["kind 0"]


@pytest.fixture(scope="module")
def networks():
    draw = np.random.default_rng(0)
    return [network(draw) for _ in range(120)]


def made(seen, values=None, doubt=None, **settings):
    values = [accuracy(one) for one in seen] if values is None else values
    return Surrogate(seen, values, [0.0] * len(seen) if doubt is None else doubt, np.random.default_rng(0), **settings)


def test_it_learns(networks):
    seen, unseen = networks[:80], networks[80:]
    expected, spread = made(seen, tries=40).predict(unseen)
    truth = torch.tensor([accuracy(one) for one in unseen])
    assert float(torch.corrcoef(torch.stack([expected, truth]))[0, 1]) > 0.9
    assert float(((expected - truth).abs() < 2.5 * spread).double().mean()) > 0.85


def test_it_is_surer_of_what_it_has_seen(networks):
    surrogate = made(networks[:40])
    _, near = surrogate.predict(networks[:10])
    far = Features({"macs": 30.0, "levels": -30.0}, {"a new kind": 1.0})
    expected, doubtful = surrogate.predict([far])
    assert float(near.max()) < float(doubtful)
    assert float(expected) == pytest.approx(np.mean([accuracy(one) for one in networks[:40]]), abs=0.05)


def test_doubtful_values_move_it_less(networks):
    seen = networks[:20]
    values = [accuracy(one) for one in seen]
    values[0] += 0.3
    settings = {"start": Settings(noise=0.05), "tries": 1}
    believed = made(seen, values, **settings).predict(seen[:1])[0]
    doubted = made(seen, values, [0.2] + [0.0] * 19, **settings).predict(seen[:1])[0]
    assert float(doubted) < float(believed) - 0.02


def test_equal_values_and_equal_networks_are_no_trouble(networks):
    same = [networks[0]] * 5
    expected, spread = made(same, [0.3] * 5).predict(networks[:2])
    assert torch.isfinite(torch.cat([expected, spread])).all()
    assert float(expected[0]) == pytest.approx(0.3, abs=1e-3)


def test_the_most_likely_of_the_tried_settings_are_kept(networks):
    seen = networks[:60]
    poor = Settings(shape=0.5, operators=0.5, share=0.05, noise=1.0)
    before, after = made(seen, start=poor, tries=1), made(seen, start=poor, tries=40)
    assert after._fit(after.settings) > before._fit(before.settings)


def test_the_same_seed_the_same_guess(networks):
    first, second = (made(networks[:30]).predict(networks[30:])[0] for _ in range(2))
    assert torch.equal(first, second)
