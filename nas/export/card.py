"""The model card beside an exported network: what it is, what it was measured on, what it costs, how to use it.

After Mitchell et al., Model Cards for Model Reporting, 2019, https://arxiv.org/abs/1810.03993.
"""

import shlex
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from nas.cost import estimate
from nas.export.model_file import ModelFacts
from nas.genome import Genome
from nas.outline import outline
from nas.receptive_field import receptive_field
from nas.search.finals.values import fresh, with_spread
from nas.topology import walk

CARD = "MODEL_CARD.md"
DRAWING = "architecture.svg"


def model_card(genome: Genome, facts: ModelFacts, arguments: Mapping[str, Any], weights: Sequence[str]) -> str:
    """The card's Markdown.

    Args:
        genome: The architecture.
        facts: What its file says.
        arguments: What `training_args.json` says.
        weights: Names of the files of weights beside it, the one that fits it first.
    """
    cost = estimate(genome, facts.in_shape, facts.num_classes)
    steps = walk(genome, facts.in_shape, facts.num_classes)
    size = " x ".join(map(str, facts.in_shape))
    parts = [
        f"# A segmentation network of {cost.params:,} parameters",
        "\n".join(line for line in facts.provenance if line),
        f"![architecture]({DRAWING})",
        "## Data",
        "\n".join(_set_line(one) for one in arguments["sets"]),
        "## What it reached",
        _figures(arguments),
        "## What it costs",
        f"At {size}: {cost.params:,} parameters, {cost.macs:,} multiply-accumulates, {cost.memory / 1024:,.0f}K peak activations (float32, "
        f"batch 1, norms folded); it sees {receptive_field(steps)} of the image. By stage:",
        f"```\n{outline(genome, facts.in_shape, facts.num_classes)}\n```",
        "## How to use it",
        _usage(facts, arguments, weights),
        "## Where to be careful",
        "It was chosen among many on a validation split, which flatters; judge it on data that it has not seen. It knows images like those "
        "above, at about that size; elsewhere it will be wrong without saying so. Opening a model file runs its code.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _set_line(one: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {split}" for split, count in one["images"].items())
    height, width = one["image_size"]
    words = f"- {one['name']} ({one['layout']}): {counts} images (split: {one['split']})"
    return f"{words}; classes {', '.join(one['classes'])}; worked at {height}x{width}"


def length(recipe: Mapping[str, Any]) -> str:
    """How long a recipe trains, in words."""
    parts = recipe.get("parts", 1)
    return f"{recipe['epochs']} epochs" + (f" of 1/{parts} of the images each" if parts > 1 else "")


def _figures(arguments: Mapping[str, Any]) -> str:
    lines = ["| data | trained | validation IoU (mean over foreground classes) |", "|---|---|---:|"]
    lines += [
        f"| {one['name']} | in the search, {length(one['recipe'])} | {one['validation_iou']:.4f} |"
        for one in arguments["sets"]
        if one.get("validation_iou") is not None
    ]
    final: Sequence[Mapping[str, Any]] = arguments.get("final") or ()
    for name in final[0]["iou_per_set"] if final else ():
        ious = [entry["iou_per_set"][name] for entry in final]
        measured = with_spread(fmean(ious), stdev(ious) if len(ious) > 1 else None)
        lines.append(f"| {name} | again, {fresh(len(ious))} | {measured} |")
    return "\n".join(lines) if len(lines) > 2 else "Its proxy training was stopped early: nothing is known but that."


def _usage(facts: ModelFacts, arguments: Mapping[str, Any], weights: Sequence[str]) -> str:
    normalise = arguments["normalise"]
    load = [f"model.load_state_dict(safetensors.torch.load_file({weights[0]!r}))"] if weights else []
    head = ["import safetensors.torch", ""] if weights else []
    # A network with several heads learns its sets together, and tells by a folder's name which is which.
    given = [f"--data {shlex.quote(f'path/to/{name}')}" for name, _ in facts.sets] if facts.joint else ["--data path/to/data"]
    answer = "logits = model(image, domain=0)  # the data set whose head answers" if facts.joint else "logits = model(image)"
    code = [*head, "from model import build_model", "", "model = build_model()", *load, "model.eval()", answer]
    return "\n".join(
        [
            f"Images are batch x {facts.in_channels} x height x width, {normalise['formula']} with scale 1/255, mean {normalise['mean']} "
            f"and std {normalise['std']}; logits have the image's size.",
            "",
            "```python",
            *code,
            "```",
            "",
            "```bash",
            f"python -m nas.train model.py {' '.join(given)}",
            f"python -m nas.evaluate model.py --weights runs/NAME/best.safetensors {given[0]} --split test",
            "```",
        ]
    )
