"""Views a second: a bank drawn as a search draws it, against albumentations alone on all cores.

The reference is the built-in recipe (`nas/data/transforms.py`) in as many processes as there are cores, each a plain loop, unseeded, the
results thrown away; imports and a first call are not timed. It is timed twice: drawing alone, from images that lie decoded and scaled in
memory, and the whole job, in which each training image is read, scaled by albumentations' own `Resize` and drawn, and each validation
image read, scaled and padded, once. A bank is timed whole: it does that job, and seeds, checks, counts, writes and syncs besides, and
starts its processes where it has any. The last column compares views a second of a core in the same job, and is the one to read on a
machine that others use too. Sizes and numbers of views are those a search chooses for the set. Rounds are interleaved.

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

import albumentations as A
import cv2
import numpy as np
from PIL import Image

from nas.data import build_bank, open_data, training_transform
from nas.data.resize import fitted_size, scale_to_fit
from nas.search.config import SearchConfig
from nas.search.sets import make_sets

COLUMNS = ("set", "image to view", "views", "drawing alone", "whole job", "bank", "bank / drawing", "bank / job", "by core time")
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
    """One of the reference's processes: says when it is ready, waits for a line, says how long it drew and how long the job took it."""
    cv2.setNumThreads(1)
    data, size, train_size = open_data(job["data"]), tuple(job["size"]), tuple(job["train_size"])
    train, val = (data.splits[split][job["part"] :: CORES] for split in ("train", "val"))
    pairs = [scale_to_fit(*data.read(item), size) for item in train]
    transform = training_transform(train_size)
    for image, mask in pairs[:2]:
        transform(image=image, mask=mask)
        scaled_by_albumentations(image, mask, size)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    for image, mask in pairs:
        for _ in range(job["views"]):
            transform(image=image, mask=mask)
    drawn, worked = time.perf_counter(), time.process_time()
    for item in train:
        image, mask = scaled_by_albumentations(*data.read(item), size)
        for _ in range(job["views"]):
            transform(image=image, mask=mask)
    pad = A.PadIfNeeded(*size)
    for item in val:
        image, mask = scaled_by_albumentations(*data.read(item), size)
        pad(image=image, mask=mask)
    print(drawn - began, time.perf_counter() - drawn, time.process_time() - worked, flush=True)


def scaled_by_albumentations(image: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """To the size that a bank works at, with the sampling that albumentations' documentation advises for reductions."""
    fitted = fitted_size(mask.shape, size)
    if fitted == mask.shape:
        return image, mask
    both = A.Resize(*fitted, interpolation=cv2.INTER_AREA)(image=image, mask=mask)
    return both["image"], both["mask"]


def reference(job: dict, views: int) -> tuple[float, float, float]:
    """Views a second of all its processes together, drawing alone and in the whole job; views a second of a core in the job."""
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
    drawing, whole, worked = zip(*times, strict=True)
    return views / max(drawing), views / max(whole), views / sum(worked)


def spread(values: list[float], digits: int = 0) -> str:
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def compare(root: Path, cache: Path, repeats: int) -> str:
    """One line: rates of all three, and the bank's share of the other two, round by round."""
    (plan,) = make_sets(SearchConfig(data=(str(root),)))
    size, train_size = plan.size.image_size, plan.size.train_size
    count = plan.views * len(plan.data.splits["train"])
    job = {"data": str(root), "size": size, "train_size": train_size, "views": plan.views}
    ours, drawing, whole, work = [], [], [], []
    for _ in range(repeats):
        alone, all_of_it, each = reference(job, count)
        drawing.append(alone)
        whole.append(all_of_it)
        began, before = time.perf_counter(), sum(os.times()[:4])
        build_bank(plan.data, size, train_size, plan.views, 0, cache)
        ours.append(count / (time.perf_counter() - began))
        work.append(count / (sum(os.times()[:4]) - before) / each)
        shutil.rmtree(cache)
    shares = [spread([one / other for one, other in zip(ours, others, strict=True)], 2) for others in (drawing, whole)]
    shape = f"{size[0]}x{size[1]} to {train_size[0]}x{train_size[1]}"
    cells = [
        root.name,
        shape,
        f"{plan.views} x {count // plan.views:,}",
        spread(drawing),
        spread(whole),
        spread(ours),
        *shares,
        spread(work, 2),
    ]
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
