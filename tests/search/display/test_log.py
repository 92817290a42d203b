"""What a search tells of itself: its log, its workers' tracebacks, and what --quiet and --verbose make of it on the terminal."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from nas.errors import UserError
from nas.proxy import job as job_room
from nas.proxy import training as proxy_training
from nas.search import run_search
from nas.search.display.log import EventLog, command_line
from nas.search.display.progress import Lines
from tests.search.workers.test_processes import OWN_SPACE, command, settings


def lines_of(folder):
    """The log's events without their times."""
    lines = folder.log.read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .", line) for line in lines)
    return [line[20:] for line in lines]


def test_a_search_can_be_followed_afterwards(quick):
    run_search(quick(trials=1))
    result = run_search(quick(trials=2))
    lines = lines_of(result.folder)
    begins = [line for line in lines if line.startswith("search begins: nas ")]
    assert len(begins) == 2
    assert "study quick in sqlite:///" in begins[0]
    assert ["with 0 trials, 1 wanted" in begins[0], "with 1 trials, 2 wanted" in begins[1]] == [True, True]
    for words in ("budget 10000", "sets squares", "image_size 32x32", "sampler surrogate", "seed 0"):
        assert words in begins[0]
    assert re.fullmatch(
        r"search ends: complete; 2 trained networks, front of \d, \d+ duplicates and \d+ misfits not trained, .*", lines[-1]
    )
    trial = [re.sub("[0-9a-f]{12}", "KEY", line) for line in lines[lines.index(begins[1]) + 1 : -1]]
    assert trial[0] == "trial 1 KEY begins, never stopped early: one of the first 6"
    assert [line.partition(":")[0] for line in trial[1:]] == ["trial 1 KEY rung 0 worker 0", "trial 1 KEY rung 1 worker 0"]


def test_a_failure_names_the_trial_and_the_file_with_the_traceback(quick, monkeypatch):
    def never(*arguments):
        raise RuntimeError("no luck")

    monkeypatch.setattr(job_room, "train_rung", never)
    monkeypatch.setattr("nas.search.ledger.MAX_FAILURES", 2)
    config = quick()
    with pytest.raises(
        UserError, match=r"2 trials failed in a row, the last, trial 1 [0-9a-f]{12}, with: RuntimeError: no luck.*workers\.log"
    ):
        run_search(config)
    folder = config.home / "studies" / "quick"
    log = (folder / "search.log").read_text()
    (key,) = re.findall(
        r"trial 0 (\w+) failed at rung 0 in worker 0: RuntimeError: no luck\. What workers wrote.*studies/quick/workers\.log", log
    )
    assert log.splitlines()[-1][20:].startswith("search ends with UserError: 2 trials failed in a row")
    traceback = (folder / "workers.log").read_text()
    assert re.search(rf"trial {key} rung 0 failed:\nTraceback.*\n(.*\n)*RuntimeError: no luck", traceback)


def test_what_a_training_says_of_itself_is_logged_and_said_once(quick, monkeypatch, capsys):
    real = proxy_training.fit

    def noted(*arguments, **options):
        for epoch in real(*arguments, **options):
            yield replace(epoch, notes=("training goes on without a CUDA graph: so",))

    monkeypatch.setattr(proxy_training, "fit", noted)
    result = run_search(quick(trials=2), Lines(sys.stdout))
    notes = [re.sub("[0-9a-f]{12}", "KEY", line) for line in lines_of(result.folder) if "without a CUDA graph" in line]
    words = "worker 0: training goes on without a CUDA graph: so"
    assert notes == [f"trial {trial} KEY rung {rung} {words}" for trial in (0, 1) for rung in (0, 1)]
    assert capsys.readouterr().out.count(words) == 1


