"""Every space of search_spaces/ keeps every promise."""

import random
from dataclasses import replace

import pytest

from nas.cost import Budget, estimate
from nas.errors import UserError
from nas.space import Misfit, find_space, known_spaces, load_space, random_params, smallest
from nas.space.load import built_in_folder
from nas.testing import check_space
from nas.testing.spaces import IN_SHAPE, NUM_CLASSES


@pytest.mark.parametrize("name", known_spaces())
def test_space_keeps_all_promises(name):
    seen = check_space(load_space(name), draws=150, runs=25, budget=Budget(10_000))
    assert seen["misfits"] < 0.1
    assert seen["filled"] >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("name", known_spaces())
def test_space_keeps_all_promises_over_a_thousand_draws(name):
    seen = check_space(load_space(name), draws=1000, runs=200, budget=Budget(10_000), seed=1)
    assert seen["misfits"] < 0.1
    assert seen["filled"] >= 0.95


@pytest.mark.parametrize(
    "budget",
    [
        Budget(2_000),
        Budget(5_000),
        Budget(50_000),
        Budget(10_000, macs=2_000_000),
        Budget(10_000, memory=150_000),
        Budget(10_000, memory=300_000),
    ],
)
def test_scaling_fills_the_tightest_cap(budget):
    seen = check_space(load_space("tiny_unet"), draws=60, runs=0, budget=budget, seed=2)
    assert seen["filled"] >= 0.95
    assert seen["misfits"] < (0.4 if budget.memory == 150_000 else 0.1)


@pytest.mark.parametrize("budget", [Budget(10_000), Budget(10_000, macs=3_000_000), Budget(50_000, memory=150_000)])
def test_a_rough_scale_fits_and_is_near(budget):
    space, draw, shares = load_space("tiny_unet"), random.Random(4), []
    while len(shares) < 60:
        genome = space.decode(random_params(space, draw))
        try:
            exact = space.scale_to(genome, budget, IN_SHAPE, NUM_CLASSES)
        except Misfit:
            with pytest.raises(Misfit):
                space.scale_to(genome, budget, IN_SHAPE, NUM_CLASSES, rough=True)
            continue
        rough = space.scale_to(genome, budget, IN_SHAPE, NUM_CLASSES, rough=True)
        cost, full = (estimate(one, IN_SHAPE, NUM_CLASSES) for one in (rough, exact))
        assert budget.allows(cost)
        shares.append(max(getattr(cost, name) / getattr(full, name) for name in budget.caps()))
    assert min(shares) > 0.5
    assert sorted(shares)[6] > 0.8


def test_misfit_says_how_large_the_narrowest_form_is():
    space = load_space("tiny_unet")
    genome = space.decode(random_params(space, random.Random(0)))
    with pytest.raises(Misfit, match=r"params of 100") as caught:
        space.scale_to(genome, Budget(100), IN_SHAPE, NUM_CLASSES)
    assert caught.value.cost.params > 100


@pytest.mark.parametrize("cost", ["params", "macs"])
def test_smallest_is_below_every_draw(cost):
    space, draw = load_space("tiny_unet"), random.Random(3)
    _, least = smallest(space, cost, IN_SHAPE, NUM_CLASSES)
    for _ in range(200):
        genome = space.decode(random_params(space, draw))
        with pytest.raises(Misfit):
            space.scale_to(genome, Budget(**{"params": 10**9, cost: getattr(least, cost) - 1}), IN_SHAPE, NUM_CLASSES)


def test_inactive_genes_do_not_change_the_genome():
    space, draw = load_space("tiny_unet"), random.Random(4)
    params = random_params(space, draw) | {"levels": 2}
    other = params | {name: value for name, value in random_params(space, draw).items() if name.startswith(("encoder4", "decoder3"))}
    assert params != other
    assert space.decode(params).key == space.decode(other).key


def test_encode_refuses_what_the_space_lacks():
    space, draw = load_space("tiny_unet"), random.Random(5)
    genome = space.decode(random_params(space, draw) | {"encoder1_block": "sobel"})
    narrower = load_space("tiny_unet")
    object.__setattr__(narrower, "blocks", tuple(block for block in narrower.blocks if block.kind != "sobel"))
    with pytest.raises(UserError, match="encoder1_block"):
        narrower.encode(genome)


def test_unknown_space_names_the_known_ones():
    with pytest.raises(UserError, match="tiny_unet"):
        find_space("tiny_vnet")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SPACE = 3\n", "has a SPACE of type int"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError"),
        ("x = 1\n", "has no SPACE"),
        ("def(\n", "SyntaxError"),
    ],
)
def test_faulty_space_files_are_explained(tmp_path, text, message):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_space(path)


def test_a_space_that_changes_under_way_is_read_from_its_copy_or_refused(tmp_path):
    path, copy = tmp_path / "mine.py", tmp_path / "copy.py"
    path.write_text((built_in_folder() / "mobile.py").read_text())
    file = replace(find_space(path), copy=copy)
    copy.write_text(path.read_text())
    assert file.readable == file.path
    path.write_text((built_in_folder() / "thin_structures.py").read_text())
    assert load_space(file).summary == load_space("mobile").summary
    assert file.readable == copy
    path.unlink()
    assert file.readable == copy
    copy.write_text("")
    with pytest.raises(UserError, match=r"mine\.py has changed or gone"):
        load_space(file)


def test_a_space_needs_two_levels_and_entries():
    space = load_space("tiny_unet")
    with pytest.raises(UserError, match="at least 2 levels"):
        replace(space, levels=(1, 2))
    with pytest.raises(UserError, match="`blocks`"):
        replace(space, blocks=())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"min_width": 1}, "`min_width` of a space is at least 2"),
        ({"min_width": 129}, r"at most `reference_width` \(128\)"),
        ({"width_ratio": (0.0, 2.0)}, "both above 0"),
        ({"width_ratio": (2.0, 0.5)}, "its lowest ratio and its highest"),
    ],
)
def test_widths_that_no_network_can_have_are_refused(wrong, message):
    with pytest.raises(UserError, match=message):
        replace(load_space("tiny_unet"), **wrong)
