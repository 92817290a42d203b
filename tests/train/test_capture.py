"""Recording on a CUDA device, with a stand-in for torch's side of it: what is tried first, and what a failure leaves behind.

The stand-in does what `torch/cuda/graphs.py` does where a recording cannot be ended: the stream is not given back.
"""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch

from nas.train import capture
from nas.train.capture import can_capture, cuda_capture


class Device:
    """A CUDA device as far as `cuda_capture` asks for it."""

    def __init__(self) -> None:
        self.current = self.main = self.stream()
        self.mode, self.recording, self.unended, self.syncs = 0, False, False, 0
        self.states: list[str] = []
        self.generator = SimpleNamespace(clone_state=lambda: "fresh", graphsafe_set_state=self.states.append)

    def stream(self) -> SimpleNamespace:
        return SimpleNamespace(wait_stream=lambda other: None)

    @contextmanager
    def on(self, stream):
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def record(self, graph):
        self.current, self.recording = self.stream(), True
        try:
            yield
        finally:
            self.recording = False
            if self.unended:
                raise RuntimeError("operation failed due to a previous error during capture")
            self.current = self.main

    def set_current(self, stream) -> None:
        self.current = stream

    def set_mode(self, mode) -> None:
        self.mode = mode

    def synchronize(self) -> None:
        self.syncs += 1


@pytest.fixture
def device(monkeypatch):
    device = Device()
    replays = SimpleNamespace(replay=lambda: None)
    stands = {
        "Stream": device.stream,
        "stream": device.on,
        "current_stream": lambda: device.current,
        "set_stream": device.set_current,
        "graph": device.record,
        "CUDAGraph": lambda: replays,
        "get_sync_debug_mode": lambda: device.mode,
        "set_sync_debug_mode": device.set_mode,
        "synchronize": device.synchronize,
        "current_device": lambda: 0,
        "default_generators": [device.generator],
    }
    for name, stand in stands.items():
        monkeypatch.setattr(torch.cuda, name, stand)
    monkeypatch.setattr(capture, "_broken", [])
    return device


def test_one_step_on_a_stream_of_its_own_then_the_recording(device):
    seen = []

    def step():
        seen.append((device.mode, device.recording, device.current is device.main))
        return torch.tensor(float(len(seen)))

    assert cuda_capture(step)() == 2
    assert seen == [("error", False, False), (0, True, False)]
    assert (device.mode, device.current) == (0, device.main)
    assert can_capture()


def test_a_step_for_which_the_host_waits_is_never_recorded(device):
    def step():
        assert not device.recording
        if device.mode == "error":
            raise RuntimeError("called a synchronizing CUDA operation")

    with pytest.raises(RuntimeError, match="synchronizing"):
        cuda_capture(step)
    assert (device.mode, device.current) == (0, device.main)
    assert can_capture()


def test_a_recording_that_cannot_be_ended_is_the_last(device):
    def step():
        if device.recording:
            device.unended = True
            raise RuntimeError("operation not permitted when stream is capturing")

    with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
        cuda_capture(step)
    assert device.current is device.main
    assert device.states == ["fresh"]
    assert device.syncs == 1
    assert not can_capture()


def test_no_room_for_a_recording_is_said_as_such(device):
    def step():
        if device.recording:
            device.unended = True
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        cuda_capture(step)
    assert device.current is device.main


def test_an_interrupt_leaves_no_recording_open(device):
    def step():
        if device.recording:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cuda_capture(step)
    assert device.current is device.main


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_device_trains_on_after_a_recording_that_broke_off(monkeypatch):
    monkeypatch.setattr(capture, "_broken", [])
    monkeypatch.setattr(capture, "_waiting_refused", nullcontext)
    x = torch.zeros(8, device="cuda")

    def step():
        x.add_(1)
        return torch.tensor(x.sum().item(), device="cuda")

    with pytest.raises(RuntimeError):
        cuda_capture(step)
    assert not can_capture()
    assert torch.nn.functional.dropout(torch.ones(64, device="cuda")).sum().item() > 0
