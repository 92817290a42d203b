"""What is checked of the code and the network: imports, parameters, forward and backward, repeatability. Each failure says what to do."""

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from nas.errors import UserError
from nas.evaluate.run import accepts_domain
from nas.model_code import ModelCode, NumClasses

LARGEST = 1024 * 1024
"""Pixels of the largest image that a network is tried on; a larger one is scaled down, which says as much and takes less memory."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: In a few words.
        passed: Whether it holds.
        said: What was seen; where it does not hold, what to do.
    """

    what: str
    passed: bool
    said: str


@dataclass(frozen=True)
class Case:
    """A data set that the network must serve.

    Attributes:
        name: Of the set.
        num_classes: Of its masks, the background among them.
        channels: Of its images.
        sizes: Heights and widths to try.
        domain: Position among the heads of a network with several.
    """

    name: str
    num_classes: int
    channels: int
    sizes: tuple[tuple[int, int], ...]
    domain: int = 0


def check_file(path: Path) -> list[Finding]:
    """What can be said of a model file without running it: what it imports.

    Args:
        path: Of the file.
    """
    try:
        names = imported(path)
    except (SyntaxError, ValueError) as error:
        return [Finding("imports", False, f"no Python that can be read ({error}): mend the file")]
    roots = sorted({name if name.startswith(".") else name.partition(".")[0] for name in names})
    strange = [name for name in roots if name != "torch" and name not in sys.stdlib_module_names]
    if strange:
        return [Finding("imports", False, f"imports {', '.join(strange)}: torch and the standard library are allowed, move it in")]
    return [Finding("imports", True, f"torch and the standard library alone ({', '.join(roots)})")]


def imported(path: Path) -> set[str]:
    """Modules that a file imports anywhere, by `import` or by name.

    Args:
        path: Of the file.

    Raises:
        SyntaxError: It is no Python.
        ValueError: Nor text.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(f"{'.' * node.level}{node.module or ''}" if node.level else str(node.module))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name in ("__import__", "import_module") and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return found


def check_network(code: ModelCode, cases: Sequence[Case], budget: int) -> Iterator[Finding]:
    """Builds the network for each data set and tries it.

    Args:
        code: Of the network.
        cases: The data sets.
        budget: Most parameters.
    """
    for case in cases:
        wanted = code.built_for(case.num_classes)
        try:
            network = _seeded(code, case.channels, wanted)
        except UserError as error:
            yield Finding(f"{case.name}: build", False, str(error))
            continue
        yield _parameters(code, case, network, budget)
        for size in case.sizes:
            what = f"{case.name}: {case.num_classes} classes at {size[0]}x{size[1]}"
            yield _tried(what, partial(_forward_and_backward, network, case, size))
        yield _tried(f"{case.name}: repeatable", partial(_repeatable, code, case, wanted))


def _parameters(code: ModelCode, case: Case, network: nn.Module, budget: int) -> Finding:
    # Every nn.Parameter once, raw ones included: tools that count layers miss them.
    count = sum(parameter.numel() for parameter in network.parameters())
    what = f"{case.name}: parameters"
    claimed = code.constants.get("PARAMS")
    filed = code.constants.get("NUM_CLASSES")
    if count > budget:
        return Finding(what, False, f"{count:,} parameters, {count - budget:,} over the cap of {budget:,}: search with --budget {budget}")
    if claimed is not None and filed == code.built_for(case.num_classes) and claimed != count:
        return Finding(what, False, f"{count:,} parameters where the file says {claimed:,}: correct PARAMS, or export the file anew")
    return Finding(what, True, f"{count:,} of {budget:,}")


def _tried(what: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, attempt())
    except _Failure as failure:
        return Finding(what, False, str(failure))
    except Exception as error:
        return Finding(what, False, f"fails with {type(error).__name__}: {error}. Mend forward() for this size and number of classes")


class _Failure(Exception):  # noqa: N818 - what was found
    """Something that does not hold, in words."""


def _seeded(code: ModelCode, channels: int, classes: NumClasses) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return code.build(channels, classes)


def _images(case: Case, size: tuple[int, int], batch: int) -> Tensor:
    return torch.randn(batch, case.channels, *size, generator=torch.Generator().manual_seed(0))


def _answer(network: nn.Module, images: Tensor, case: Case) -> Tensor:
    logits = network(images, domain=case.domain) if accepts_domain(network) else network(images)
    if not isinstance(logits, Tensor):
        raise _Failure(f"forward gives a {type(logits).__name__}: one tensor of logits is needed")
    expected = (len(images), case.num_classes, *images.shape[2:])
    if tuple(logits.shape) != expected:
        raise _Failure(f"forward gives {tuple(logits.shape)} where {expected} is needed: logits of every class at the image's own size")
    return logits


def _backward(network: nn.Module, case: Case, size: tuple[int, int]) -> None:
    """Gradients of a loss over two images, as in a step of training."""
    network.train()
    network.zero_grad(set_to_none=True)
    logits = _answer(network, _images(case, size, batch=2), case)
    mask = torch.randint(case.num_classes, (2, *size), generator=torch.Generator().manual_seed(0))
    nn.functional.cross_entropy(logits, mask).backward()  # type: ignore[no-untyped-call]


def _forward_and_backward(network: nn.Module, case: Case, size: tuple[int, int]) -> str:
    _backward(network, case, size)
    unused = [name for name, parameter in network.named_parameters() if parameter.requires_grad and parameter.grad is None]
    broken = [name for name, one in network.named_parameters() if one.grad is not None and not one.grad.isfinite().all()]
    if broken:
        raise _Failure(f"the gradient of {broken[0]} is not finite: look at its divisions, roots and logarithms")
    with torch.no_grad():
        if not _answer(network.eval(), _images(case, size, batch=1), case).isfinite().all():
            raise _Failure("the answer in eval mode is not finite: look at its divisions, roots and logarithms")
    # A head of another data set gets no gradient here; a parameter that nothing uses counts against the cap for nothing.
    idle = "" if not unused or accepts_domain(network) else f"; {len(unused)} parameters get no gradient, {unused[0]} for one"
    return f"forward and backward work{idle}"


def _repeatable(code: ModelCode, case: Case, classes: NumClasses) -> str:
    first, second = (_seeded(code, case.channels, classes) for _ in range(2))
    for (name, one), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        if not torch.equal(one, other):
            raise _Failure(f"two networks built with one seed differ in {name}: draw initial weights from torch's generator alone")
    images = _images(case, case.sizes[0], batch=1)
    with torch.no_grad():
        answers = [_answer(network.eval(), images, case) for network in (first, first, second)]
    if not all(torch.equal(answers[0], other) for other in answers[1:]):
        raise _Failure("one image gets two answers in eval mode: nothing random may be left there")
    for network in (first, second):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            _backward(network, case, case.sizes[0])
    for (name, one), (_, other) in zip(first.named_parameters(), second.named_parameters(), strict=True):
        # What is not finite is another finding's, and equals nothing.
        if one.grad is not None and other.grad is not None and not torch.equal(one.grad.nan_to_num(), other.grad.nan_to_num()):
            raise _Failure(f"one step with one seed gives two gradients of {name}: draw what is random in training from torch's generator")
    return "same seed, same weights; same image, same answer; same step, same gradients"
