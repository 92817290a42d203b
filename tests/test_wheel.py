"""A wheel installs one name, and works without the checkout."""

import os
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_one_top_level_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        roots = {name.split("/")[0] for name in archive.namelist()}
        assert {root for root in roots if not root.endswith(".dist-info")} == {"nas"}
        assert "nas/search_spaces/tiny_unet.py" in archive.namelist()
        presets = {name for name in archive.namelist() if name.startswith("nas/studies/")}
        assert presets == {f"nas/studies/{path.name}" for path in (ROOT / "studies").glob("*.toml")}
        assert "nas/py.typed" in archive.namelist()


def test_it_searches_from_anywhere(wheel, tmp_path):
    target, stand = tmp_path / "site", tmp_path / "stand"
    stand.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    code = "import nas; from nas.space import find_space; print(nas.__file__); print(find_space('tiny_unet').path)"
    said = subprocess.run([sys.executable, "-c", code], cwd=stand, env=environment, capture_output=True, text=True).stdout.split()
    assert all(path.startswith(str(target)) for path in said), said
    flags = ["--preset", "quick", "--data", "synthetic:blobs", "--trials", "1", "--epochs", "1", "--workers", "1", "--study", "w"]
    done = subprocess.run([sys.executable, "-m", "nas.search", *flags], cwd=stand, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (stand / "studies" / "w" / "best" / "model.py").exists()
    assert not (target / "studies").exists()
