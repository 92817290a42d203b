"""An edited class, wherever it is written, makes another network."""

import importlib
import sys

import pytest
from torch import nn

from nas.model_code import load_model_code
from nas.network_digest import digest_of_sources, network_digest

BLOCK = """
from torch import nn
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 2, 1)
    def forward(self, x):
        return self.layer(x)
"""
BUILDER = """
from torch import nn
from digested_block import Block
def make():
    return nn.Sequential(Block())
"""


@pytest.fixture
def digests(tmp_path, monkeypatch):
    """Writes a module and the module of its block; gives the digests of a fresh import: of the code, and of the network."""
    monkeypatch.syspath_prepend(tmp_path)

    def run(block=BLOCK, builder=BUILDER):
        (tmp_path / "digested_block.py").write_text(block)
        (tmp_path / "digested.py").write_text(builder)
        importlib.invalidate_caches()
        for name in ("digested", "digested_block"):
            sys.modules.pop(name, None)
        code = load_model_code("digested:make")
        return code.digest, network_digest(code.build(3, 2))

    yield run
    for name in ("digested", "digested_block"):
        sys.modules.pop(name, None)


def test_the_same_sources_are_the_same_network(digests):
    assert digests() == digests()


def test_an_edited_module_is_another_network_whatever_of_it_was_edited(digests):
    edited = digests(builder=BUILDER + "# a line that the function does not hold\n")
    assert edited[0] != digests()[0]


def test_an_edited_class_of_a_layer_is_another_network(digests):
    edited = digests(block=BLOCK.replace("self.layer(x)", "self.layer(x).relu()"))
    assert edited[1] != digests()[1]


def test_a_base_class_counts_and_what_torch_brings_does_not():
    assert network_digest(nn.Conv2d(3, 2, 1)) == network_digest(nn.Conv2d(3, 2, 1))
    assert network_digest(nn.Conv2d(3, 2, 1)) != network_digest(type("Own", (nn.Conv2d,), {"__module__": __name__})(3, 2, 1))


def test_other_tensors_are_another_network():
    assert network_digest(nn.Conv2d(3, 2, 1)) != network_digest(nn.Conv2d(3, 4, 1))
    assert network_digest(nn.Conv2d(3, 2, 1)) != network_digest(nn.Conv2d(3, 2, 1, bias=False))


def test_what_has_no_file_has_no_digest():
    assert digest_of_sources([len, sys]) == ""
