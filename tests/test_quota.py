"""Limits on the time of a group of processes, as Linux writes them."""

import pytest

from nas.quota import core_quota


def quota(tmp_path, own, **files):
    """The quota where these are the process's groups, and these files are mounted."""
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return core_quota(tmp_path / "groups", tmp_path / "own")


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "nothing known\n"}, None),
        ({"cpu.max": ""}, None),
        ({}, None),
        ({"job/cpu.max": "300000 100000\n", "job/step/cpu.max": "max 100000\n"}, 3),
        ({"job/cpu.max": "300000 100000\n", "job/step/cpu.max": "400000 100000\n"}, 3),
        ({"other/cpu.max": "100000 100000\n"}, None),
    ],
)
def test_one_hierarchy(tmp_path, files, cores):
    assert quota(tmp_path, "0::/job/step\n", **files) == cores


@pytest.mark.parametrize(
    ("folder", "quota_us", "cores"),
    [("docker/ab", "250000\n", 3), ("", "250000\n", 3), ("docker/ab", "-1\n", None), ("else", "1000\n", None)],
)
def test_a_hierarchy_for_each_controller(tmp_path, folder, quota_us, cores):
    mounted = f"cpu,cpuacct/{folder}"
    files = {f"{mounted}/cpu.cfs_quota_us": quota_us, f"{mounted}/cpu.cfs_period_us": "100000\n"}
    assert quota(tmp_path, "5:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n0::/\n", **files) == cores


def test_a_system_without_groups_has_no_limit(tmp_path):
    assert core_quota(tmp_path, tmp_path / "none") is None
