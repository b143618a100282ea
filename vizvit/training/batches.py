"""The batch of any step, drawn from the seed and the step's number: pictures, targets, patches, a teacher's tokens."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from timm.data import Mixup
from torch import Tensor
from torch.nn import functional as F

from ..errors import ModelError
from .augment import Augment, moved
from .pixels import Pixels
from .recipe import Recipe
from .student import chosen_patches
from .teacher import Lessons


@dataclass(frozen=True, eq=False)
class Batch:
    """views: [batch, 3, side, side]; target: [batch, class], soft; keep: [batch, kept] or None for all patches;
    wanted: a teacher's tokens [batch, 1 + kept, dim] or None."""

    views: Tensor
    target: Tensor
    keep: Tensor | None = None
    wanted: Tensor | None = None

    def first(self, count: int) -> Batch:
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return replace(self, **{name: None if value is None else value[:count] for name, value in named})


class Batches:
    """All steps of a run. The pictures come in one long row, each epoch in another order: none is left out of an
    epoch, a batch may reach from one epoch into the next, and all are of one size."""

    def __init__(
        self,
        data: Pixels,
        recipe: Recipe,
        num_classes: int,
        device: torch.device,
        mean: tuple,
        std: tuple,
        lessons: Lessons | None = None,
    ) -> None:
        if len(data) < 2:
            raise ModelError(f"There are {len(data)} pictures to train on; at least 2 are needed.")
        self.data, self.recipe, self.num_classes, self.device = data, recipe, num_classes, device
        self.mean, self.std, self.lessons = mean, std, lessons
        self.augment = Augment(recipe.crop, 4 / 3, True, recipe.colour, recipe.randaugment, recipe.erase)
        self.mixup = None
        if recipe.mix > 0 and (recipe.mixup > 0 or recipe.cutmix > 0) and recipe.batch % 2 == 0:  # it makes pairs
            self.mixup = Mixup(
                recipe.mixup,
                recipe.cutmix,
                prob=recipe.mix,
                label_smoothing=recipe.smoothing,
                num_classes=num_classes,
            )
        self._orders: dict[int, np.ndarray] = {}

    def of(self, step: int, drop: float = 0.0) -> Batch:
        """The batch of a step, with this share of its patches left out."""
        which = self.which(step)
        seed = int(np.random.default_rng((self.recipe.seed, 2, step)).integers(2**32))
        np.random.seed(seed)  # noqa: NPY002 - the global generator, which timm's Mixup draws from
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        pixels = moved(torch.from_numpy(self.data.batch(which)), self.device)
        labels = moved(torch.from_numpy(self.data.labels[which]), self.device)
        views, places = self.augment.with_places(pixels, self.recipe.image_size, generator)
        if (*self.mean, *self.std) != (0.5,) * 6:
            mean, std = (moved(torch.tensor(v).view(1, 3, 1, 1), self.device) for v in (self.mean, self.std))
            views = (views * 0.5 + (0.5 - mean)) / std
        views, target, share = self._mixed(views, labels)
        grid = self.recipe.image_size // self.recipe.patch
        keep = chosen_patches(len(which), grid**2, drop, generator, self.device) if drop else None
        wanted = None
        if self.lessons is not None:
            wanted = self._wanted(which, places, share, keep)
        return Batch(views, target, keep, wanted)

    def which(self, step: int) -> np.ndarray:
        """The pictures of a step, by number, [batch]: all of them once an epoch, in an order of the epoch's own."""
        places = np.arange(step * self.recipe.batch, (step + 1) * self.recipe.batch)
        epochs, within = np.divmod(places, len(self.data))
        return np.concatenate([self._order(epoch)[within[epochs == epoch]] for epoch in np.unique(epochs)])

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:
            drawn = np.random.default_rng((self.recipe.seed, 1, int(epoch))).permutation(len(self.data))
            self._orders = {e: order for e, order in self._orders.items() if e == epoch - 1} | {epoch: drawn}
        return self._orders[epoch]

    def _mixed(self, views: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Views, soft targets, and [batch, side, side]: how much of each pixel is the other picture's of its pair."""
        mark = torch.zeros_like(views[:, :1])
        mark[len(views) // 2 :] = 1  # of the second of each pair, which Mixup mixes along
        mixed, target = torch.cat([views, mark], dim=1), self._smooth(labels)
        if self.mixup is not None:
            mixed, target = self.mixup(mixed, labels)
        return mixed[:, :3].contiguous(), target, (mixed[:, 3] - mark[:, 0]).abs()

    def _smooth(self, labels: Tensor) -> Tensor:
        off = self.recipe.smoothing / self.num_classes
        target = torch.full((len(labels), self.num_classes), off, device=labels.device)
        return target.scatter_(1, labels[:, None], 1 - self.recipe.smoothing + off)

    def _wanted(self, which: np.ndarray, places: Tensor, share: Tensor, keep: Tensor | None) -> Tensor:
        """The teacher's tokens of what these views show, [batch, 1 + kept, dim]."""
        tokens = self.lessons.seen(self.lessons.batch(which, self.device), places)
        patches = F.avg_pool2d(share[:, None], self.recipe.patch).flatten(1)  # [batch, patch]
        share = torch.cat([patches.mean(1, keepdim=True), patches], dim=1)[:, :, None]
        tokens = (1 - share) * tokens + share * tokens.flip(0)
        if keep is None:
            return tokens
        kept = tokens[:, 1:].gather(1, keep[:, :, None].expand(-1, -1, tokens.shape[-1]))
        return torch.cat([tokens[:, :1], kept], dim=1)
