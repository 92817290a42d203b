"""The samplers that can be chosen: five by name, any other of Optuna's interface by its import path."""

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler

from nas.errors import UserError
from nas.python_file import import_attribute
from nas.search.objectives import Direction
from nas.search.quiet import optuna_quiet
from nas.search.sampling.surrogate import SurrogateSampler


def _tpe(seed: int) -> BaseSampler:
    return TPESampler(multivariate=True, constant_liar=True, seed=seed)


SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "surrogate": SurrogateSampler,
    "tpe": _tpe,
    "random": lambda seed: RandomSampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed),
}


def make_sampler(name: str, seed: int, existing: int) -> BaseSampler:
    """A sampler whose draws depend on the seed and on how many trials there are.

    Without the second a resumed study would draw its first candidates again, find them known and throw them away.

    Args:
        name: Of `SAMPLERS`, or `module:attribute` of a class or function that gives a sampler.
        seed: Of the search.
        existing: Trials that the study has.

    Raises:
        UserError: There is no such sampler, or it cannot be made.
    """
    seed = (seed * 1_000_003 + existing) % 2**32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return SAMPLERS[name](seed) if name in SAMPLERS else _made(name, find_maker(name), seed)


def find_maker(name: str) -> Callable[..., Any]:
    """The class or function that a name stands for.

    Raises:
        UserError: It is neither one of `SAMPLERS` nor an import path of something that can be called.
    """
    if name in SAMPLERS:
        return SAMPLERS[name]
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise UserError(f"unknown sampler {name!r}: give one of {', '.join(SAMPLERS)}, or module:Class such as optuna.samplers:QMCSampler")
    maker = import_attribute(module_name, attribute, f"--sampler {name}")
    if not callable(maker) or (inspect.isclass(maker) and not issubclass(maker, BaseSampler)):
        raise UserError(f"--sampler {name}: a subclass of Optuna's BaseSampler, or a function that gives one, is needed; {maker!r} came")
    return maker  # type: ignore[no-any-return]  # callable() does not say of what.


def _made(name: str, maker: Callable[..., Any], seed: int) -> BaseSampler:
    try:
        sampler = maker(**({"seed": seed} if _takes_seed(maker) else {}))
    except Exception as error:
        raise UserError(
            f"--sampler {name} cannot be made ({type(error).__name__}: {error}): it is called with seed=, where it takes one, and nothing "
            "else; where it needs more, write a function def make(seed) that gives the sampler, and name that"
        ) from error
    if not isinstance(sampler, BaseSampler):
        raise UserError(f"--sampler {name} gave {sampler!r}: an optuna.samplers.BaseSampler is needed")
    return sampler


def _takes_seed(maker: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(maker).parameters.values()
    except (TypeError, ValueError):
        return False  # Some built-in callables have no signature.
    return any(one.name == "seed" or one.kind is one.VAR_KEYWORD for one in parameters)


@contextlib.contextmanager
def sampler_faults(sampler: BaseSampler) -> Iterator[None]:
    """Turns what a sampler raises into words; a failure of one of `SAMPLERS` would be ours and keeps its traceback.

    Raises:
        UserError: Naming the sampler and what it said.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if type(sampler) in (SurrogateSampler, TPESampler, RandomSampler, NSGAIISampler, GPSampler):
            raise
        raise UserError(
            f"the sampler {type(sampler).__name__} does not work here ({type(error).__name__}: {error}). Finished trials are kept; "
            "a sampler must take as many objectives as --objectives names, and every gene of the space: give another --sampler"
        ) from error


def check_sampler(name: str, directions: Sequence[Direction], distributions: Mapping[str, BaseDistribution]) -> None:
    """Lets a sampler of a person's own draw once, before the views are drawn and a study is begun.

    Raises:
        UserError: It cannot be made, or refuses the objectives or the genes.
    """
    if name in SAMPLERS:
        return
    sampler = make_sampler(name, 0, 0)
    with optuna_quiet(), sampler_faults(sampler):
        optuna.create_study(directions=list(directions), sampler=sampler).ask(dict(distributions))
