"""Where arrays live."""

import gc
import warnings

import numpy as np
import pytest
import torch

from nas.evaluate import residence
from nas.evaluate.residence import onto, resident


def test_on_a_cpu_the_array_itself_is_used_without_a_warning(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.uint8).reshape(2, 3))
    array = np.load(tmp_path / "a.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = resident(array, torch.device("cpu"))
    assert tensor.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensor.data_ptr() == array.ctypes.data


def test_elsewhere_one_copy_is_kept_as_long_as_the_array():
    device = torch.device("meta")  # stands for any device that is not the CPU
    array = np.zeros((2, 3), dtype=np.uint8)
    key = (id(array), "meta")
    tensor = resident(array, device)
    assert tensor.shape == (2, 3)
    assert tensor.dtype == torch.uint8
    assert resident(array, device) is tensor
    del array
    gc.collect()
    assert key not in residence._RESIDENTS


def test_what_leaves_no_room_to_train_stays_with_the_host(monkeypatch, caplog):
    device = torch.device("meta")
    large, small = np.zeros(600, dtype=np.uint8), np.zeros(500, dtype=np.uint8)
    monkeypatch.setattr(residence, "_free_bytes", lambda device: 1_000)
    assert resident(small, device).device.type == "meta"
    assert resident(large, device).data_ptr() == large.ctypes.data
    monkeypatch.setattr(residence, "_free_bytes", lambda device: 10_000)  # A copy is freed, and another set takes its place.
    assert resident(large, device).data_ptr() == large.ctypes.data
    assert len(caplog.records) == 1
    assert "stay in the host's memory" in caplog.text
    assert onto(resident(large, device)[:2], device).device.type == "meta"
    key = (id(large), "meta")
    del large
    gc.collect()
    assert key not in residence._RESIDENTS


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_copy_is_equal():
    array = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    assert np.array_equal(resident(array, torch.device("cuda")).cpu().numpy(), array)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_rows_of_the_host_arrive_on_cuda(monkeypatch):
    monkeypatch.setattr(residence, "_free_bytes", lambda device: 0)
    array = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    rows = onto(resident(array, torch.device("cuda"))[1:], torch.device("cuda"))
    assert rows.device.type == "cuda"
    assert np.array_equal(rows.cpu().numpy(), array[1:])
