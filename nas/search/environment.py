"""Where and with what a search ran, so that its results can be claimed."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

import nas

PACKAGES = ("torch", "optuna", "numpy", "pandas", "albumentations", "optuna-dashboard")


def versions() -> dict[str, str]:
    """Version of this program, Python and the packages that matter."""
    return {"nas": nas.__version__, "python": platform.python_version(), **{name: importlib.metadata.version(name) for name in PACKAGES}}


def git_commit() -> str | None:
    """Commit of the checkout this program runs from, with "+" where files differ from it; None outside a checkout."""
    root = Path(nas.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def machine(device: str) -> dict[str, Any]:
    """What the computer is."""
    found = {"system": platform.platform(), "processor": _processor(), "device": device}
    if device == "cuda":
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