def test_a_final_training_that_fails_is_named(quick, monkeypatch):
    real, calls = job_room.train_rung, []

    def until_the_finals(*arguments):
        calls.append(1)
        if len(calls) > 2:  # The trial takes two rungs.
            raise RuntimeError("no luck")
        return real(*arguments)

    monkeypatch.setattr(job_room, "train_rung", until_the_finals)
    result = run_search(quick(trials=1, finalists=1, final_seeds=1))
    (name,) = [line for line in lines_of(result.folder) if "no luck" in line]
    assert re.fullmatch(r"final training of trial 0 \w{12} seed 1 failed in worker 0: RuntimeError: no luck\. What.*workers\.log", name)
    assert f"{name.partition(' failed')[0]} failed:\nTraceback" in result.folder.workers_log.read_text()


def test_a_worker_names_the_trial_before_its_traceback(squares, tmp_path, monkeypatch):
    space = tmp_path / "own.py"
    space.write_text(OWN_SPACE.replace("return squash(self.mix(x) * self.gain)", "raise ValueError('no way through')"))
    monkeypatch.setattr("nas.search.ledger.MAX_FAILURES", 1)
    with pytest.raises(UserError, match="trial 0 ") as caught:
        run_search(settings(squares, tmp_path, space=str(space), workers=1))
    (key,) = re.findall(r"trial 0 (\w{12})", str(caught.value))
    assert re.search(rf"trial {key} rung 0 failed:\nTraceback(.*\n)*ValueError: no way", (tmp_path / "studies/s/workers.log").read_text())


def test_an_event_of_several_lines_is_one_line(tmp_path):
    log = EventLog(tmp_path / "search.log", tmp_path / "workers.log")
    log.write("a trial failed: CUDA error: unknown\nFor debugging  consider\n\n  this.\n")
    log.write("next")
    lines = (tmp_path / "search.log").read_text().splitlines()
    assert [line[20:] for line in lines] == ["a trial failed: CUDA error: unknown For debugging  consider this.", "next"]


def test_a_final_training_tells_its_seconds(finished):
    _, result = finished
    found = [line for line in lines_of(result.folder) if line.startswith("final training of trial")]
    assert found
    assert all(re.fullmatch(r"final training of trial \d \w{12} seed \d worker 0: IoU 0\.\d{4}, \d+\.\d\d s", line) for line in found)


def test_a_command_is_shown_as_typed_without_its_password():
    words = ["python", "-m", "nas.search", "--data", "my set", "--storage=postgresql://me:secret@host/db"]
    shown = command_line("postgresql://me:secret@host/db", "postgresql://me:***@host/db", words)
    assert shown == "python -m nas.search --data 'my set' '--storage=postgresql://me:***@host/db'"
    assert command_line(words=["a", "b c"]) == "a 'b c'"


@pytest.mark.slow
def test_quiet_prints_the_report_alone_and_verbose_every_event(squares, tmp_path):
    once = command(squares, tmp_path, "--workers", "0", "--trials", "1")
    quiet = subprocess.run([*once, "--quiet"], capture_output=True, text=True)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert quiet.stdout.startswith("\nThe study is complete. 1 trained networks")
    verbose = subprocess.run([*once, "--verbose", "--trials", "2"], capture_output=True, text=True)
    assert verbose.stdout.startswith("data: squares")
    events = (tmp_path / "studies/s/search.log").read_text().splitlines()
    second = [i for i, line in enumerate(events) if "search begins" in line][1]
    assert len(events[second:]) >= 4
    for line in events[second:]:
        assert line[20:] in verbose.stdout
    plain = subprocess.run([*once, "--trials", "3"], capture_output=True, text=True)
    assert "trial 2" not in plain.stdout


def test_quiet_errors_go_to_the_error_stream(tmp_path):
    done = subprocess.run([sys.executable, "-m", "nas.search", "--quiet", "--data", str(tmp_path / "none")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: " in done.stderr
    both = subprocess.run([sys.executable, "-m", "nas.search", "--quiet", "--verbose"], capture_output=True, text=True)
    assert both.returncode == 2
    assert "not allowed with" in both.stderr
