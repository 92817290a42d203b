"""Searches whose paths are not plain ASCII words."""

import subprocess
import sys

from nas.export import export_trials
from nas.search import run_search
from tests.search.conftest import write_set


def test_spaces_and_letters_of_other_scripts(quick, tmp_path):
    folder = write_set(tmp_path / "mes données" / "データ [1] 100%")
    result = run_search(quick(data=(str(folder),), trials=1, home=tmp_path / "home ü", study=None))
    assert result.study == "データ-1-100--10000"
    (path,) = export_trials(result.study, result.storage, "best", tmp_path / "out é")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
