"""How many processes a GPU has room for; its memory is only asked for on one."""

from nas.search.plan import _workers, make_plan
from nas.search.workers.gpu_room import CONTEXT, MOST, worker_bytes, workers_within

GIB = 2**30


def test_as_many_as_fit():
    need = 300 * 2**20
    assert workers_within(140 * GIB, [need], cores=64) == MOST
    assert workers_within(140 * GIB, [need], cores=8) == 8
    assert workers_within(4 * GIB, [need], cores=8) == int(0.9 * 4 * GIB) // (CONTEXT + need)
    assert workers_within(GIB // 2, [need], cores=8) == 1
    assert workers_within(8 * GIB, [GIB, GIB], cores=8) < workers_within(8 * GIB, [GIB], cores=8)


def test_a_plan_asks_the_device(quick, monkeypatch):
    plan = make_plan(quick())
    monkeypatch.setattr("nas.search.plan.free_gpu_bytes", lambda: 3 * CONTEXT)
    monkeypatch.setattr("nas.search.plan.available_cores", lambda: 16)
    assert _workers(None, "cuda", plan.sets) == 2
    assert _workers(5, "cuda", plan.sets) == 5
    assert _workers(None, "cpu", plan.sets) == 16
    assert _workers(None, "mps", plan.sets) == 1


def test_what_a_worker_needs_grows_with_what_it_holds(quick):
    small, large = (worker_bytes(make_plan(quick(**given)).sets[0]) for given in ({}, {"batch_size": 16, "epochs": 9}))
    assert 32 * 32 * 12 < small < large
