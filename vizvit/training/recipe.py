"""What a training run is made of: the network, the data's treatment, the optimiser; all of it in the checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import timm.optim

from ..errors import ModelError
from ..reading import finite

ARCHITECTURE = "vit_tiny_patch16_224"  # timm's plain VisionTransformer; the sizes below replace its own
MOST = {"image_size": 4096, "patch": 4096, "dim": 16384, "depth": 1000, "heads": 1024}
# What may not change between the runs that make one set of weights.
FIXED = ("image_size", "patch", "dim", "depth", "heads", "batch", "opt", "seed", "layer_decay", "head_only", "freeze")


@dataclass(frozen=True)
class Recipe:
    """All that decides what is learned, beside the data and the budget.

    image_size, patch, dim, depth, heads: a ViT with a class token and learned position embeddings.
    opt: a name of timm's optimiser factory. warmup: share of the budget in which the rate rises to lr.
    floor: the last rate, as a share of lr. clip: greatest norm of the gradient, 0 for any.
    batch: pictures of a step; 0 fits it to the data, see `fitting_batch`.
    patch_drop: share of patches left out of a step; in the last `full` of the budget every patch is seen, and in the
        part before it, as long, half as many are left out.
    teacher: a model whose tokens the student's are drawn to, with this weight beside the labels' loss; "" for none.
    mixup, cutmix: alphas of timm's Mixup; mix: share of batches that are mixed. smoothing: of the labels.
    settle: weight of the last layer's class-token attention being drawn to that of the two layers before it.
    ema: decay of the averaged weights, which are the ones validated and exported.
    crop, colour, randaugment, erase: see `Augment`.
    layer_decay: the rate of each block as a share of the next one's. head_only: only the classifier learns.
    freeze: names of parts of the network, with commas between, whose weights stay as they are.
    """

    image_size: int = 64
    patch: int = 8
    dim: int = 192
    depth: int = 6
    heads: int = 3
    batch: int = 0
    opt: str = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.05
    beta2: float = 0.99
    clip: float = 1.0
    warmup: float = 0.05
    floor: float = 0.01
    smoothing: float = 0.1
    mixup: float = 0.2
    cutmix: float = 1.0
    mix: float = 0.5
    drop_path: float = 0.0
    patch_drop: float = 0.0
    full: float = 0.15
    ema: float = 0.999
    crop: float = 0.4
    colour: float = 0.3
    randaugment: float = 0.0
    erase: float = 0.0
    seed: int = 0
    layer_decay: float = 1.0
    head_only: bool = False
    teacher: str = ""
    teacher_weight: float = 2.0
    settle: float = 0.0
    freeze: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check(field.name, type(field.default), getattr(self, field.name))
        for name, most in MOST.items():
            if not 1 <= getattr(self, name) <= most:
                raise ModelError(f"The recipe's {name} is {getattr(self, name)}, but 1 to {most:,} was expected.")
        if self.image_size % self.patch:
            raise ModelError(f"Pictures of {self.image_size} pixels cannot be cut into patches of {self.patch}.")
        if self.dim % self.heads:
            raise ModelError(f"A width of {self.dim} cannot be shared by {self.heads} heads; choose a multiple.")
        for name in (
            "warmup",
            "floor",
            "smoothing",
            "mix",
            "drop_path",
            "patch_drop",
            "full",
            "ema",
            "beta2",
            "layer_decay",
        ):
            if not 0 <= getattr(self, name) <= 1 or (name in ("patch_drop", "drop_path") and getattr(self, name) == 1):
                raise ModelError(f"The recipe's {name} is {getattr(self, name)}, but a share from 0 to 1 was expected.")
        if not 0 < self.crop <= 1 or not 0 <= self.colour <= 1:
            raise ModelError(f"crop ({self.crop}) is a share above 0, colour ({self.colour}) one from 0 to 1.")
        if self.opt not in timm.optim.list_optimizers():
            raise ModelError(f"timm has no optimiser {self.opt}; adamw, lamb and muon are some.")
        if not self.lr > 0:
            raise ModelError(f"The learning rate is {self.lr}, but a number above 0 was expected.")

    @staticmethod
    def _check(name: str, kind: type, value: object) -> None:
        """ModelError for a value of another kind, as a checkpoint may hold it, and for no number or one below 0."""
        kinds = (int, float) if kind is float else kind
        if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
            raise ModelError(f"The recipe's {name} is {str(value)[:60]!r}, but a {kind.__name__} was expected.")
        if isinstance(value, int | float) and not finite(value, 0, 1e12) and kind is not bool:
            raise ModelError(f"The recipe's {name} is {value}, but a number from 0 on was expected.")

    @classmethod
    def made(cls, given: dict, before: dict | None = None) -> Recipe:
        """A recipe of the given values, over those of the checkpoint `before`, over the defaults.

        Raises ModelError where a given value would change what the checkpoint's weights depend on.
        """
        known = {field.name for field in fields(cls)}
        before = {key: value for key, value in (before or {}).items() if key in known}
        for name in FIXED if before else ():
            if name in given and given[name] != before.get(name, getattr(cls, name)):
                had = before.get(name, getattr(cls, name))
                raise ModelError(
                    f"The checkpoint there was made with {name} {had}; received {given[name]}. Use another output "
                    f"folder, leave {name} out to go on with the checkpoint, or start over with --no-resume."
                )
        return cls(**(before | given))

    def as_dict(self) -> dict:
        return asdict(self)

    @property
    def model_args(self) -> dict:
        """timm's arguments of the network."""
        return {
            "img_size": self.image_size,
            "patch_size": self.patch,
            "embed_dim": self.dim,
            "depth": self.depth,
            "num_heads": self.heads,
        }

    def drop_at(self, fraction: float) -> float:
        """The share of patches left out at this part of the budget."""
        if fraction >= 1 - self.full:
            return 0.0
        return self.patch_drop / 2 if fraction >= 1 - 2 * self.full else self.patch_drop


def fitting_batch(pictures: int, most: int) -> int:
    """The greatest power of two that gives at least ten steps an epoch, from 4 to `most`.

    Few large steps learn little: 90 pictures in batches of 64 make two steps an epoch.
    """
    return max(min(4, pictures), min(most, 1 << max(0, (pictures // 10).bit_length() - 1)))
