"""A Vision Transformer ready to be looked at: the timm module with its grid, its preprocessing and its labels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import timm
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

from ..errors import ModelError
from ..grid import PatchGrid
from . import timm_embedding, timm_parts
from .config import check_preprocessing
from .resizing import seen

POSITION_KINDS = {
    "learned": "learned position embeddings, added to the patch embeddings",
    "fixed": "fixed position embeddings, added to the patch embeddings",
    "rotary": "rotary position embeddings (RoPE): queries and keys are rotated by an angle that depends on the place",
    "relative": "a relative position bias: a number for each offset between two patches, added to the scores",
    "none": "no position embeddings",
}


@dataclass(frozen=True, eq=False)
class VitModel:
    """A timm Vision Transformer and all that is needed to read its attention.

    name: what the user asked for; architecture: timm's name of it.
    module: the model in eval mode, on `device`; several threads may share it, nothing ever changes it.
    labels: a name for each class, empty for a model without a classifier.
    grid: which token is which patch at this input size.
    trained: False for random weights, whose maps mean nothing.
    weights: where the weights come from, in a few words for captions.
    opened: what `load_model` was given, for JSON, so that it can be opened again: model, weights, arch, height, width,
        each None where it was left at its default. None for a module that was made elsewhere.
    """

    name: str
    architecture: str
    module: nn.Module
    device: torch.device
    labels: tuple[str, ...]
    grid: PatchGrid
    trained: bool
    weights: str
    dtype: torch.dtype = torch.float32
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    input_size: tuple[int, int] = (224, 224)
    opened: dict | None = field(default=None, repr=False)
    _spatial: tuple = field(default=(), repr=False)

    @classmethod
    def wrap(
        cls,
        module: nn.Module,
        *,
        name: str,
        labels: tuple[str, ...] | None = None,
        trained: bool = True,
        weights: str = "",
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        image_size: tuple[int, int] | None = None,
    ) -> VitModel:
        """Describe a timm module that was made elsewhere (in a notebook, by a training run).

        The module is put in eval mode and on `device`. labels: one name a class; without them "class 17".
        image_size: height and width of the input where the module itself does not say.
        Raises ModelError where the module has no sequence of transformer blocks over square patches.
        """
        config = timm.data.resolve_data_config(model=module)
        check_preprocessing(config["mean"], config["std"], name)
        input_size = timm_embedding.input_size_of(module, image_size or config["input_size"][-2:])
        grid = timm_embedding.describe_grid(module, name, input_size)
        config["input_size"] = (3, *input_size)
        unclassed = labels is None and timm_parts.is_embedding(module)
        num_classes = 0 if unclassed else int(getattr(module, "num_classes", 0) or 0)
        if labels is not None and num_classes and len(labels) != num_classes:
            raise ModelError(
                f"{len(labels)} class names were given for {name}, which has {num_classes} classes. "
                f"Give one name for each class, in the order of the classifier's outputs."
            )
        if labels is None or not num_classes:
            labels = tuple(f"class {i}" for i in range(num_classes))
        steps = timm.data.create_transform(**config, is_training=False).transforms
        spatial = []
        for step in steps:
            if not isinstance(step, (transforms.Resize, transforms.CenterCrop)) and "Tensor" in type(step).__name__:
                break
            spatial.append(step)
        module = module.eval().requires_grad_(False).to(device=device, dtype=dtype)
        return cls(
            name=name,
            architecture=timm_parts.architecture_of(module),
            module=module,
            device=torch.device(device),
            labels=tuple(labels),
            grid=grid,
            trained=trained,
            weights=weights or ("trained weights" if trained else "untrained weights"),
            dtype=dtype,
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
            input_size=input_size,
            _spatial=tuple(spatial),
        )

    def view(self, image: Image.Image) -> np.ndarray:
        """The exact pixels that the model sees: resized and cropped as timm's evaluation does, uint8 [H, W, 3].

        Where the patches do not fill the input (384 pixels in patches of 14), what no patch covers is left out.
        """
        picture = seen(image.convert("RGB"), self._spatial)
        height, width = self.grid.image_size
        return np.ascontiguousarray(np.asarray(picture, dtype=np.uint8)[:height, :width])

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """The model's input for a picture: `view`, scaled to 0..1 and normalised; [1, 3, H, W] on the device."""
        return self.normalise(self.view(image))

    def normalise(self, view: np.ndarray) -> torch.Tensor:
        """[1, 3, H, W] on the device from the uint8 [H, W, 3] pixels that `view` gives."""
        pixels = torch.from_numpy(np.array(view)).permute(2, 0, 1).float().div(255)
        mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (self.mean, self.std))
        pixels = (pixels - mean) / std
        margin = [self.input_size[axis] - pixels.shape[axis + 1] for axis in (0, 1)]
        if any(margin):
            pixels = nn.functional.pad(pixels, (0, margin[1], 0, margin[0]))
        return pixels[None].to(device=self.device, dtype=self.dtype)

    @property
    def preprocessing(self) -> tuple[str, ...]:
        """The steps from a picture to the model's input, each in words with all its numbers."""
        return (
            *map(str, self._spatial),
            f"Crop(size={self.grid.image_size})",
            f"Pad(size={self.input_size})",
            f"Normalize(mean={self.mean}, std={self.std})",
        )

    @property
    def num_layers(self) -> int:
        return len(self.module.blocks)

    @property
    def num_heads(self) -> int:
        return timm_parts.num_heads(self.module)

    @property
    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.module.parameters())

    @property
    def precision(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    @property
    def read_out(self) -> str:
        """What the prediction is read from: "class token", "class and distillation tokens", "mean of patches",
        "pooling head" or the pooling's name."""
        return timm_parts.read_out(self.module)

    def facts(self) -> dict:
        """What numbers of this model have to stand beside, for JSON."""
        return {
            "model": self.name,
            "architecture": self.architecture,
            "weights": self.weights,
            "trained": self.trained,
            "precision": self.precision,
            "input_size": list(self.grid.image_size),
            "grid": [self.grid.rows, self.grid.cols],
            "prefix_tokens": list(self.grid.prefix_names),
        }

    def label(self, index: int) -> str:
        return self.labels[index]

    def short_label(self, index: int) -> str:
        """The first of a class's names."""
        return self.label(index).split(", ")[0]

    def class_index(self, target: int | str) -> int:
        """The index of a class given by its index or its name (case-insensitive; one synonym of several will do)."""
        if not self.labels:
            raise ModelError(
                f"{self.name} has no classifier: it gives a feature vector, not classes. Choose a model with classes."
            )
        if isinstance(target, str):
            wanted = target.strip().casefold()
            for exact in (lambda label: [label.casefold()], lambda label: label.casefold().split(", ")):
                for index, label in enumerate(self.labels):
                    if wanted in exact(label):
                        return index
            raise ModelError(f'{self.name} has no class named "{target}". Its classes are listed in `.labels`.')
        index = int(target)
        if not 0 <= index < len(self.labels):
            raise ModelError(f"There is no class {target}: {self.name} has classes 0 to {len(self.labels) - 1}.")
        return index

    @property
    def position_kind(self) -> str:
        """A key of POSITION_KINDS: how the model knows where a patch is (the most telling one, where it has two)."""
        return timm_embedding.position_kind(self.module)

    @torch.no_grad()
    def position_embedding(self) -> np.ndarray | None:
        """The embedding added to each patch, float32 [rows, cols, dim]; None where the model adds none."""
        blank = torch.zeros(1, 3, *self.input_size, device=self.device, dtype=self.dtype)
        found = timm_embedding.patch_positions(self.module, self.grid, blank)
        return None if found is None else found.cpu().numpy()

    def rotary_embedding(self) -> np.ndarray | None:
        """The angles of a rotary embedding as (sin, cos), float32 [2, row, col, frequency]; None without one."""
        rope = timm_embedding.rotary(self.module)
        if rope is None:
            return None
        shape = [self.grid.rows, self.grid.cols]
        table = rope.get_embed(shape=shape).detach().float().cpu()  # [..., token, sin | cos]
        tokens = self.grid.rows * self.grid.cols
        if table.ndim < 2 or table.shape[-2] != tokens:
            return None
        sin, cos = table.reshape(-1, tokens, table.shape[-1]).permute(1, 0, 2).chunk(2, dim=-1)
        return torch.stack([sin.reshape(*shape, -1), cos.reshape(*shape, -1)]).numpy()

    def patch_kernels(self) -> np.ndarray | None:
        """The patch embedding's kernels, float32 [dim, patch, patch, 3]; None where it is not one linear map."""
        found = timm_embedding.patch_kernels(self.module, self.grid.patch_size)
        return None if found is None else found.numpy()
