"""What a person sees in the dashboard's pages, read from headless Chromium: notes, the best, and who is over a cap."""

import contextlib
import html
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from nas.search import opened_study

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not BROWSER, reason="neither chromium nor google-chrome is installed")]


@contextlib.contextmanager
def served(storage, *flags):
    """The address of a study's pages."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    program = shutil.which("optuna-dashboard", path=str(Path(sys.executable).parent))
    process = subprocess.Popen([program, storage, "--port", str(port), *flags], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=5).read()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/dashboard/studies/1"
    finally:
        process.terminate()
        process.wait()


def document(address, tmp_path):
    """A page as the browser has built it."""
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", f"--user-data-dir={tmp_path / 'profile'}"]
    return subprocess.run([BROWSER, *flags, "--dump-dom", address], capture_output=True, text=True, timeout=180).stdout


def page(address, tmp_path):
    """The text of a page."""
    drawn = re.sub(r"<script.*?</script>|<style.*?</style>", "", document(address, tmp_path), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", drawn)).split())


def test_the_note_and_the_value_of_a_trial(finished, tmp_path):
    _, result = finished
    best = int(result.front["trial"].iloc[0])
    with opened_study(result.study, result.storage) as stored:
        trial = stored.trials()[best]
    with served(result.storage) as address:
        text = page(f"{address}/trials?numbers={best}", tmp_path)
    assert "the test split was not read" in text
    assert "mean of the foreground" in text
    assert trial.user_attrs["key"] in text
    assert f"{trial.user_attrs['params']:,}" in text
    assert "encoder1" in text


def test_the_note_shows_the_architecture(finished, tmp_path):
    config, result = finished
    best = int(result.front["trial"].iloc[0])
    with opened_study(result.study, result.storage) as stored:
        trial = stored.trials()[best]
    folder = config.home / "studies" / result.study / "artifacts"
    with served(result.storage, "--artifact-dir", str(folder)) as address:
        sources = re.findall(r'<img[^>]*src="([^"]*/artifacts/[^"]*)"', document(f"{address}/trials?numbers={best}", tmp_path))
        origin = address.partition("/dashboard")[0]
        found = [urllib.request.urlopen(urllib.parse.urljoin(origin, html.unescape(source)), timeout=5) for source in sources]
        drawings = [answer.read().decode() for answer in found if answer.headers["Content-Type"].startswith("image/svg+xml")]
    assert len(drawings) >= 2  # in the note and in the list of artifacts
    assert all(f"<title>{trial.user_attrs['key']}: {trial.user_attrs['params']:,} parameters" in drawing for drawing in drawings)


def test_who_is_over_a_cap_is_shown_as_infeasible(finished, tmp_path):
    config, result = finished
    changed = tmp_path / "study.db"
    shutil.copyfile(config.home / "studies" / result.study / "study.db", changed)
    with served(f"sqlite:///{changed}") as address:
        assert "Infeasible" not in page(address, tmp_path)
    with contextlib.closing(sqlite3.connect(changed)) as connection, connection:
        rows = connection.execute("UPDATE trial_system_attributes SET value_json = '[0.25]' WHERE key = 'constraints' AND trial_id = 2")
        assert rows.rowcount == 1  # what the search itself would have written of a network a quarter over its cap
    with served(f"sqlite:///{changed}") as address:
        assert "Infeasible" in page(address, tmp_path)
