"""How many processes a GPU has room for; its memory is only asked for on one."""

from dataclasses import replace

from nas.data import bank_bytes, reduced
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
    plan = make_plan(quick(workers=None, device="cpu"))
    monkeypatch.setattr("nas.search.plan.free_gpu_bytes", lambda: 3 * CONTEXT)
    monkeypatch.setattr("nas.search.plan.available_cores", lambda: 16)
    assert [_workers(plan.config, device, plan.sets) for device in ("cuda", "cpu", "mps")] == [2, 16, 1]
    assert _workers(replace(plan.config, workers=5), "cuda", plan.sets) == 5


def test_what_a_worker_needs_grows_with_what_it_holds(quick):
    small, large = (worker_bytes(make_plan(quick(**given)).sets[0], 10_000) for given in ({}, {"batch_size": 16, "epochs": 9}))
    assert 32 * 32 * 12 < small < large


def sizes_of(choice):
    return choice.image_size, choice.train_size


def test_it_holds_the_banks_of_all_stages(quick, monkeypatch):
    plan, asked = make_plan(quick(workers=None, grow=True, epochs=9)), []
    assert len(plan.sets) == 1
    one = plan.sets[0]
    alone = worker_bytes(one, 10_000)
    smaller = sum(bank_bytes(one.data, *sizes_of(reduced(one.size, scale)), one.views) for scale in (0.5, 0.75))
    assert worker_bytes(one, 10_000, (0.5, 0.75, 1.0)) == alone + smaller
    monkeypatch.setattr("nas.search.plan.free_gpu_bytes", lambda: 8 * GIB)
    monkeypatch.setattr("nas.search.plan.workers_within", lambda free, needs, cores: asked.extend(needs) or 1)
    _workers(plan.config, "cuda", plan.sets)
    assert asked == [alone + smaller]


def test_networks_of_more_parameters_keep_more(quick):
    one = make_plan(quick()).sets[0]
    small, same, large = (worker_bytes(one, budget) for budget in (2_000, 10_000, 1_000_000))
    assert small == same
    assert 5 * same < large <= 10 * same
