"""Every known network can be drawn: well-formed SVG with a box a block, an arc a skip."""

from xml.etree import ElementTree

import pytest

from nas.blocks import Skip
from nas.drawing import ARC, drawing
from nas.space import load_peers
from nas.topology import by_stage, walk

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("classes", [2, (2, 7)], ids=["one head", "two heads"])
@pytest.mark.parametrize("peer", load_peers(), ids=lambda peer: peer.name)
def test_every_peer_is_drawn(peer, classes):
    shape = (3, 64, 96)
    steps = walk(peer.genome, shape, classes)
    root = ElementTree.fromstring(drawing(peer.genome, shape, classes))
    boxes = list(root.iter(f"{SVG}g"))
    assert len(boxes) == len(steps)
    for box, step in zip(boxes, steps, strict=True):
        assert box.find(f"{SVG}title").text.startswith(f"{step.stage}: ")
    arcs = [path for path in root.iter(f"{SVG}path") if path.get("stroke-dasharray")]
    joins = sum(isinstance(step.operator, Skip) for step in steps)
    assert len(arcs) == joins + (len(classes) - 1 if isinstance(classes, tuple) else 0)
    last = {name: members[-1].out_shape for name, members in by_stage(steps)}
    passed = [last[name] for step in steps if isinstance(step.operator, Skip) for name in step.sources[1:]]
    labels = [text.text for text in root.iter(f"{SVG}text") if text.get("fill") == ARC]
    assert len(labels) == len(arcs)
    assert {f"{rows}x{columns}, {channels}" for channels, rows, columns in passed} <= set(labels)


def test_everything_lies_within_the_picture():
    for peer in load_peers():
        root = ElementTree.fromstring(drawing(peer.genome, (3, 64, 64), 3))
        _, _, width, height = map(float, root.get("viewBox").split())
        assert (float(root.get("width")), float(root.get("height"))) == (width, height)
        for box in root.iter(f"{SVG}rect"):
            if box.get("x") is None:
                continue
            assert 0 <= float(box.get("x")) <= width - float(box.get("width"))
            assert 0 <= float(box.get("y")) <= height - float(box.get("height"))


def test_the_figures_of_the_last_arc_lie_within_the_picture():
    root = ElementTree.fromstring(drawing(load_peers()[0].genome, (3, 1024, 2048), (2, 7)))
    last = max((text for text in root.iter(f"{SVG}text") if text.get("fill") == ARC), key=lambda text: float(text.get("x")))
    assert float(last.get("x")) + 5 * len(last.text) <= float(root.get("width"))


def test_finer_maps_stand_higher():
    peer = load_peers()[0]
    steps = walk(peer.genome, (3, 64, 64), 2)
    root = ElementTree.fromstring(drawing(peer.genome, (3, 64, 64), 2))
    tops = [float(group.find(f"{SVG}rect").get("y")) for group in root.iter(f"{SVG}g")]
    pairs = sorted((step.out_shape[1], top) for step, top in zip(steps, tops, strict=True))
    heights = sorted({height for height, _ in pairs}, reverse=True)
    by_height = [min(top for height, top in pairs if height == wanted) for wanted in heights]
    assert by_height == sorted(by_height)
