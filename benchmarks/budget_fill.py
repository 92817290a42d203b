"""How well random draws fill their caps, for every space: share over the cap at their narrowest, share that fills 85 %, time of scaling.

Run: python benchmarks/budget_fill.py [--draws 300]
"""

import argparse
import random
import time

from nas.cost import Budget, estimate
from nas.space import Misfit, known_spaces, load_space, random_params

IN_SHAPE, NUM_CLASSES = (3, 128, 128), 2
BUDGETS = (
    *(Budget(cap) for cap in (2_000, 5_000, 10_000, 50_000, 500_000)),
    Budget(10_000, macs=10_000_000),
    Budget(10_000, macs=20_000_000, memory=2**20),
)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--draws", type=int, default=300)
    flags = made.parse_args()
    print(f"{flags.draws} draws at 128x128; fill of the tightest cap")
    print("space            params     MACs    memory  misfits  85 % full  least  mean ms  max ms")
    for name in known_spaces():
        for budget in BUDGETS:
            space, draw = load_space(name), random.Random(0)
            misfits, fills, seconds = 0, [], []
            for _ in range(flags.draws):
                genome = space.decode(random_params(space, draw))
                began = time.perf_counter()
                try:
                    scaled = space.scale_to(genome, budget, IN_SHAPE, NUM_CLASSES)
                except Misfit:
                    misfits += 1
                    continue
                seconds.append(1000 * (time.perf_counter() - began))
                cost = estimate(scaled, IN_SHAPE, NUM_CLASSES)
                fills.append(max(getattr(cost, what) / cap for what, cap in budget.caps().items()))
            full = sum(fill >= 0.85 for fill in fills) / len(fills)
            print(
                f"{name:15} {budget.params:7,} {budget.macs or '':>10} {budget.memory or '':>8} {misfits / flags.draws:8.1%} {full:9.1%} "
                f"{min(fills):7.1%} {sum(seconds) / len(seconds):7.2f} {max(seconds):7.2f}"
            )


if __name__ == "__main__":
    main()
