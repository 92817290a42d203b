"""Peak memory of a search on many large images: check, bank and training, the whole tree of processes.

What counts is anonymous and shared memory (`RssAnon` + `RssShmem`); pages of the mapped bank and of libraries are the kernel's to drop.
Photographs are replaced by noise of several scales with wandering lines, saved as JPEG with PNG masks: as large as photographs, and
written in minutes.

Run: python benchmarks/memory_of_large_sets.py [--images 10000] [--side 512] [--seconds 120] [--folder DIR]
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SAMPLE = 0.05
"""Seconds between two looks at the processes."""


def write_pair(root: Path, index: int, side: int) -> None:
    """One image and its mask; a function of its arguments."""
    draw = np.random.default_rng(index)
    image = np.zeros((side, side, 3), dtype=np.float32)
    for cells, amplitude in ((4, 40), (side // 8, 25), (side, 6)):
        coarse = draw.standard_normal((cells, cells, 3), dtype=np.float32)
        image += amplitude * cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros((side, side), dtype=np.uint8)
    points = np.cumsum(draw.integers(-side // 20, side // 10, (20, 1, 2)), axis=0).astype(np.int32)
    cv2.polylines(mask, [points], False, 1, 4)
    pixels = np.clip(image + 127 - 50 * mask[..., None], 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(root / "images" / f"{index:06}.jpg", quality=90)
    Image.fromarray(mask).save(root / "masks" / f"{index:06}.png")


def write_set(root: Path, images: int, side: int) -> None:
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(write_pair, [root] * images, range(images), [side] * images, chunksize=50))


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # it has just ended
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def resident(process: int) -> int:
    """Anonymous and shared memory of a process, in KiB; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def phase(home: Path) -> str:
    """What a search is at: its bank has no name until it is whole, its trials are told to the log."""
    banks = home / "studies" / ".banks"
    names = [entry.name for entry in banks.iterdir()] if banks.is_dir() else []
    if any(not name.startswith(".") for name in names):
        return "train"
    return "bank" if names else "check"


def watch(command: list[str], home: Path, seconds: float) -> dict[str, tuple[float, list[int], float]]:
    """Runs a search until it ends or has trained for `seconds`; gives MiB at the peak in all and by process, and seconds, by phase."""
    peaks: dict[str, tuple[int, list[int]]] = {}
    spent: dict[str, float] = {}
    with subprocess.Popen(command) as process:
        last = time.monotonic()
        while process.poll() is None:
            now, at = time.monotonic(), phase(home)
            spent[at] = spent.get(at, 0.0) + now - last
            last = now
            parts = sorted((resident(member) for member in tree(process.pid)), reverse=True)
            if sum(parts) > peaks.get(at, (0, []))[0]:
                peaks[at] = sum(parts), parts
            if spent.get("train", 0.0) > seconds:
                process.kill()
                process.wait()
                print(f"stopped after {seconds:.0f} s of training")
            time.sleep(SAMPLE)
    return {at: (total / 1024, [part // 1024 for part in parts if part > 1024], spent[at]) for at, (total, parts) in peaks.items()}


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--images", type=int, default=10_000)
    made.add_argument("--side", type=int, default=512)
    made.add_argument("--seconds", type=float, default=120, help="of training, after which the search is killed")
    made.add_argument("--folder", type=Path, help="where the set is kept and found again; without it a temporary one")
    flags = made.parse_args()
    home = Path(tempfile.mkdtemp(prefix="nas-memory-"))
    root = (flags.folder or home) / f"lines-{flags.images}-{flags.side}"
    try:
        if not root.is_dir():
            write_set(root, flags.images, flags.side)
        search = ["--data", root, "--image-size", flags.side, "--trials", 2, "--epochs", 1, "--workers", 2, "--warm-start", "none"]
        command = [sys.executable, "-m", "nas.search", *map(str, search), "--home", str(home / "home")]
        print(" ".join(command), flush=True)
        for at, (total, parts, spent) in watch(command, home / "home", flags.seconds).items():
            print(f"{at:6} peak {total:7,.0f} MiB  {spent:6.0f} s  processes {parts}")
        size = sum(file.stat().st_size for file in (home / "home").rglob("*.npy"))
        print(f"bank {size / 2**20:,.0f} MiB")
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
