"""The training loop that people write for one network: files read and augmented by a `DataLoader`, one eager step after another.

The yardstick of `benchmarks/training_throughput.py`. It computes what `nas.train.fit` computes (augmentation, loss, optimiser, limit on the
gradient, schedule, moving average) in the way of PyTorch's tutorials (https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html).
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from nas.data import DataSet, training_transform
from nas.data.resize import scale_to_fit
from nas.train import MEAN, STD, Recipe, ce_dice, class_weights
from nas.train.ema import decay_at
from nas.train.optimiser import learning_rate


class Views(Dataset):
    """Training images of a set, augmented when they are asked for: `3 x h x w` float32, and `h x w` int64."""

    def __init__(self, data: DataSet, image_size: tuple[int, int], train_size: tuple[int, int]) -> None:
        self.data, self.image_size, self.train_size = data, image_size, train_size
        self.items = data.splits["train"]
        self.transform = training_transform(train_size)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, mask = scale_to_fit(*self.data.read(self.items[index]), self.image_size)
        view = self.transform(image=image, mask=mask)
        pixels = torch.from_numpy(np.ascontiguousarray(view["image"].transpose(2, 0, 1))).float()
        return pixels.div_(255).sub_(MEAN).div_(STD), torch.from_numpy(view["mask"]).long()


def make_loader(views: Views, batch_size: int, workers: int) -> DataLoader:
    return DataLoader(views, batch_size, shuffle=True, num_workers=workers, persistent_workers=workers > 0)


def train(model: nn.Module, loader: DataLoader, recipe: Recipe, shares: tuple[float, ...]) -> Iterator[int]:
    """Trains for `recipe.epochs` epochs; yields the images of each step."""
    weights = torch.tensor(class_weights(shares, recipe.class_weights))
    decayed = [p for p in model.parameters() if sum(length > 1 for length in p.shape) > 1]
    spared = [p for p in model.parameters() if sum(length > 1 for length in p.shape) <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    total = recipe.epochs * len(loader)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: learning_rate(recipe, min(step, total - 1), total) / recipe.learning_rate
    )
    average, step = copy.deepcopy(model), 0
    for _ in range(recipe.epochs):
        model.train()
        running = 0.0
        for image, mask in loader:
            optimiser.zero_grad()
            loss = ce_dice(model(image), mask, weights, recipe.dice_weight)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                for kept, now in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
                    if kept.is_floating_point():
                        kept.lerp_(now, 1 - decay_at(step, recipe.ema_decay))
            running += loss.item()
            step += 1
            yield len(image)
