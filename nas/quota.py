"""How much of a machine's cores a container or a job may use: Linux limits the time of a group of processes, not the cores it runs on.

A container started with two CPUs (`docker run --cpus 2`, a Kubernetes limit) sees all cores of its host, and is stopped for the rest of
every tenth of a second once its processes together have had two cores' worth of it. Version 2 of control groups says so in `cpu.max`
(https://docs.kernel.org/admin-guide/cgroup-v2.html), version 1 in two files
(https://docs.kernel.org/scheduler/sched-bwc.html).
"""

from collections.abc import Iterator
from math import ceil
from pathlib import Path, PurePosixPath

GROUPS = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def core_quota(groups: Path = GROUPS, own: Path = OWN) -> int | None:
    """Cores' worth of time that this process's groups leave it, rounded up; None without a limit, and elsewhere than on Linux.

    Args:
        groups: Where the control groups are mounted.
        own: Says which are this process's: a line `number:controllers:path` for each hierarchy.
    """
    limits = [limit for folder in _folders(groups, own) if (limit := _limit(folder)) is not None]
    return min(limits, default=None)


def _folders(groups: Path, own: Path) -> Iterator[Path]:
    """The groups that this process is in, outwards: each one's limit holds for those within it.

    Inside a container the path may be the host's, of which nothing but the container's own group is to be seen, at the root.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        inside = PurePosixPath(path.lstrip("/"))
        for group in (inside, *inside.parents):
            # Version 2 has one hierarchy and names no controllers; one of version 1 is mounted under the names of its controllers.
            yield groups / controllers / group


def _limit(folder: Path) -> int | None:
    """Cores' worth of time of one group."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((folder / name).read_text(encoding="utf-8") for name in names).split()
            return max(1, ceil(int(quota) / int(period))) if int(quota) > 0 else None
        except (OSError, ValueError, ZeroDivisionError):  # No such file, or "max".
            continue
    return None
