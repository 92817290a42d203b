"""One training step of a dilated depthwise convolution, plain against over residue classes: milliseconds and their ratio, one thread.

Run: python benchmarks/dilated_depthwise.py
"""

import statistics
import time

import torch
from torch.nn import functional as F

from nas.train.formulations.dilated import convolve_residues

REPEATS = 15


def milliseconds(step) -> float:
    found = []
    for _ in range(REPEATS + 3):
        began = time.perf_counter()
        step()
        found.append(1000 * (time.perf_counter() - began))
    return statistics.median(found[3:])


def main() -> None:
    torch.set_num_threads(1)
    print("channels  size  dilation  plain ms  residues ms  ratio")
    for channels, size in ((16, 64), (12, 64), (24, 32), (16, 32), (32, 16), (8, 128)):
        for dilation in (2, 4, 8):
            x = torch.randn(8, channels, size, size).contiguous(memory_format=torch.channels_last).requires_grad_()
            weight = torch.randn(channels, 1, 3, 3, requires_grad=True)

            def step(convolve, x=x, weight=weight):
                y = convolve(x, weight)
                torch.autograd.grad(y, (x, weight), torch.ones_like(y))

            def plain(x, weight, dilation=dilation, channels=channels):
                return F.conv2d(x, weight, padding=dilation, dilation=dilation, groups=channels)

            def residues(x, weight, dilation=dilation):
                return convolve_residues(x, weight, dilation)

            a, b = milliseconds(lambda step=step, plain=plain: step(plain)), milliseconds(lambda step=step, f=residues: step(f))
            print(f"{channels:8d}  {size:4d}  {dilation:8d}  {a:8.2f}  {b:11.2f}  {a / b:5.2f}")


if __name__ == "__main__":
    main()
