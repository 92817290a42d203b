"""Devices, cores, memory."""

import subprocess
import sys

import pytest
import torch

from nas.errors import UserError
from nas.machine import available_cores, import_path, keep_memory, memory_in_words, resolve_device


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == "cpu"
    with pytest.raises(UserError, match="--device cuda was asked for"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"


def test_cores_are_those_allowed(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {3, 5, 8}, raising=False)
    monkeypatch.setattr("nas.machine.core_quota", lambda: None)
    assert available_cores() == 3
    monkeypatch.setattr("nas.machine.core_quota", lambda: 2)
    assert available_cores() == 2
    monkeypatch.setattr("nas.machine.core_quota", lambda: 5)
    assert available_cores() == 3


def test_a_process_finds_the_same_modules(tmp_path, monkeypatch):
    (tmp_path / "found_by_path.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    subprocess.run([sys.executable, "-P", "-c", "import found_by_path, nas"], check=True, env=import_path(), cwd="/")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the allocator of glibc")
def test_freed_memory_is_kept():
    code = (
        "import resource, torch; from nas.machine import keep_memory; keep_memory(); torch.set_num_threads(1)\n"
        "def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(8):\n"
        "    before = faults()\n"
        "    [torch.empty(2_000_000).fill_(1) for _ in range(10)]\n"
        "print(faults() - before)"
    )
    # The heap settles within four rounds; a round on memory that is mapped anew takes 19,500 faults.
    assert int(subprocess.check_output([sys.executable, "-c", code], env=import_path() | {"MALLOC_ARENA_MAX": "1"})) < 1_000
    assert keep_memory()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the allocator of glibc")
def test_kept_memory_is_given_back_beyond_a_size():
    code = (
        "import torch; from nas.machine import give_memory_back, keep_memory, private_memory; keep_memory(); torch.set_num_threads(1)\n"
        "first = private_memory()\n"
        "parts = [torch.empty(1_000_000).fill_(1) for _ in range(50)]\n"
        "above = [torch.empty(1000) for _ in range(10)]\n"  # The heap cannot shrink from its end.
        "held, parts[:] = private_memory(), []\n"
        "assert not give_memory_back(held + 2**20)\n"
        "assert held - first > 150_000_000, (first, held)\n"
        "assert give_memory_back(first + 50_000_000)\n"
        "assert private_memory() - first < 50_000_000, (first, private_memory())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=import_path() | {"MALLOC_ARENA_MAX": "1"})


def test_memory_alone_is_put_into_words():
    with pytest.raises(UserError, match=r"does not suffice \(MPS backend out of memory\): take less"), memory_in_words("take less"):
        raise RuntimeError("MPS backend out of memory\nand more")
    with pytest.raises(RuntimeError, match="shapes"), memory_in_words("take less"):
        raise RuntimeError("shapes")
