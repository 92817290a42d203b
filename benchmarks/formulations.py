"""One training step of single layers, plain against their faster forms: milliseconds of one thread and their ratio.

The two take turns, and what counts is processor time: medians of both. Dilated filters have a table of their own (`dilated_depthwise.py`).

Run: python benchmarks/formulations.py
"""

import itertools
import statistics
import time

import torch
from torch import nn

from nas.train.formulations import FORMULATIONS, fast_layers

REPEATS = 25

LAYERS = [
    *[(nn.Conv2d(a, b, 1, bias=False), size) for a, b, size in ((10, 10, 64), (16, 16, 64), (13, 6, 64), (8, 2, 64), (10, 10, 128))],
    *[(nn.BatchNorm2d(channels), size) for channels, size in ((7, 64), (10, 64), (13, 64), (20, 64), (24, 32), (10, 128))],
    *[(nn.Conv2d(c, c, 5, padding=2, groups=c, bias=False), size) for c, size in ((14, 64), (20, 32), (10, 128))],
    *[(nn.Upsample(scale_factor=2.0, mode="bilinear"), size) for size in (16, 32, 64)],
    (nn.Upsample(scale_factor=4.0, mode="bilinear"), 16),
    *[
        (nn.Conv2d(c, c, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=c, bias=False), size)
        for c, kernel, dilation, size in ((24, 3, 1, 2), (24, 3, 1, 4), (24, 5, 1, 4), (12, 3, 2, 8), (28, 3, 2, 8), (28, 5, 1, 8))
    ],
]


def step(layer: nn.Module, x: torch.Tensor, device: torch.device) -> float:
    with fast_layers(layer, device):
        began = time.thread_time()
        y = layer(x)
        y.backward(torch.ones_like(y))
        return 1000 * (time.thread_time() - began)


def main() -> None:
    torch.set_num_threads(1)
    plain_device, fast_device = torch.device("cuda"), torch.device("cpu")  # the forms are for a CPU: for a GPU nothing is changed
    print(f"batches of 8, torch {torch.__version__}; {len(FORMULATIONS)} forms\n")
    print("| layer | size | order | plain ms | fast ms | ratio |\n|---|---:|---|---:|---:|---:|")
    for (layer, size), order in itertools.product(LAYERS, (torch.channels_last, torch.contiguous_format)):
        channels = getattr(layer, "in_channels", getattr(layer, "num_features", 6))
        x = torch.randn(8, channels, size, size).contiguous(memory_format=order).requires_grad_()
        times = [(step(layer, x, plain_device), step(layer, x, fast_device)) for _ in range(REPEATS + 3)][3:]
        plain, fast = (statistics.median(column) for column in zip(*times, strict=True))
        name = "channels last" if order == torch.channels_last else "channels first"
        print(f"| `{layer}` on {channels} | {size} | {name} | {plain:.2f} | {fast:.2f} | {plain / fast:.2f} |", flush=True)


if __name__ == "__main__":
    main()
