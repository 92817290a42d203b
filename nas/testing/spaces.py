"""What every search space promises.

Its distributions are flat and the same for every draw; a draw decodes to a genome that keeps all promises of genomes; scaling fills the
budget, never exceeds it, and is idempotent; encoding goes back.
"""

import random

import torch

from nas.cost import Budget, estimate
from nas.network import build_network
from nas.space import Misfit, SearchSpace
from nas.space.draws import random_params
from nas.testing.genomes import check_genome

IN_SHAPE = (3, 64, 48)
NUM_CLASSES = 3
WELL_FILLED = 0.85


def check_space(space: SearchSpace, draws: int, runs: int, budget: Budget, seed: int = 0) -> dict[str, float]:
    """Sends random draws through all promises.

    Args:
        space: What to check.
        draws: Random genomes; parameters are compared with the network's for each.
        runs: How many of them are also run: MACs, output shapes, gradients.
        budget: Caps for the scaled genomes.
        seed: Of the draws.

    Returns:
        "misfits", the share of draws whose narrowest form is over the caps; of the others "least_fill", the smallest share of the tightest
        cap that one fills, and "filled", the share of them that fill 85 % or more.

    Raises:
        AssertionError: A promise is broken; the message says which.
    """
    draw = random.Random(seed)
    assert space.distributions() == space.distributions(), "the distributions must be the same for every draw"
    misfits, fills = 0, list[float]()
    for i in range(draws):
        params = random_params(space, draw)
        decoded = space.decode(params)
        assert decoded == space.decode(params), "decoding must depend on the parameters alone"
        if i < runs:
            check_genome(space, decoded, IN_SHAPE, NUM_CLASSES, run=False)
            build_network(decoded, IN_SHAPE[0], NUM_CLASSES).eval()(torch.zeros(1, *IN_SHAPE))
        try:
            scaled = space.scale_to(decoded, budget, IN_SHAPE, NUM_CLASSES)
        except Misfit:
            misfits += 1
            continue
        cost = estimate(scaled, IN_SHAPE, NUM_CLASSES)
        assert budget.allows(cost), f"genome {scaled.key} is scaled to {cost}, over {budget}"
        assert space.scale_to(scaled, budget, IN_SHAPE, NUM_CLASSES) == scaled, f"scaling {scaled.key} again changes it"
        back = space.scale_to(space.decode(space.encode(scaled)), budget, IN_SHAPE, NUM_CLASSES)
        assert back.with_widths(scaled.widths) == scaled, f"encoding {scaled.key} loses its structure"
        distance = max(abs(a - b) for a, b in zip(back.widths, scaled.widths, strict=True))
        assert distance <= 1, f"encoding {scaled.key} changes a width by {distance}: {scaled.widths} -> {back.widths}"
        fills.append(max(getattr(cost, name) / cap for name, cap in budget.caps().items()))
        check_genome(space, scaled, IN_SHAPE, NUM_CLASSES, run=i < runs)
    filled = sum(fill >= WELL_FILLED for fill in fills) / max(1, len(fills))
    return {"misfits": misfits / draws, "least_fill": min(fills, default=1.0), "filled": filled}
