"""What is borrowed from the process comes back."""

import pytest
import torch

from nas.train.isolation import first_random_state, isolated, random_state

CPU = torch.device("cpu")


def test_draws_are_those_of_the_seed_whatever_the_caller_drew():
    draws = []
    for caller in (1, 2):
        torch.manual_seed(caller)
        with isolated(first_random_state(5, CPU), CPU):
            draws.append(torch.rand(3))
    assert torch.equal(draws[0], draws[1])
    with isolated(first_random_state(6, CPU), CPU):
        assert not torch.equal(draws[0], torch.rand(3))


def test_the_caller_draws_on_as_if_nothing_had_happened():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with isolated(first_random_state(5, CPU), CPU):
        torch.rand(100)
    assert torch.equal(torch.rand(4), expected)


def test_a_stream_goes_on_where_it_stopped():
    with isolated(first_random_state(5, CPU), CPU):
        whole = torch.rand(6)
    with isolated(first_random_state(5, CPU), CPU):
        first, between = torch.rand(3), random_state(CPU)
    with isolated(between, CPU):
        assert torch.equal(torch.cat([first, torch.rand(3)]), whole)


@pytest.mark.parametrize("flushed", [False, True])
def test_denormals_are_flushed_inside_and_as_before_outside(flushed):
    if not torch.set_flush_denormal(flushed):
        pytest.skip("this CPU cannot flush denormals")

    def flushes():
        return torch.tensor([1e-39]).mul(1.0).item() == 0.0

    try:
        with isolated(first_random_state(0, CPU), CPU):
            assert flushes()
        assert flushes() is flushed
    finally:
        torch.set_flush_denormal(False)


def test_a_failure_gives_everything_back_too():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="on purpose"), isolated(first_random_state(5, CPU), CPU):
        raise RuntimeError("on purpose")
    assert torch.equal(torch.get_rng_state(), before)
