"""The domain router: how it mixes its paths."""

import pytest
import torch

from nas.blocks import DomainRouter

SHAPE = (6, 9, 7)


def built(**genes):
    torch.manual_seed(0)
    return DomainRouter(**genes).build(SHAPE)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("domain", [None, 0, 5])
def test_weights_sum_to_one(hard, training, domain):
    weights = built(paths=3, hard=hard).train(training).weights(torch.randn(4, *SHAPE), domain)
    assert weights.shape == (4, 3, 1, 1)
    torch.testing.assert_close(weights.sum(1), torch.ones(4, 1, 1))
    assert bool((weights.amax(1) == 1).all()) == (hard and not training)


def test_a_domain_prefers_its_path():
    module, x = built(paths=3).eval(), torch.randn(2, *SHAPE)
    plain = module.weights(x)
    for domain in range(5):
        assert (module.weights(x, domain)[:, domain % 3] > plain[:, domain % 3]).all()
    assert not torch.allclose(module(x, domain=0), module(x, domain=1))
    assert not torch.allclose(module(x, domain=0), module(x))
    torch.testing.assert_close(module(x, domain=1), module(x, domain=4))


def test_hard_is_the_best_path_of_each_image():
    module = built(paths=4, hard=True).eval()
    x = 5 * torch.randn(16, *SHAPE)
    best = module.classifier(x.mean((2, 3), keepdim=True)).argmax(1).flatten().tolist()
    assert len(set(best)) > 1
    expected = [torch.relu(module.mix(module.paths[path](image[None])) + image[None]) for path, image in zip(best, x, strict=True)]
    torch.testing.assert_close(module(x), torch.cat(expected))


def test_training_is_soft():
    soft, hard = built(paths=3), built(paths=3, hard=True)
    x = torch.randn(2, *SHAPE)
    torch.testing.assert_close(hard(x), soft(x))
    hard(x).square().sum().backward()
    assert (hard.classifier.weight.grad != 0).any()


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("domain", [None, 1])
def test_it_can_be_exported(hard, domain):
    module, x = built(paths=3, hard=hard).eval(), torch.randn(2, *SHAPE)
    exported = torch.export.export(module, (x, domain)).module()
    torch.testing.assert_close(exported(x, domain), module(x, domain))
