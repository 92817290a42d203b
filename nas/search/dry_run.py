"""What a search would do, without doing it: data, bank, sample draws with their cost, and how long it would take."""

import contextlib
import time

import numpy as np

from nas.data import VOID, Bank, bank_bytes
from nas.errors import UserError
from nas.machine import one_thread
from nas.network import build_network
from nas.outline import outline
from nas.proxy.rungs import EARLY_IMAGES, ETA
from nas.search.candidate import Candidate
from nas.search.config import SearchConfig
from nas.search.display.progress import duration
from nas.search.objectives import directions
from nas.search.plan import Plan, make_plan
from nas.search.proposer import Proposer, SpaceExhausted
from nas.search.quiet import optuna_quiet
from nas.search.run import describe_data
from nas.search.sampling import make_sampler
from nas.search.sets import SetPlan
from nas.search.warm_start import LARGEST_SHARE
from nas.space import load_peers
from nas.train import Recipe, fit, shown, steps_per_epoch

SAMPLES = 5
TIMED_STEPS = 4


def dry_run(config: SearchConfig) -> str:
    """The text that `--dry-run` prints.

    Raises:
        UserError: The search could not begin either.
    """
    plan = make_plan(config)
    size = sum(bank_bytes(data, one.size.image_size, one.size.train_size, one.views) for one in plan.sets for data in one.rounds)
    candidates = sample_candidates(plan)
    parts = [
        describe_data(plan),
        f"{'banks' if config.folds else 'bank'} of views: {size / 2**20:,.1f} MiB in {plan.bank_folder}",
        f"study: {plan.name} in {plan.folder.storage_url(config.storage)}",
        f"space: {plan.space.name}, {len(plan.space.distributions())} genes; sampler {config.sampler}",
        f"objectives: {', '.join(config.objectives)}",
        f"\n{len(candidates)} sample draws:",
        *(_describe(plan, candidate) for candidate in candidates),
        _estimate(plan, candidates),
    ]
    return "\n".join(parts)


def sample_candidates(plan: Plan) -> list[Candidate]:
    """The first draws of the search's own sampler."""
    with optuna_quiet():
        sampler = make_sampler(plan.config.sampler, plan.config.seed, 0)
        proposer = Proposer(plan.target, plan.config.objectives, sampler, directions(plan.config.objectives))
        found: list[Candidate] = []
        with contextlib.suppress(SpaceExhausted):
            while len(found) < SAMPLES and (proposal := proposer.next()) is not None:
                found.append(proposal.candidate)
        if not found:
            raise UserError("1,000 draws in a row did not fit the caps: a search would find next to nothing, raise --budget")
        return found


def _describe(plan: Plan, candidate: Candidate) -> str:
    cost = candidate.cost
    spent = f"{cost.params:,} parameters, {cost.macs / 1e6:,.2f}M MACs, {cost.memory / 1024:,.0f}K activations"
    head = f"{candidate.genome.key}: {spent}, sees {candidate.sees}"
    tree = outline(candidate.genome, plan.in_shape, plan.num_classes)
    return "\n".join([head, *(f"    {line}" for line in tree.splitlines()), ""])


def _estimate(plan: Plan, candidates: list[Candidate]) -> str:
    """From a few timed steps of the samples, on one thread as in a worker."""
    with one_thread():
        mean = sum(_trial_seconds(plan, one, candidates) for one in plan.sets)
    steps = sum(_steps(one) for one in plan.sets)
    folds = f" in {plan.config.folds} folds" if plan.config.folds else ""
    total = mean * plan.config.trials / max(1, plan.workers)
    early = (
        f", about {duration(total * _share(plan))} where those that fall behind stop after "
        f"{' and '.join(f'1/{ETA ** (plan.rungs - 1 - rung)}' for rung in range(plan.rungs - 1))} of their epochs"
        if plan.config.prune and plan.rungs > 1
        else ""
    )
    return (
        f"estimate: {mean:.1f} s a trial ({steps} steps{folds}), {duration(total)} for {plan.config.trials} trials trained to the end with "
        f"{max(1, plan.workers)} at a time{early}; a rough figure from {TIMED_STEPS} steps of each sample, the bank not counted"
    )


def _share(plan: Plan) -> float:
    """Share of the training that early stopping leaves, where a third goes on at each rung and the guarded are trained to the end."""
    trials, rungs = plan.config.trials, plan.rungs
    warm = trials // LARGEST_SHARE if plan.config.warm_start != "none" else 0
    guarded = min(1.0, max(2 * ETA, min(warm, len(load_peers()))) / trials)
    # Of each rung's share of the epochs, from the end of the rung before, what is left of the candidates trains it.
    ends = [float(ETA) ** (rung + 1 - rungs) for rung in range(rungs)]
    steps = [end - before for before, end in zip([0.0, *ends], ends, strict=False)]
    left = float(sum(step / ETA**rung for rung, step in enumerate(steps)))
    return guarded + (1 - guarded) * left


def _steps(one: SetPlan) -> int:
    """Training steps of a candidate on one set, all folds of it together."""
    recipe, images = one.recipe, [len(data.splits["train"]) for data in one.rounds]
    return sum(recipe.epochs * steps_per_epoch([shown(count, recipe.parts)], recipe.batch_size) for count in images)


def _trial_seconds(plan: Plan, one: SetPlan, candidates: list[Candidate]) -> float:
    """Mean seconds of a candidate's training and validation on one set."""
    step = sum(_step_seconds(plan, one, candidate) for candidate in candidates) / len(candidates)
    # Validation runs forward only, about a third of a step for as many pixels.
    height, width = one.size.image_size
    images = [len(data.splits["val"]) for data in one.rounds]
    early = (plan.rungs - 1) * sum(min(count, EARLY_IMAGES) for count in images)
    pixels = (sum(images) + early) * height * width / 3
    trained = _steps(one) * one.recipe.batch_size * one.size.train_size[0] * one.size.train_size[1]
    return step * _steps(one) * (1 + pixels / trained)


def _step_seconds(plan: Plan, one: SetPlan, candidate: Candidate) -> float:
    """Seconds of one training step, on noise."""
    batch = one.recipe.batch_size
    recipe = Recipe(epochs=2, batch_size=batch)
    model = build_network(candidate.genome, one.data.channels, one.data.num_classes)
    epochs = fit(model, [_noise(plan, one, batch * TIMED_STEPS // 2)], recipe, device=plan.device)
    next(epochs)
    began = time.perf_counter()
    second = next(epochs)
    return (time.perf_counter() - began - second.validate_seconds) / (TIMED_STEPS // 2)


def _noise(plan: Plan, one: SetPlan, images: int) -> Bank:
    random = np.random.default_rng(0)
    height, width = one.size.train_size
    classes = one.data.num_classes
    return Bank(
        path=plan.bank_folder,
        name="noise",
        classes=one.data.classes,
        image_size=(height, width),
        train_size=(height, width),
        train_images=random.integers(0, 256, (1, images, height, width, one.data.channels), dtype=np.uint8),
        train_masks=random.integers(0, classes, (1, images, height, width), dtype=np.uint8),
        val_images=np.zeros((1, height, width, one.data.channels), dtype=np.uint8),
        val_masks=np.full((1, height, width), VOID, dtype=np.uint8),
        val_names=("noise",),
        pixel_shares=(1 / classes,) * classes,
    )
