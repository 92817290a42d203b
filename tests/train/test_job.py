"""Trainings in full: they go on after a kill to the same bits, stop early, and refuse what is not theirs."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from nas.data import build_bank, open_data
from nas.errors import UserError
from nas.evaluate.trained import TrainingRecord, read_record
from nas.machine import import_path
from nas.train import Recipe, TrainState
from nas.train.checkpoint import BEST, LAST, STATE, Progress, load_progress
from nas.train.job import Job, row_of, run_job
from nas.train.several import run_jobs
from nas.weights import read_weights
from tests.evaluate.test_trained import trained_set
from tests.search.conftest import write_set

MODEL = """
from torch import nn
def build_model(in_channels=3, num_classes=2):
    layers = [nn.Conv2d(in_channels, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.1), nn.Conv2d(6, num_classes, 1)]
    return nn.Sequential(*layers)
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    home = tmp_path_factory.mktemp("full")
    return build_bank(open_data(write_set(home / "squares")), (32, 32), (32, 32), 2, 0, home / "banks")


@pytest.fixture
def job(bank, tmp_path):
    model = tmp_path / "model.py"
    model.write_text(MODEL)
    recipe = Recipe(epochs=6, batch_size=4, validations=6)
    return Job("", tmp_path / "run", str(model), "abc", (bank.path,), False, recipe, None, "cpu")


