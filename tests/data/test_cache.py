"""The folder of banks: the least recently used go, those in use stay."""

import os
import subprocess
import sys

import pytest

from nas.data.bank import META
from nas.data.cache import USERS, in_use, trim, using, views_within


@pytest.fixture
def banks(tmp_path):
    """Three banks of 1,000 bytes each, the first used longest ago."""
    made = []
    for age, name in enumerate("abc"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / META).write_bytes(b"x" * 500)
        (folder / "train_images.npy").write_bytes(b"x" * 500)
        os.utime(folder / META, (1_000 + age, 1_000 + age))
        made.append(folder)
    return made


def test_the_least_recently_used_goes_first(tmp_path, banks):
    assert trim(tmp_path, 3_000) == []
    assert trim(tmp_path, 2_000) == banks[:1]
    assert [path.exists() for path in banks] == [False, True, True]


def test_use_makes_a_bank_recent_and_safe(tmp_path, banks):
    with using(banks[:1]):
        assert in_use(banks[0])
        assert trim(tmp_path, 0) == banks[1:]
    assert not in_use(banks[0])
    assert trim(tmp_path, 0) == banks[:1]


def test_a_dead_user_does_not_hold_a_bank(tmp_path, banks):
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    import platform

    (banks[0] / USERS).mkdir()
    (banks[0] / USERS / f"{platform.node()}-{child.stdout.strip()}").touch()
    assert not in_use(banks[0])
    (banks[0] / USERS / "another-machine-1").touch()
    assert in_use(banks[0])


def test_a_folder_that_is_not_there_is_empty(tmp_path):
    assert trim(tmp_path / "none", 0) == []


@pytest.mark.parametrize(("limit", "views"), [(10_000, 10), (600, 5), (150, 1), (0, 1)])
def test_fewer_views_where_a_bank_would_be_too_large(limit, views):
    assert views_within(limit, 10, image_bytes=100, fixed_bytes=100) == views
