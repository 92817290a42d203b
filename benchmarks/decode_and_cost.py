"""Microseconds for decoding, pricing and scaling random draws of every space, one thread.

Run: python benchmarks/decode_and_cost.py [--budget 10000] [--draws 300]
"""

import argparse
import random
import statistics
import time

from nas.cost import Budget, estimate
from nas.space import Misfit, known_spaces, load_space, random_params

IN_SHAPE, NUM_CLASSES = (3, 128, 128), 2


def spread(seconds: list[float]) -> str:
    ordered = sorted(1e6 * value for value in seconds)
    return f"{statistics.median(ordered):9,.0f} {ordered[int(0.95 * len(ordered))]:9,.0f} {ordered[-1]:9,.0f}"


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--budget", type=int, default=10_000)
    made.add_argument("--draws", type=int, default=300)
    flags = made.parse_args()
    print(f"us: median, 95 % and largest of {flags.draws} draws; scaling to {flags.budget:,} parameters at 128x128")
    for name in known_spaces():
        space, draw = load_space(name), random.Random(0)
        drawn = [random_params(space, draw) for _ in range(flags.draws)]
        times: dict[str, list[float]] = {"decode": [], "cost": [], "decode + cost": [], "scale": []}
        for params in drawn:
            began = time.perf_counter()
            genome = space.decode(params)
            decoded = time.perf_counter()
            estimate(genome, IN_SHAPE, NUM_CLASSES)
            priced = time.perf_counter()
            times["decode"].append(decoded - began)
            times["cost"].append(priced - decoded)
            times["decode + cost"].append(priced - began)
            try:
                space.scale_to(genome, Budget(flags.budget), IN_SHAPE, NUM_CLASSES)
            except Misfit:
                continue
            times["scale"].append(time.perf_counter() - priced)
        for what, seconds in times.items():
            print(f"{name:16} {what:14} {spread(seconds)}")


if __name__ == "__main__":
    main()
