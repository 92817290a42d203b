"""Imports point down: the floors of the house, read from the source."""

import ast

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "nas"

# Each room may import itself and the rooms named here; those in OPEN are open to all.
OPEN = {"errors", "files", "flags", "machine", "model_code", "network_digest", "pareto", "python_file", "weights"}
MAY_IMPORT = {
    "errors": set(),
    "files": set(),
    "flags": set(),
    "pareto": set(),
    "python_file": {"errors"},
    "quota": set(),
    "machine": {"errors", "quota"},
    "network_digest": {"python_file"},
    "model_code": {"errors", "network_digest", "python_file"},
    "weights": {"errors", "files"},
    "blocks": set(),
    "genome": {"blocks"},
    "topology": {"blocks", "genome"},
    "cost": {"blocks", "genome", "topology"},
    "receptive_field": {"topology"},
    "outline": {"blocks", "genome", "topology", "cost", "receptive_field"},
    "drawing": {"blocks", "genome", "topology", "cost"},
    "network": {"blocks", "genome", "topology"},
    "space": {"blocks", "genome", "topology", "cost"},
    "data": set(),
    "evaluate": {"data"},
    "train": {"data", "evaluate"},
    "proxy": {"blocks", "genome", "network", "space", "data", "evaluate", "train"},
    "search": {
        *("blocks", "genome", "topology", "cost", "receptive_field", "outline", "drawing", "network", "space"),
        *("data", "evaluate", "train", "proxy"),
    },
    "export": {
        *("blocks", "genome", "topology", "cost", "receptive_field", "outline", "drawing", "network", "space"),
        *("search", "proxy", "train", "evaluate"),
    },
    "testing": {"blocks", "genome", "topology", "cost", "receptive_field", "outline", "network", "space", "data", "evaluate"},
    "predict": {"data", "evaluate"},
    "verify": {"data", "evaluate", "train"},
    "door": set(),
}
DOORS = {"export", "search", "testing", "outline", "drawing", "cost", "door"}


def rooms_imported(path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module] if node.module != "nas" else [f"nas.{alias.name}" for alias in node.names]
        found |= {module.split(".")[1] for module in modules if module and module.startswith("nas.")}
    return found


def sources():
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts in (("__init__",), ("__main__",)):
        return
    room = parts[0]
    allowed = MAY_IMPORT[room] | OPEN | {room}
    if parts[-1] == "__main__":
        allowed |= DOORS
    above = rooms_imported(path) - allowed
    assert not above, f"{path.relative_to(ROOT)} imports {sorted(above)} from above its floor"


def test_a_step_up_would_be_seen(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text("from nas.search import run_search\nfrom nas import export\nimport nas.train.fit\n")
    assert rooms_imported(path) == {"search", "export", "train"}


def test_cost_does_not_compute_with_torch():
    for name in ("cost", "topology", "genome"):
        assert "torch" not in {n.split(".")[0] for n in _plain_imports(PACKAGE / f"{name}.py")}


def _plain_imports(path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def test_files_and_functions_stay_small():
    too_long = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.read_text(encoding="utf-8").count("\n") > 300:
            too_long.append(str(path))
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        too_long += [f"{path}:{node.name}" for node in functions if node.end_lineno - node.lineno > 60]
    assert not too_long
