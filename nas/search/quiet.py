"""Keeps Optuna from announcing every study it makes, the sampler's in-memory copy too."""

import contextlib
from collections.abc import Iterator

import optuna


@contextlib.contextmanager
def optuna_quiet() -> Iterator[None]:
    """While this lasts, Optuna speaks of warnings and errors only, or of less where that was asked for."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