def weights(folder, name=LAST):
    return {key: tensor.numpy() for key, tensor in read_weights(folder / name).items()}


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_what_a_training_leaves(job):
    rows = []
    progress = run_job(job, rows.append)
    assert [row["epoch"] for row in rows] == list(range(1, 7)) == [row["epoch"] for row in progress.history]
    with (job.folder / "log.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in table] == [row["loss"] for row in rows]
    assert progress.best["iou"] == max(row["iou"] for row in rows)
    state = TrainState.from_bytes((job.folder / STATE).read_bytes().partition(b"\n")[2])
    assert same(weights(job.folder), {name: tensor.numpy() for name, tensor in state.ema.items()})
    assert (job.folder / BEST).is_file()


def test_the_best_weights_are_those_of_the_best_epoch(job):
    kept = {}
    progress = run_job(job, lambda row: kept.update({row["epoch"]: weights(job.folder)}))
    assert same(weights(job.folder, BEST), kept[progress.best["epoch"]])


def test_a_finished_training_is_not_trained_again(job):
    run_job(job)
    before = (job.folder / STATE).read_bytes()
    assert run_job(job, lambda row: pytest.fail("trained again")).epoch == 6
    assert (job.folder / STATE).read_bytes() == before


def test_a_table_that_a_kill_left_short_is_completed(job):
    run_job(job)
    table = job.folder / "log.csv"
    whole = table.read_text()
    table.write_text(whole[: whole[:-1].rindex("\n") + 1])
    run_job(job)
    assert table.read_text() == whole


class Stop(Exception):  # noqa: N818 - no error
    pass


def test_going_on_equals_never_stopping_to_the_bit(job, tmp_path):
    whole = replace(job, folder=tmp_path / "whole")
    run_job(whole)

    def stop(row):
        if row["epoch"] == 2:
            raise Stop

    with pytest.raises(Stop):
        run_job(job, stop)
    assert load_progress(job.folder, job.identity).epoch == 2
    run_job(job)
    assert same(weights(job.folder), weights(whole.folder))
    assert same(weights(job.folder, BEST), weights(whole.folder, BEST))


@pytest.mark.slow
def test_a_training_killed_at_any_moment_goes_on_to_the_bit(job, tmp_path):
    long = replace(job, recipe=replace(job.recipe, epochs=40, validations=40))
    whole = replace(long, folder=tmp_path / "whole")
    run_job(whole)
    rng = np.random.default_rng(0)
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-m", "nas.train.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | import_path(),
            text=True,
        )
        process.stdin.write(json.dumps(long.to_dict()) + "\n")
        process.stdin.flush()
        process.stdout.readline()  # the first epoch of this process
        time.sleep(rng.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.wait()
    run_job(long)
    assert same(weights(long.folder), weights(whole.folder))
    assert [row["loss"] for row in load_progress(long.folder, long.identity).history] == [
        row["loss"] for row in load_progress(whole.folder, whole.identity).history
    ]


def test_a_full_disk_leaves_the_previous_checkpoint(job, monkeypatch):
    written = {}

    def full(path, content):
        if path.name == STATE and written.get(STATE, 0) == 2:
            raise OSError(28, "No space left on device")
        written[path.name] = written.get(path.name, 0) + 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    monkeypatch.setattr("nas.train.checkpoint.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        run_job(job)
    monkeypatch.undo()
    assert load_progress(job.folder, job.identity).epoch == 2
    assert run_job(job).epoch == 6


def test_patience_ends_it(job):
    patient = replace(job, patience=1, recipe=replace(job.recipe, epochs=60, validations=60, learning_rate=1e-9))
    progress = run_job(patient)
    assert progress.stopped
    assert progress.epoch == progress.best["epoch"] + 1 < 60
    assert run_job(patient, lambda row: pytest.fail("went on")).stopped


def test_patience_waits_for_a_second_validation(job, monkeypatch):
    fell = iter((0.5, 0.4))
    monkeypatch.setattr("nas.train.job.row_of", lambda epoch: {**row_of(epoch), "iou": next(fell) if epoch.evaluations else None})
    progress = run_job(replace(job, patience=1, recipe=replace(job.recipe, epochs=12, validations=3)))
    assert [row["epoch"] for row in progress.history if row["iou"] is not None] == [4, 8]
    assert progress.stopped
    assert progress.epoch == 8


def test_a_training_that_came_to_its_end_was_not_stopped(job, monkeypatch):
    fell = iter((0.5, 0.4))
    monkeypatch.setattr("nas.train.job.row_of", lambda epoch: {**row_of(epoch), "iou": next(fell) if epoch.evaluations else None})
    progress = run_job(replace(job, patience=1, recipe=replace(job.recipe, epochs=8, validations=2)))
    assert progress.epoch == 8
    assert progress.waited == 4
    assert not progress.stopped


def test_memory_that_does_not_suffice_is_told(job, monkeypatch):
    def full(*args, **settings):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")

    monkeypatch.setattr("nas.train.job.fit", full)
    with pytest.raises(UserError, match=r"memory does not suffice \(DefaultCPU.*--batch-size below 4 or a smaller --crop, and --restart"):
        run_job(job)


def test_memory_for_validation_is_another_matter(job, monkeypatch):
    def full(*args, **settings):
        raise MemoryError("too large")

    monkeypatch.setattr(import_module("nas.train.fit"), "evaluate", full)
    with pytest.raises(
        UserError, match=r"\(too large\): an image of the validation is too large here: give a smaller --image-size"
    ) as error:
        run_job(job)
    assert "--batch-size" not in str(error.value)


def test_another_training_in_the_folder_is_refused(job):
    run_job(job)
    with pytest.raises(UserError, match=r"another training: loss was 'ce_dice' there, and is 'focal' now.*--restart"):
        run_job(replace(job, recipe=replace(job.recipe, loss="focal")))


def test_a_broken_state_is_named(job):
    run_job(job)
    (job.folder / STATE).write_bytes(b"{}\nnothing")
    with pytest.raises(UserError, match=r"state\.bin cannot be read.*--restart"):
        run_job(job)


def test_it_starts_from_given_weights(job, tmp_path):
    run_job(job)
    again = replace(job, folder=tmp_path / "again", start=job.folder / BEST, recipe=replace(job.recipe, learning_rate=1e-12, ema_decay=0.0))
    run_job(again)
    one, other = weights(job.folder, BEST), weights(again.folder)
    assert all(np.allclose(one[name], other[name], atol=1e-5) for name in one if "running" not in name and "batches" not in name)


def test_other_weights_under_the_same_path_are_another_start(job, tmp_path):
    run_job(job)
    start = tmp_path / "start.safetensors"
    shutil.copy(job.folder / BEST, start)
    again = replace(job, folder=tmp_path / "again", start=start)
    run_job(again)
    elsewhere = start.rename(tmp_path / "moved.safetensors")
    assert run_job(replace(again, start=elsewhere), lambda row: pytest.fail("trained again")).epoch == 6
    shutil.copy(again.folder / LAST, start)
    with pytest.raises(UserError, match="another training: start was"):
        run_job(replace(again))


def test_the_record_is_there_before_the_weights_and_stays_that_of_the_training(job):
    recorded = replace(job, record=TrainingRecord(job.model, job.digest, (BEST, LAST), (trained_set("squares"),)))

    def stop(row):
        raise Stop

    with pytest.raises(Stop):
        run_job(recorded, stop)
    assert read_record(job.folder / BEST) == recorded.record
    other = replace(recorded, digest="other", record=replace(recorded.record, digest="other"))
    with pytest.raises(UserError, match="another training"):
        run_job(other)
    assert read_record(job.folder / BEST) == recorded.record


def test_jobs_survive_json(job):
    whole = replace(job, record=TrainingRecord(job.model, job.digest, (BEST, LAST), (trained_set("squares"),)))
    for one in (job, whole):
        assert Job.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_several_processes_train_as_one(job, tmp_path):
    jobs = [replace(job, name=f"seed {seed}", folder=tmp_path / f"p{seed}", recipe=replace(job.recipe, seed=seed)) for seed in (0, 1)]
    rows = []
    ended = run_jobs(jobs, 2, rows.append)
    assert [one.epoch for one in ended] == [6, 6]
    assert len(rows) == 12
    alone = replace(jobs[1], folder=tmp_path / "alone")
    run_job(alone)
    assert same(weights(jobs[1].folder), weights(alone.folder))


def test_what_goes_wrong_in_a_process_is_told(job, tmp_path):
    jobs = [replace(job, name=f"seed {seed}", folder=tmp_path / f"p{seed}") for seed in (0, 1)]
    jobs[0] = replace(jobs[0], start=tmp_path / "gone.safetensors")
    with pytest.raises(UserError, match=r"seed 0: .*gone\.safetensors is not there"):
        run_jobs(jobs, 2)
    assert load_progress(jobs[1].folder, jobs[1].identity).epoch == 6


def test_what_goes_wrong_around_a_process_is_told_of_every_job(job, tmp_path):
    (tmp_path / "file").write_text("")
    jobs = [replace(job, name=f"seed {seed}", folder=tmp_path / "file" / str(seed)) for seed in (0, 1)]
    with pytest.raises(UserError, match=r"seed [01]: .*file.*permissions(.|\n)*seed [01]: .*file.*permissions"):
        run_jobs(jobs, 2)


def test_events_for_tensorboard(job):
    pytest.importorskip("tensorboard")
    run_job(replace(job, tensorboard=True))
    assert list((job.folder / "tensorboard").glob("events.out.*"))


def test_progress_counts():
    history = [
        {"epoch": 1, "iou": 0.2},
        {"epoch": 2, "iou": None},
        {"epoch": 3, "iou": 0.5},
        {"epoch": 4, "iou": 0.5},
        {"epoch": 5, "iou": None},
    ]
    progress = Progress(None, history)
    assert progress.best["epoch"] == 3
    assert progress.waited == 2
    assert Progress().best is None
    assert Progress().waited == 0
