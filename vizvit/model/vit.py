"""A Vision Transformer ready to be looked at: the timm module with its grid, its preprocessing and its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import timm
import torch
from PIL import Image
from torch import nn

from ..errors import ModelError
from ..grid import PatchGrid
from . import timm_embedding, timm_parts
from .card import card, line
from .config import check_preprocessing
from .entrance import unwrapped
from .foreign import own_module
from .outputs import count as count_outputs
from .outputs import index_of, kind_of, labels_of, said_by
from .pixels import LUMA, greyed, per_channel, size_of
from .resizing import evaluation_steps, seen
from .watched import Followed, Watched

POSITION_KINDS = {
    "learned": "learned position embeddings, added to the patch embeddings",
    "fixed": "fixed position embeddings, added to the patch embeddings",
    "rotary": "rotary position embeddings (RoPE): queries and keys are rotated by an angle that depends on the place",
    "relative": "a relative position bias: a number for each offset between two patches, added to the scores",
    "none": "no position embeddings",
}


@dataclass(frozen=True, eq=False, repr=False)
class VitModel:
    """A timm Vision Transformer and all that is needed to read its attention.

    name: what the user asked for; architecture: timm's name of it.
    module: a twin of the module that was handed in, in eval mode, with frozen parameters over the same storage and with
        fused attention: the module itself is left as it is. It has the weights that the module has by now. Several
        threads may share it.
    labels: a name for each output, empty for a model without a classifier.
    outputs: "softmax", "sigmoid" or "value", see `wrap`.
    grid: which token is which patch at this input size.
    trained: False for random weights, whose maps mean nothing.
    weights: where the weights come from, in a few words for captions; notes: what a file left open, or was found in it.
    mean, std: what is subtracted from a picture's 0..1, and what that is divided by, one a channel.
    input_size: (height, width); channels: 3, 1 (pictures become grey), or those of other sensors.
    opened: what `load_model` was given, for JSON, so that it can be opened again: model, weights, arch, height, width,
        each None where it was left at its default; outputs where they were named. None for a module made elsewhere.
    """

    name: str
    architecture: str
    module: nn.Module
    labels: tuple[str, ...]
    grid: PatchGrid
    trained: bool
    weights: str
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    input_size: tuple[int, int] = (224, 224)
    channels: int = 3
    outputs: str = "softmax"
    opened: dict | None = field(default=None, repr=False)
    notes: tuple[str, ...] = field(default=(), repr=False)
    _spatial: tuple = field(default=(), repr=False)

    @classmethod
    def wrap(
        cls,
        module: nn.Module,
        *,
        name: str,
        labels: Iterable[str] | None = None,
        outputs: str | None = None,
        trained: bool = True,
        weights: str = "",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        image_size: int | tuple[int, int] | None = None,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
    ) -> VitModel:
        """Describe a timm module that was made elsewhere (in a notebook, by a training run).

        The module is left as it is: parameters, gradients, mode, hooks, device and dtype. What is looked at is a twin
        that shares its storage, so that a later look sees the weights that it has by then, whichever way they came
        there; its forward hooks run, as with any other call. torch.compile, DataParallel and DistributedDataParallel
        are seen through.
        labels: one name for each output; without them "class 17". They are counted as they are, not as the module says.
        outputs: "softmax" (one class), "sigmoid" (several labels at once, each with a probability of its own) or
        "value" (a number or several in their own units, as of a regression). None is "value" for a single output, else
        "softmax", unless the module's configuration says otherwise.
        device, dtype: None is the module's own, also when that changes. Another one makes the twin a converted copy: it
        takes the memory of one, and has the weights of this moment for good.
        image_size: (height, width), or one number, for a module that takes any size, in whole patches; ModelError for
        one that was built for another. mean, std: one a channel, where the training had others than the module's
        configuration, whose average a model of one channel takes.
        Raises ModelError where the module has no sequence of transformer blocks over square patches, or holds one.
        """
        module, names = own_module(unwrapped(module, name), name, labels)
        config = timm.data.resolve_data_config(model=module)
        size = timm_embedding.input_size_of(module, name, size_of(image_size), config["input_size"][-2:])
        grid = timm_embedding.describe_grid(module, name, size)
        channels = timm_embedding.channels_of(module, grid.patch_size)
        check_preprocessing(mean or config["mean"], std or config["std"], name, channels)
        config["input_size"] = (3, *size)
        watched = Watched(module, device=device, dtype=dtype)
        vit = cls(
            name=name,
            architecture=timm_parts.architecture_of(module),
            module=watched,
            labels=(),
            grid=grid,
            trained=trained,
            weights=weights or ("trained weights" if trained else "untrained weights"),
            mean=per_channel(mean or config["mean"], channels),
            std=per_channel(std or config["std"], channels),
            input_size=size,
            channels=channels,
            _spatial=evaluation_steps(config),
        )
        count = count_outputs(vit.module, vit.blank(), name)
        kind = kind_of(outputs or said_by(module), count)
        named = labels_of(module, count, names, name, kind, asked=outputs is not None)
        return replace(vit, module=watched, labels=named, outputs=kind)

    def let_go(self, again: Callable[[], nn.Module]) -> None:
        """Hold the module no longer: it is there while somebody else holds it, and then comes from `again`."""
        vars(self)["_watched"].let_go(again)

    @property
    def device(self) -> torch.device:
        """Where the input has to be."""
        return timm_embedding.place_of(self.module)[0]

    @property
    def dtype(self) -> torch.dtype:
        return timm_embedding.place_of(self.module)[1]

    def blank(self) -> torch.Tensor:
        """An input of zeros, [1, C, H, W] on the device."""
        device, dtype = timm_embedding.place_of(self.module)
        return torch.zeros(1, self.channels, *self.input_size, device=device, dtype=dtype)

    def __repr__(self) -> str:
        return line(self)

    def _repr_html_(self) -> str:
        """At the end of a notebook's cell: a table of what the model is."""
        return card(self)

    def view(self, image: Image.Image) -> np.ndarray:
        """The exact pixels that the model sees: resized and cropped as timm's evaluation does, uint8 [H, W, 3].

        Where the patches do not fill the input (384 pixels in patches of 14), what no patch covers is left out.
        For a model of one channel the picture is made grey by its luma. ModelError for a model of other channels.
        """
        self._check_channels()
        mode = LUMA if self.channels == 1 else "RGB"
        picture = seen(image if image.mode == mode else image.convert(mode), self._spatial)
        height, width = self.grid.image_size
        return np.ascontiguousarray(np.asarray(picture.convert("RGB"), dtype=np.uint8)[:height, :width])

    def preprocess(self, image: Image.Image) -> torch.Tensor:
        """The model's input for a picture: `view`, scaled to 0..1 and normalised; [1, C, H, W] on the device."""
        return self.normalise(self.view(image))

    def normalise(self, view: np.ndarray) -> torch.Tensor:
        """[1, C, H, W] on the device from the uint8 [H, W, 3] pixels that `view` gives."""
        return self.normalise_all([view])

    def normalise_all(self, views: Sequence[np.ndarray]) -> torch.Tensor:
        """`normalise` of each, [N, C, H, W]."""
        self._check_channels()
        device, dtype = timm_embedding.place_of(self.module)
        seen = np.stack([greyed(np.asarray(view)) if self.channels == 1 else view for view in views])
        mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (self.mean, self.std))
        pixels = torch.from_numpy(seen).permute(0, 3, 1, 2).contiguous().float().div_(255).sub_(mean).div_(std)
        margin = [self.input_size[axis] - pixels.shape[axis + 2] for axis in (0, 1)]
        pixels = nn.functional.pad(pixels, (0, margin[1], 0, margin[0])) if any(margin) else pixels
        return pixels.to(device=device, dtype=dtype)

    def _check_channels(self) -> None:
        if self.channels not in (1, 3):
            raise ModelError(
                f"{self.name} reads {self.channels} channels, which no picture has. Give it what your own transform "
                f"makes: vizvit.capture_tensor(vit, pixels) with pixels of shape "
                f"[{self.channels}, {self.input_size[0]}, {self.input_size[1]}]."
            )

    @property
    def spatial_steps(self) -> tuple:
        """What `view` does to a picture: torchvision's transforms, as timm's evaluation has them."""
        return self._spatial

    @property
    def preprocessing(self) -> tuple[str, ...]:
        """The steps from a picture to the model's input, each in words with all its numbers."""
        return (
            *(("Grayscale(luma)",) if self.channels == 1 else ()),
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
            "outputs": self.outputs if self.labels else None,
            "precision": self.precision,
            "input_size": list(self.grid.image_size),
            "channels": self.channels,
            "grid": [self.grid.rows, self.grid.cols],
            "prefix_tokens": list(self.grid.prefix_names),
        }

    def label(self, index: int) -> str:
        return self.labels[index]

    def short_label(self, index: int) -> str:
        """The first of a class's names."""
        return self.label(index).split(", ")[0]

    def class_index(self, target: int | str) -> int:
        """The index of an output given by its index or its name (case-insensitive; one synonym of several will do)."""
        if not self.labels:
            raise ModelError(
                f"{self.name} has no classifier: it gives a feature vector, not classes. Choose a model with classes."
            )
        return index_of(target, self.labels, self.outputs, self.name)

    @property
    def position_kind(self) -> str:
        """A key of POSITION_KINDS: how the model knows where a patch is (the most telling one, where it has two)."""
        return timm_embedding.position_kind(self.module)

    @torch.no_grad()
    def position_embedding(self) -> np.ndarray | None:
        """The embedding added to each patch, float32 [rows, cols, dim]; None where the model adds none."""
        found = timm_embedding.patch_positions(self.module, self.grid, self.blank())
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
        """The patch embedding's kernels, float32 [dim, patch, patch, channel]; None where it is not one linear map."""
        found = timm_embedding.patch_kernels(self.module, self.grid.patch_size)
        return None if found is None else found.numpy()


VitModel.module = Followed()
