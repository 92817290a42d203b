"""Views a second: a bank drawn as a search draws it, against albumentations alone on all cores.

The reference is the built-in recipe (`nas/data/transforms.py`) in as many processes as there are cores, each calling its pipeline in a
plain loop on images that lie decoded and scaled in memory, unseeded, the results thrown away; imports and a first call are not timed. The
bank is timed whole: reading, decoding, scaling, seeding, checking and writing, validation images too, and the start of processes where
it starts any. One column adds to the reference the reading and scaling of each training image once; the last compares views a
second of a core, and is the one to read on a machine that others use too. Sizes and numbers of views are those a search chooses for the
set. Rounds are interleaved.

Run: python benchmarks/bank_throughput.py [--sizes 64x64 320x480 512x512] [--images 400] [--repeats 5]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import albumentations  # noqa: F401 - 1.3 s that are not drawing
import cv2
import numpy as np
from PIL import Image

from nas.data import build_bank, open_data, training_transform
from nas.data.resize import scale_to_fit
from nas.search.config import SearchConfig
from nas.search.sets import make_sets

COLUMNS = ("set", "image to view", "views of each", "views", "albumentations", "bank", "share", "with reading", "by core time")
CORES = len(os.sched_getaffinity(0))


def write_set(root: Path, images: int, height: int, width: int) -> Path:
    """Noise of several scales with wandering lines, as JPEG of a photograph's size, and PNG masks."""
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True)
    for index in range(images):
        draw = np.random.default_rng(index)
        image = np.full((height, width, 3), 127, dtype=np.float32)
        for rows, columns, amplitude in ((4, 4, 40), (height // 8, width // 8, 25), (height, width, 6)):
            coarse = draw.standard_normal((rows, columns, 3), dtype=np.float32)
            image += amplitude * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
        mask = np.zeros((height, width), dtype=np.uint8)
        points = np.cumsum(draw.integers(-height // 20, height // 10, (20, 1, 2)), axis=0).astype(np.int32)
        cv2.polylines(mask, [points], False, 1, max(2, height // 100))
        pixels = np.clip(image - 50 * mask[..., None], 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{index:06}.jpg", quality=90)
        Image.fromarray(mask).save(root / "masks" / f"{index:06}.png")
    return root


def reference_process(job: dict) -> None:
    """One of the reference's processes: says when it is ready, waits for a line, says how long it drew."""
    cv2.setNumThreads(1)
    data, size, train_size = open_data(job["data"]), tuple(job["size"]), tuple(job["train_size"])
    items = data.splits["train"][job["part"] :: CORES]
    pairs = [scale_to_fit(*data.read(item), size) for item in items]
    transform = training_transform(train_size)
    for image, mask in pairs[:2]:
        transform(image=image, mask=mask)
    print("ready", flush=True)
    sys.stdin.readline()
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(job["views"]):
        for image, mask in pairs:
            transform(image=image, mask=mask)
    drawn, worked = time.perf_counter(), time.process_time() - worked
    for item in items:
        scale_to_fit(*data.read(item), size)
    print(drawn - began, time.perf_counter() - drawn, worked, flush=True)


def reference(job: dict, views: int) -> tuple[float, float, float]:
    """Views a second of all its processes together, drawing alone and with the reading of each image once; views a second of a core."""
    command = [sys.executable, __file__, "--reference"]
    made = [
        subprocess.Popen([*command, json.dumps(job | {"part": part})], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for part in range(CORES)
    ]
    for process in made:
        process.stdout.readline()
    for process in made:
        process.stdin.write("\n")
        process.stdin.flush()
    times = [tuple(map(float, process.communicate()[0].split())) for process in made]
    drawing, both = max(one for one, _, _ in times), max(one + other for one, other, _ in times)
    return views / drawing, views / both, views / sum(worked for _, _, worked in times)


def spread(values: list[float], digits: int = 0) -> str:
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def compare(root: Path, cache: Path, repeats: int) -> str:
    """One line: rates of all three, and the bank's share of the other two, round by round."""
    (plan,) = make_sets(SearchConfig(data=(str(root),)))
    size, train_size = plan.size.image_size, plan.size.train_size
    count = plan.views * len(plan.data.splits["train"])
    job = {"data": str(root), "size": size, "train_size": train_size, "views": plan.views}
    ours, theirs, reading, work = [], [], [], []
    for _ in range(repeats):
        drawing, both, each = reference(job, count)
        theirs.append(drawing)
        reading.append(both)
        began, before = time.perf_counter(), sum(os.times()[:4])
        build_bank(plan.data, size, train_size, plan.views, 0, cache)
        ours.append(count / (time.perf_counter() - began))
        work.append(count / (sum(os.times()[:4]) - before) / each)
        shutil.rmtree(cache)
    shares = [spread([one / other for one, other in zip(ours, others, strict=True)], 2) for others in (theirs, reading)]
    shape = f"{size[0]}x{size[1]} to {train_size[0]}x{train_size[1]}"
    cells = [root.name, shape, str(plan.views), f"{count:,}", spread(theirs), spread(ours), *shares, spread(work, 2)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--sizes", nargs="*", default=["64x64", "320x480", "512x512"])
    made.add_argument("--images", nargs="+", type=int, default=[400])
    made.add_argument("--repeats", type=int, default=5)
    made.add_argument("--data", nargs="*", type=Path, default=[], help="folders of data sets, beside those that are made")
    made.add_argument("--reference", help=argparse.SUPPRESS)
    flags = made.parse_args()
    if flags.reference:
        reference_process(json.loads(flags.reference))
        return
    print(f"{CORES} cores; views a second, median (least to most) of {flags.repeats} rounds")
    print(f"| {' | '.join(COLUMNS)} |\n|---|---|{'---:|' * (len(COLUMNS) - 2)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="nas-bank-") as folder:
        for path in flags.data:
            print(compare(path, Path(folder) / "cache", flags.repeats), flush=True)
        for size in flags.sizes:
            for images in flags.images:
                root = write_set(Path(folder) / f"{images} of {size}", images, *map(int, size.split("x")))
                print(compare(root, Path(folder) / "cache", flags.repeats), flush=True)
                shutil.rmtree(root)


if __name__ == "__main__":
    main()
