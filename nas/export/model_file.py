"""Writes a genome as one readable Python file that imports torch and the standard library only."""

from dataclasses import dataclass

from nas.blocks import Shape
from nas.cost import estimate
from nas.export.definitions import Definitions, definitions_of
from nas.export.network_source import literal, network_class
from nas.genome import Genome
from nas.outline import outline
from nas.receptive_field import receptive_field
from nas.topology import NumClasses, walk


@dataclass(frozen=True)
class ModelFacts:
    """What the file says of the network beside its code.

    Attributes:
        in_channels: Channels of the image.
        image_size: Height and width in pixels that MACs and memory refer to.
        sets: Name and class names, background first, of each data set that the network has a head for.
        provenance: Lines about where it comes from: study, data, validation IoU, date.
    """

    in_channels: int
    image_size: tuple[int, int]
    sets: tuple[tuple[str, tuple[str, ...]], ...]
    provenance: tuple[str, ...]

    @property
    def joint(self) -> bool:
        """Whether there are several heads."""
        return len(self.sets) > 1

    @property
    def num_classes(self) -> NumClasses:
        """Logits: of the only head, or of each."""
        counts = tuple(len(classes) for _, classes in self.sets)
        return counts if self.joint else counts[0]

    @property
    def in_shape(self) -> Shape:
        """Channels, height and width of one image."""
        return (self.in_channels, *self.image_size)


def model_source(genome: Genome, facts: ModelFacts) -> str:
    """The text of a model file.

    Raises:
        UserError: A block of the genome leans on more than torch and the standard library.
    """
    steps = walk(genome, facts.in_shape, facts.num_classes)
    definitions = definitions_of(step.operator.module for step in steps)
    parts = [
        _docstring(genome, facts),
        _imports(definitions),
        _constants(genome, facts, definitions),
        *(source for source in definitions.sources.values()),
        network_class(genome, facts.in_shape, facts.num_classes),
        _functions(facts),
    ]
    head, body = parts[:3], parts[3:]
    return "\n\n".join(part.strip("\n") for part in head) + "\n\n\n" + "\n\n\n".join(part.strip("\n") for part in body) + "\n"


def _docstring(genome: Genome, facts: ModelFacts) -> str:
    cost = estimate(genome, facts.in_shape, facts.num_classes)
    size = " x ".join(map(str, facts.in_shape))
    lines = [
        f"A segmentation network of {cost.params:,} parameters for {_purpose(facts)}.",
        "",
        *facts.provenance,
        f"Cost at {size}: {cost.params:,} parameters, {cost.macs:,} MACs, {cost.memory / 1024:,.1f}K peak activations.",
        f"Receptive field: {receptive_field(walk(genome, facts.in_shape, facts.num_classes))}.",
        f"Genome {genome.key}:",
        "",
        *(f"    {line}" for line in outline(genome, facts.in_shape, facts.num_classes).splitlines()),
        "",
        "`python` on this file checks that it is what it says. `training_args.json` beside it holds the recipe and the data's facts.",
    ]
    return "\n".join(['"""' + _plain(lines[0]), *map(_plain, lines[1:]), '"""'])


def _purpose(facts: ModelFacts) -> str:
    said = [f"{len(classes)} classes: {', '.join(classes)}" for _, classes in facts.sets]
    if not facts.joint:
        return said[0]
    told = (f"domain {i}, {name}, {text}" for i, ((name, _), text) in enumerate(zip(facts.sets, said, strict=True)))
    return f"{len(said)} data sets; {'; '.join(told)}"


def _plain(line: str) -> str:
    """One line of a docstring that nothing in a user's names can end early."""
    return " ".join(line.split("\n")).rstrip().replace("\\", "\\\\").replace('"', '\\"')


def _imports(definitions: Definitions) -> str:
    lines = definitions.imports | {"import sys", "import torch", "from torch import nn"}
    third_party = {line for line in lines if line.split()[1].partition(".")[0] == "torch"}

    def ordered(group: set[str]) -> str:
        return "\n".join(sorted(group, key=lambda line: (line.startswith("from"), line)))

    return ordered(lines - third_party) + "\n\n" + ordered(third_party)


def _constants(genome: Genome, facts: ModelFacts, definitions: Definitions) -> str:
    cost = estimate(genome, facts.in_shape, facts.num_classes)
    names, classes = tuple(name for name, _ in facts.sets), tuple(classes for _, classes in facts.sets)
    lines = [
        f"PARAMS = {cost.params}",
        f"MACS = {cost.macs}  # multiply-accumulates of one image of INPUT_SIZE",
        f"INPUT_SIZE = {facts.image_size}  # height, width in pixels; other sizes work too",
        f"NUM_CLASSES = {literal(facts.num_classes)}",
        *([f"DOMAINS = {literal(names)}  # the data sets, in the order of the heads"] if facts.joint else []),
        f"CLASSES = {literal(classes if facts.joint else classes[0])}",
        f"GENOME = {genome.to_json()!r}",
        *(f"{name} = {literal(value)}" for name, value in sorted(definitions.constants.items())),
    ]
    return "\n".join(lines)


def _functions(facts: ModelFacts) -> str:
    text = _FUNCTIONS.replace("IN_CHANNELS", str(facts.in_channels))
    kind = "tuple[int, ...]" if facts.joint else "int"
    shape = "tuple(tuple(logits.shape) for logits in model(images))" if facts.joint else "tuple(model(images).shape)"
    expected = "tuple((1, classes, *INPUT_SIZE) for classes in NUM_CLASSES)" if facts.joint else "(1, NUM_CLASSES, *INPUT_SIZE)"
    return text.replace("KIND", kind).replace("SHAPE", shape).replace("EXPECTED", expected)


_FUNCTIONS = '''
def build_model(in_channels: int = IN_CHANNELS, num_classes: KIND = NUM_CLASSES) -> nn.Module:
    """The network with fresh weights."""
    return Network(in_channels, num_classes)


def main() -> int:
    """Prints parameters and output shape; the exit code is 1 where they are not what this file claims."""
    model = build_model().eval()
    params = sum(parameter.numel() for parameter in model.parameters())
    images = torch.zeros(1, IN_CHANNELS, *INPUT_SIZE)
    with torch.no_grad():
        shape = SHAPE
    expected = EXPECTED
    print(f"{params} parameters, output {shape}")
    if params != PARAMS or shape != expected:
        print(f"expected {PARAMS} parameters, output {expected}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''
