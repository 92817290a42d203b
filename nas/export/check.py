"""Holds a model file against the network it stands for, before anybody gets it."""

import torch

from nas.cost import estimate
from nas.errors import UserError
from nas.export.model_file import ModelFacts, model_source
from nas.genome import Genome
from nas.network import build_network

CHECK_SIZE = (65, 97)
"""Odd on purpose: cropping is where a file could go wrong unseen."""


class ExportMismatch(UserError):  # noqa: N818 - what it found
    """The file is not the network: a block's module cannot stand in a file of its own, or this program has a fault."""


def checked_source(genome: Genome, facts: ModelFacts) -> str:
    """The text of a genome's model file, after it was run and compared.

    Raises:
        UserError: A block leans on more than torch and the standard library, or the file is not the network.
    """
    source = model_source(genome, facts)
    check_model_file(source, genome, facts)
    return source


def check_model_file(source: str, genome: Genome, facts: ModelFacts) -> None:
    """Runs the file and compares it with the genome's network: same parameters, same weights' names, same outputs to the bit.

    Args:
        source: Text of the file.
        genome: What it was made of.
        facts: What it was made with.

    Raises:
        ExportMismatch: They differ.
    """
    space: dict[str, object] = {"__name__": "exported_model"}
    exec(compile(source, f"<model file of {genome.key}>", "exec"), space)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network(genome, facts.in_channels, facts.num_classes).eval()
        images = torch.randn(2, facts.in_channels, *CHECK_SIZE)
    exported: torch.nn.Module = space["build_model"]().eval()  # type: ignore[operator]
    exported.load_state_dict(network.state_dict())
    cost = estimate(genome, facts.in_shape, facts.num_classes)
    params = sum(parameter.numel() for parameter in exported.parameters())
    if (params, cost.params, cost.macs) != (space["PARAMS"], space["PARAMS"], space["MACS"]):
        claimed = f"claims {space['PARAMS']} and {space['MACS']} MACs where the genome has {cost.macs}"
        raise ExportMismatch(f"genome {genome.key} cannot be exported: its file has {params} parameters, {claimed}")
    pairs = zip(_outputs(network, images, facts), _outputs(exported, images, facts), strict=True)
    difference = max((ours - theirs).abs().max().item() for ours, theirs in pairs)
    if difference != 0:
        raise ExportMismatch(f"genome {genome.key} cannot be exported: the outputs of its file differ by up to {difference}")


def _outputs(model: torch.nn.Module, images: torch.Tensor, facts: ModelFacts) -> list[torch.Tensor]:
    """All logits that a network can give: of its only head; or of each, asked for by domain and all at once."""
    with torch.no_grad():
        if not facts.joint:
            return [model(images)]
        return [*(model(images, domain=domain) for domain in range(len(facts.sets))), *model(images)]
