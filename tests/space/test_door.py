"""`python -m nas.space`: lists, shows, checks."""

import subprocess
import sys

import pytest

from nas.space import known_spaces, load_space


def door(*arguments):
    return subprocess.run([sys.executable, "-m", "nas.space", *arguments], capture_output=True, text=True)


def test_spaces_are_listed_with_size_and_vocabulary():
    done = door()
    assert done.returncode == 0, done.stderr
    for name in known_spaces():
        space = load_space(name)
        assert f"{name}: {len(space.distributions())} genes" in done.stdout
        assert ", ".join(space.kinds) in done.stdout


@pytest.mark.parametrize("name", known_spaces())
def test_docstrings_say_what_a_person_wants_to_know(name):
    from nas.space.load import find_space, load_module

    space = load_space(name)
    text = load_module(find_space(name).path).__doc__
    assert f"{len(space.distributions())} genes, about 10^{space.log10_size:.0f} settings" in text
    for word in ("Contains", "Size", "Run", "Expect", f"--space {name}"):
        assert word in text


def test_samples_are_shown_as_trees_with_costs():
    done = door("show", "tiny_unet", "--budget", "5K", "--samples", "3", "--image-size", "64x96")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("total") == 3
    assert done.stdout.count("sees") == 3
    assert "2 x 64 x 96" in done.stdout
    assert "draws were over the caps" in done.stdout


def test_samples_of_other_channels():
    done = door("show", "tiny_unet", "--channels", "4", "--samples", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout != door("show", "tiny_unet", "--samples", "2").stdout


def test_known_networks_are_shown_at_the_caps():
    done = door("peers", "--budget", "10000")
    assert done.returncode == 0, done.stderr
    assert "MobileNetV2 + LR-ASPP: Sandler et al. 2018" in done.stdout


OWN = '''"""A space with a block of its own."""

from dataclasses import dataclass

from torch import nn

from nas.blocks import AddSkip, Block, Conv, MaxPool, WideBlock
from nas.space import SearchSpace


class PointwiseModule(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(nn.Conv2d(in_channels, out_channels, 1))


@dataclass(frozen=True)
class Pointwise(WideBlock):
    kind = "pointwise"
    module = PointwiseModule

    def params(self, in_shape):
        return (in_shape[0] + BIAS) * self.width

    def macs(self, in_shape):
        return in_shape[0] * self.width * in_shape[1] * in_shape[2]

    def workspace(self, in_shape):
        return self.width * in_shape[1] * in_shape[2], 0

    def arguments(self, in_shape):
        return {"in_channels": in_shape[0], "out_channels": self.width}


BIAS = 1
SPACE = SearchSpace(stem=Conv, blocks=(Conv, Pointwise), downs=(MaxPool,), skips=(AddSkip,))
'''


def test_a_sound_space_of_ones_own_passes(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    done = door("check", str(path), "--image-size", "48")
    assert done.returncode == 0, done.stderr
    assert "block pointwise: 3 combinations" in done.stdout
    assert "mine is sound" in done.stdout


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("BIAS = 1", "BIAS = 0"), "parameters, its module has"),
        (("in_shape[0] * self.width * in_shape[1]", "self.width * in_shape[1]"), "MACs, its module does"),
        (("return self.width * in_shape[1] * in_shape[2], 0", "return 1, 0"), "elements are alive"),
        (("BIAS) * self.width", "BIAS) * self.wdth"), "AttributeError at line"),
        (("skips=(AddSkip,)", "skips=()"), "at least one entry in `skips`"),
        (("stem=Conv", "stem_strides=(3,), stem=Conv"), "`stem_strides` of a space are of (1, 2, 4), it lists [3]"),
    ],
)
def test_what_is_wrong_with_a_space_is_said_in_words(tmp_path, change, message):
    path = tmp_path / "mine.py"
    assert change[0] in OWN
    path.write_text(OWN.replace(*change))
    done = door("check", str(path))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["show", "check"])
def test_caps_that_nothing_fits_end_every_command_in_words(command):
    done = subprocess.run(
        [sys.executable, "-m", "nas.space", command, "tiny_unet", "--budget", "60"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "raise the caps" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("flag", "value"), [("--classes", "1"), ("--classes", "two"), ("--samples", "0"), ("--samples", "-1")])
def test_numbers_that_make_no_sense_are_a_mistake(flag, value):
    done = door("show", "tiny_unet", flag, value)
    assert done.returncode == 2
    assert f"argument {flag}: a whole number of at least" in done.stderr
