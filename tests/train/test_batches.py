"""The order of images."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.evaluate import residence
from nas.train.batches import batches_in, count_by_size, epoch_batches, parts_of, permutation, plan, shown, steps_per_epoch

CPU = torch.device("cpu")


@settings(deadline=None)
@given(sizes=st.lists(st.integers(2, 50), min_size=1, max_size=3), batch_size=st.integers(2, 20), epoch=st.integers(0, 5))
def test_every_image_once_in_even_batches_of_at_least_two(sizes, batch_size, epoch):
    steps = plan(sizes, batch_size, 3, epoch)
    assert len(steps) == steps_per_epoch(sizes, batch_size)
    for domain, size in enumerate(sizes):
        parts = [list(range(size))[part] for d, part in steps if d == domain]
        lengths = [len(part) for part in parts]
        assert sorted(i for part in parts for i in part) == list(range(size))
        assert min(lengths) >= 2
        assert max(lengths) - min(lengths) <= 1
        assert max(lengths) <= batch_size + (1 if size % batch_size == 1 or batch_size < 4 else 0)


@pytest.mark.parametrize(("images", "batch_size", "count"), [(240, 8, 30), (9, 8, 2), (3, 2, 1), (5, 2, 2), (1, 8, 1), (5, 100, 1)])
def test_number_of_batches(images, batch_size, count):
    assert batches_in(images, batch_size) == count


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=3), batch_size=st.integers(2, 20), epoch=st.integers(0, 5))
def test_batches_counted_by_size_are_those_that_are_dealt(sizes, batch_size, epoch):
    orders = [len(permutation(size, 0, epoch, 0)) for size in sizes]
    dealt = [(domain, len(range(orders[domain])[part])) for domain, part in plan(orders, batch_size, 0, epoch)]
    assert count_by_size(sizes, batch_size) == {key: dealt.count(key) for key in dealt}


def test_order_is_a_function_of_seed_epoch_and_set():
    base = permutation(20, 1, 2, 0)
    assert torch.equal(base, permutation(20, 1, 2, 0))
    assert sorted(base.tolist()) == list(range(20))
    for other in (permutation(20, 9, 2, 0), permutation(20, 1, 3, 0), permutation(20, 1, 2, 1)):
        assert not torch.equal(base, other)


@settings(deadline=None)
@given(size=st.integers(1, 60), parts=st.integers(1, 40), number=st.integers(0, 3))
def test_the_epochs_of_a_pass_show_like_parts_of_it(size, parts, number):
    count = parts_of(size, parts)
    epochs = [permutation(size, 0, number * count + part, 0, parts).tolist() for part in range(count)]
    assert {len(epoch) for epoch in epochs} == {max(2, shown(size, parts))}
    of_pass = [image for epoch in epochs for image in epoch]
    if size > 1:
        assert len(set(of_pass)) == len(of_pass) > size - count
    assert count == parts or count == max(1, size // 2) < parts


def test_parts_of_a_pass_are_of_one_view_and_other_parts_in_the_next(make_bank):
    bank = make_bank(images=9, views=2)
    for epoch in range(6):
        order = permutation(9, 0, epoch, 0, 3).numpy()
        masks = np.concatenate([batch.mask.numpy() for batch in epoch_batches([bank], 3, 0, epoch, CPU, 3)])
        np.testing.assert_array_equal(masks, bank.train_masks[epoch // 3 % 2][order])
    assert sorted(permutation(9, 0, 0, 0, 3).tolist()) != sorted(permutation(9, 0, 3, 0, 3).tolist())


def test_sets_are_mixed_and_differently_in_every_epoch():
    orders = [[domain for domain, _ in plan([80, 80], 8, 0, epoch)] for epoch in range(3)]
    assert all(sorted(order) == [0] * 10 + [1] * 10 for order in orders)
    assert all(order != sorted(order) for order in orders)
    assert orders[0] != orders[1]


def test_batches_are_pairs_of_the_view_of_the_epoch(make_bank):
    bank = make_bank(images=7, views=3)
    for epoch in (0, 1, 5):
        batches = list(epoch_batches([bank], 3, 0, epoch, CPU))
        order = permutation(7, 0, epoch, 0).numpy()
        masks = np.concatenate([batch.mask.numpy() for batch in batches])
        images = np.concatenate([batch.image.permute(0, 2, 3, 1).numpy() for batch in batches])
        np.testing.assert_array_equal(masks, bank.train_masks[epoch % 3][order])
        np.testing.assert_allclose(images, (bank.train_images[epoch % 3][order] / 255 - 0.45) / 0.225, atol=1e-5)


def test_images_without_room_on_the_device_come_from_the_host(make_bank, monkeypatch):
    elsewhere, bank = torch.device("meta"), make_bank(images=7)
    monkeypatch.setattr(residence, "_free_bytes", lambda device: 2 * bank.train_masks.nbytes)  # Room for the masks alone.
    batches = list(epoch_batches([bank], 4, 0, 0, elsewhere))
    assert [len(batch.image) for batch in batches] == [3, 4]
    assert {tensor.device for batch in batches for tensor in (batch.image, batch.mask)} == {elsewhere}
    assert set(map(type, residence._RESIDENTS.values())) >= {type(None), torch.Tensor}


def test_types_and_layout(make_bank):
    batch = next(epoch_batches([make_bank()], 4, 0, 0, CPU))
    assert batch.image.dtype == torch.float32
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert batch.mask.dtype == torch.int64


def test_a_batch_is_of_one_set(make_bank):
    banks = [make_bank("a", images=6, size=16), make_bank("b", images=10, size=8)]
    sizes = {0: 16, 1: 8}
    batches = list(epoch_batches(banks, 4, 0, 0, CPU))
    assert {batch.domain for batch in batches} == {0, 1}
    assert all(batch.image.shape[-1] == sizes[batch.domain] for batch in batches)
    assert [sum(len(b.mask) for b in batches if b.domain == d) for d in (0, 1)] == [6, 10]


def test_a_lone_image_stands_twice_in_its_batch(make_bank):
    (batch,) = epoch_batches([make_bank(images=1)], 8, 0, 0, CPU)
    assert torch.equal(batch.image[0], batch.image[1])
    assert len(batch.mask) == 2


def test_read_only_arrays_are_fine(make_bank):
    bank = make_bank()
    before = bank.train_images.copy()
    bank.train_images.flags.writeable = bank.train_masks.flags.writeable = False
    list(epoch_batches([bank], 4, 0, 0, CPU))
    np.testing.assert_array_equal(bank.train_images, before)
