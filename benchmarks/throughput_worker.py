"""A process of `training_throughput.py` that trains what it is told: one JSON job a line in, one JSON answer a line out.

Usage: python benchmarks/throughput_worker.py FOLDER BANK THREADS
"""

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import plain_loop
import torch
from torch import nn

from nas.data import Bank, DataSet, open_bank, open_data
from nas.genome import genome_from_json
from nas.network import build_network
from nas.space import load_space
from nas.train import Recipe, fit
from nas.train.batches import Batch

# As modules: `nas.train.fit` is also the name of a function.
fit_module, run_module = (importlib.import_module(f"nas.train.{name}") for name in ("fit", "run"))

EPOCHS = 1000
"""More than there is time for."""

WARM_UP = 8
"""Steps of the plain loop that do not count; more than a loader has ready in advance."""


def plain_steps(model: nn.Module, data: DataSet, bank: Bank, recipe: Recipe, loaders: int) -> Iterator[int]:
    views = plain_loop.Views(data, bank.image_size, bank.train_size)
    yield from plain_loop.train(model, plain_loop.make_loader(views, recipe.batch_size, loaders), recipe, bank.pixel_shares)


def our_epochs(model: nn.Module, bank: Bank, recipe: Recipe) -> Iterator[int]:
    for _ in fit(model, bank, recipe):
        yield len(bank.train_images[0])


@contextlib.contextmanager
def without(lever: str, data: DataSet, bank: Bank) -> Iterator[None]:
    """Switches one lever off for the length of a block; "" switches none."""
    with contextlib.ExitStack() as stack:

        def exchange(module: object, name: str, value: object) -> None:
            stack.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, value)

        if lever == "faster layers":
            exchange(fit_module, "fast_layers", lambda model, device: contextlib.nullcontext())
        elif lever == "memory layout":
            exchange(run_module, "memory_format_for", lambda model, image, batch_size, **told: torch.contiguous_format)
        elif lever == "blocks":
            exchange(run_module.Run, "_blocks_wanted", False)
        elif lever == "bank":
            exchange(fit_module, "epoch_batches", _drawn_anew(data, bank))
        elif lever:
            raise ValueError(lever)
        yield


def _drawn_anew(data: DataSet, bank: Bank):
    views = plain_loop.Views(data, bank.image_size, bank.train_size)

    def batches(banks, batch_size, seed, epoch, device, parts):
        for image, mask in plain_loop.make_loader(views, batch_size, workers=0):
            yield Batch(image.contiguous(memory_format=torch.channels_last), mask, 0)

    return batches


def images_per_second(parts: Iterator[int], seconds: float, warm_up: int) -> float:
    """Over parts (steps or epochs) that last at least so many seconds, after some that do not count."""
    for _ in range(warm_up):
        next(parts)
    began, shown = time.perf_counter(), 0
    for images in parts:
        shown += images
        if time.perf_counter() - began >= seconds:
            break
    return shown / (time.perf_counter() - began)


def main() -> None:
    folder, bank_path, threads = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(int(threads))
    data, bank, vocabulary = open_data(folder), open_bank(Path(bank_path)), load_space("tiny_unet").vocabulary
    for line in sys.stdin:
        job = json.loads(line)
        torch.manual_seed(0)
        model = build_network(genome_from_json(job["genome"], vocabulary), 3, bank.num_classes)
        recipe = Recipe(epochs=EPOCHS, batch_size=job["batch_size"])
        if job["side"] == "plain":
            rate = images_per_second(plain_steps(model, data, bank, recipe, job["loaders"]), job["seconds"], WARM_UP)
        else:
            with without(job["off"], data, bank):
                rate = images_per_second(our_epochs(model, bank, recipe), job["seconds"], 1)
        print(json.dumps(rate), file=answers, flush=True)


if __name__ == "__main__":
    main()
