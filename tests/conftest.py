"""What all tests share."""

from pathlib import Path

import optuna
import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Two threads are slower than one on tiny networks, and results depend on their number."""
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def real_data():
    if not REAL_DATA.is_dir():
        pytest.skip("the real data sets are not beside this checkout")
    return REAL_DATA
