"""What a person asks of a training in full: one frozen value."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FullConfig:
    """Settings of a training in full; the command line's flags have the same names.

    None leaves it to what is recorded beside the model file, then to the recipe's default.

    Attributes:
        model: Path of a model file, or `package.module:function`.
        data: Data sets; empty for those that the network was found on.
        out: Folder for the results; None for `runs/<name of the model>`.
        layout: Name of the layout of every set.
        domain: For a network with several heads, whose head learns each of `data`; empty where the model's record tells it.
        channels: Channels that images are read with.
        new_split: Whether the recorded split is left alone.
        transforms: Python file with the `training_transform` that draws the views; None for the recorded one.
        image_size: Height and width of use; None for the data's own.
        crop: Height and width of training views.
        views: Different views of each training image.
        epochs: Length.
        batch_size: Images a step.
        learning_rate: At its peak.
        weight_decay: AdamW's.
        ema_decay: Of the moving average.
        loss: By name.
        dice_weight: Weight of its second term.
        class_weights: By name.
        patience: Epochs without a better validation after which training ends; 0 for never.
        weights: File of weights to start from.
        seed: Of weights and order.
        seeds: Trainings with one seed after the other, from `seed` on.
        folds: Trainings on folds of train and val; None for one on the split.
        device: "auto", "cpu", "cuda" or "mps".
        workers: Trainings at a time; None for one a core on a CPU, else one.
        tensorboard: Whether TensorBoard's events are written.
        restart: Whether what the folder holds is begun anew.
        cache_size: Bytes that banks may take in `studies/.banks`: the least recently used are removed.
        home: Folder in which `studies/.banks` lies.
    """

    model: str
    data: tuple[str, ...] = ()
    out: Path | None = None
    layout: str | None = None
    domain: tuple[str, ...] = ()
    channels: int | None = None
    new_split: bool = False
    transforms: Path | None = None
    image_size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    views: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    ema_decay: float | None = None
    loss: str | None = None
    dice_weight: float | None = None
    class_weights: str | None = None
    patience: int | None = None
    weights: Path | None = None
    seed: int | None = None
    seeds: int = 1
    folds: int | None = None
    device: str = "auto"
    workers: int | None = None
    tensorboard: bool = False
    restart: bool = False
    cache_size: int = 20 * 2**30
    home: Path = Path()
