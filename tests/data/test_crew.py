"""Several processes draw the bank that one thread draws, whatever happens to them."""

import contextlib
import dataclasses
import os
import pickle
import queue
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from nas.data import build_bank, crew, load_recipe, open_bank, open_data, open_synthetic
from nas.errors import UserError
from tests.data.conftest import flat

ROOT = Path(__file__).resolve().parents[2]

OWN = """
import albumentations as A
print("a recipe that talks")
def training_transform(train_size):
    return A.Compose([A.RandomCrop(*train_size), A.VerticalFlip(p=0.5)])
"""


@pytest.fixture
def data(tmp_path):
    return open_data(flat(tmp_path / "mine", 100, size=(48, 56)))


@pytest.fixture
def processes(monkeypatch):
    """Has processes started at the first chance, and nothing drawn without them; gives those that were started."""
    started: list[subprocess.Popen] = []
    answered: list[object] = []
    told, take, start = crew._told, crew._Crew._process, crew._Crew._start

    def waiting(self):
        """Each thread waits for its first process, unless none is coming."""
        while not hasattr(self._own, "process") and self._processes and not self._closed:
            if all(process.poll() is not None for process in self._processes):
                break
            with contextlib.suppress(queue.Empty):
                self._own.process = self._ready.get(timeout=0.1)
        return take(self)

    def noted(process, message):
        answered.append(told(process, message))
        return answered[-1]

    def starting(self):
        start(self)
        started.extend(self._processes)

    monkeypatch.setattr(crew, "WORTH", -1.0)
    monkeypatch.setattr(crew._Crew, "_start", starting)
    monkeypatch.setattr(crew._Crew, "_process", waiting)
    monkeypatch.setattr(crew, "_told", noted)
    return started, answered


def build(data, cache, **changes):
    return build_bank(data, **{"image_size": (48, 64), "train_size": (32, 32), "views": 2, "seed": 0, "cache": cache, **changes})


def content(bank):
    return {name: getattr(bank, name).tobytes() for name in ("train_images", "train_masks", "val_images", "val_masks")}


def drawn_by_processes(answered):
    return sum(1 for answer in answered if answer is not None and answer is not True)


def test_processes_draw_the_same_bytes(data, tmp_path, processes):
    alone = build(data, tmp_path / "alone", threads=1)
    assert not processes[0]
    shared = build(data, tmp_path / "shared", threads=2)
    assert drawn_by_processes(processes[1]) > 10
    assert content(alone) == content(shared)
    assert alone.pixel_shares == shared.pixel_shares
    assert all(process.poll() is not None for process in processes[0])


def test_processes_know_a_recipe_of_ones_own(data, tmp_path, processes):
    (tmp_path / "own.py").write_text(OWN)
    recipe = load_recipe(tmp_path / "own.py")
    alone, shared = (build(data, tmp_path / str(threads), recipe=recipe, threads=threads) for threads in (1, 2))
    assert drawn_by_processes(processes[1]) > 10
    assert content(alone) == content(shared)


def test_a_recipe_that_changed_meanwhile_is_left_to_the_threads(data, tmp_path, processes):
    (tmp_path / "own.py").write_text(OWN)
    recipe = load_recipe(tmp_path / "own.py")
    alone = build(data, tmp_path / "alone", recipe=recipe, threads=1)
    (tmp_path / "own.py").write_text(OWN.replace("VerticalFlip", "HorizontalFlip"))
    shared = build(data, tmp_path / "shared", recipe=recipe, threads=2)
    assert processes[0]
    assert drawn_by_processes(processes[1]) == 0
    assert content(alone) == content(shared)


def test_processes_draw_the_built_in_sets(tmp_path, processes):
    data = open_synthetic("cracks")
    alone, shared = (build(data, tmp_path / str(threads), threads=threads) for threads in (1, 2))
    assert drawn_by_processes(processes[1]) > 10
    assert content(alone) == content(shared)


def test_a_killed_process_costs_nothing_but_time(data, tmp_path, processes):
    killed = []

    def kill(share):
        if 0.2 < share < 0.3 and not killed:
            killed.append(processes[0][0].poll())
            processes[0][0].kill()

    shared = build(data, tmp_path / "shared", threads=2, progress=kill)
    assert killed == [None]  # it was alive until then
    assert drawn_by_processes(processes[1]) > 10
    assert content(shared) == content(build(data, tmp_path / "alone", threads=1))


def test_a_bad_file_is_named_as_it_is_without_processes(data, tmp_path, processes):
    victim = data.splits["val"][-1].image
    victim.write_bytes(b"")
    with pytest.raises(UserError, match=f"{victim.name}: the file is empty"):
        build(data, tmp_path / "cache", threads=2)
    assert drawn_by_processes(processes[1]) > 10
    assert list((tmp_path / "cache").iterdir()) == []
    assert all(process.poll() is not None for process in processes[0])


def test_a_set_that_cannot_travel_is_drawn_by_threads(data, tmp_path, processes):
    stuck = dataclasses.replace(data, problems=(lambda: None,))
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(stuck)
    assert content(build(stuck, tmp_path / "threads", threads=2)) == content(build(data, tmp_path / "alone", threads=1))
    assert not processes[0]


def test_a_short_job_starts_no_process(data, tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "WORTH", 3600.0)
    monkeypatch.setattr(crew, "FIRST_LOOK", 0.0)
    monkeypatch.setattr(crew.subprocess, "Popen", lambda *_, **__: pytest.fail("a process for a second of drawing"))
    assert build(data, tmp_path / "cache", threads=2).train_images.any()


SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from nas.data import build_bank, crew, open_data
    crew.WORTH = -1.0
    build_bank(open_data(Path(sys.argv[1])), (48, 64), (32, 32), int(sys.argv[3]), 0, Path(sys.argv[2]), print, threads=2)
    """
)


def script(tmp_path, views=2):
    """A script without a guard, started; it draws with processes."""
    (tmp_path / "five_lines.py").write_text(SCRIPT)
    command = [sys.executable, "-u", "five_lines.py", str(tmp_path / "mine"), str(tmp_path / "cache"), str(views)]
    return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def children(process):
    listed = subprocess.run(["ps", "-o", "pid=,stat=", "--ppid", str(process)], capture_output=True, text=True, check=False).stdout
    return [int(line.split()[0]) for line in listed.splitlines() if not line.split()[1].startswith("Z")]


def alive(process):
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("moment", [0.02, 0.3, 0.7])
def test_a_run_that_is_killed_leaves_no_half_bank_and_no_process(data, tmp_path, moment):
    with script(tmp_path, views=300) as killed:
        for line in killed.stdout:
            if float(line) >= moment:
                break
        helpers = children(killed.pid)
        killed.send_signal(signal.SIGKILL)
    assert len(helpers) == 2
    assert [path.name for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")] == []
    limit = time.monotonic() + 10
    while any(map(alive, helpers)) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not any(map(alive, helpers))


@pytest.mark.slow
def test_two_that_draw_the_same_bank_at_once_both_end_well(data, tmp_path):
    both = [script(tmp_path, views=20) for _ in range(2)]
    for process in both:
        process.communicate(timeout=120)
    assert [process.returncode for process in both] == [0, 0]
    (bank,) = (tmp_path / "cache").iterdir()
    assert content(open_bank(bank)) == content(build(data, tmp_path / "alone", views=20, threads=1))
