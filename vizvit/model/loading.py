"""Getting a model: the shipped one, any of timm's by name, a directory, a file of weights, a repository of the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import timm
import torch

from ..errors import ModelError
from ..reading import kind_of, path_of
from ..texts.assets import assets_dir
from . import CHECKPOINTS, hub, repository, resizing
from .config import LARGEST_SIDE, check_finite, check_source
from .labels import read_labels
from .source import LOCAL, Source
from .vit import VitModel

__all__ = ["SHIPPED", "hub", "lasting", "load_model", "pick_device", "shipped_dir"]

SHIPPED = "vizvit-tiny"


def shipped_dir(name: str = SHIPPED) -> Path:
    return assets_dir() / "models" / name


def pick_device(device: str | torch.device = "auto") -> torch.device:
    """CUDA, then MPS, then CPU for "auto"; any other device as named, ModelError where it is not there."""
    if str(device) == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f'The device "{device}" cannot be used here ({reason}). Use "auto" or "cpu".') from error
    return chosen


def load_model(
    name: str | Path = SHIPPED,
    *,
    weights: str | Path = "pretrained",
    device: str | torch.device = "auto",
    arch: str | None = None,
    image_size: int | tuple[int, int] | None = None,
    labels: str | Path | list[str] | None = None,
    outputs: str | None = None,
    half: bool = False,
    crop: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> VitModel:
    """Load a Vision Transformer by name or path.

    name: "vizvit-tiny" (shipped), any timm model name, a directory of timm or of transformers, a file of weights of
        whatever ending, or a repository of the hub in either format (owner/name).
    weights: "pretrained", "random" (seeded: the same every time), or the path of a file of weights for `name`.
    device: "auto" is CUDA, then MPS, then CPU; "meta" gives a model without values, of any size.
    arch: for a file of weights, its timm architecture name, or "heads=6", where the weights leave that open.
    image_size: (height, width) in pixels, or one number for a square; without it, the size of the position table that
        the weights have. Position embeddings are resampled to another, and the model's `weights` say so.
    labels: class names: a list, a text file with a name a line, or a JSON list or {index: name} object.
    outputs: "softmax", "sigmoid" or "value", as in `VitModel.wrap`; None is "value" for a single output.
    half: half precision, on CUDA only; the picture captions say so.
    crop: False shows the model as much of a picture as has the shape of its input, where its own evaluation, which is
        kept otherwise, would cut the edges off as well.
    on_progress: called with (done, total) bytes while weights are downloaded.

    Files are known by their content and read without running any code in them. What was found in them, and what had
    to be assumed, is in the model's `notes`. Raises ModelError, whose message says what to do instead.
    """
    text = str(name)
    path = path_of(text.removeprefix(LOCAL))
    place = pick_device(device)
    if half and place.type != "cuda":
        raise ModelError(f"Half precision is for CUDA; this model would run on {place}. Leave `half` off.")
    size = None if image_size is None else _image_size(image_size)
    if text != SHIPPED:
        check_source(text, path, arch, size)
    values = place.type != "meta"
    source = Source(text, random=weights == "random", instead=SHIPPED, values=values)

    if text == SHIPPED:
        source.use_directory(shipped_dir(), "shipped weights")
        if not list(shipped_dir().glob("model.safetensors")) and weights == "pretrained":
            source.trained = False
    elif path.is_file() or (path.suffix in CHECKPOINTS and not path.is_dir()):
        source.title = path.name
        source.use_file(path, arch)
    elif path.is_dir():
        source.title = path.resolve().name
        source.use_directory(path)
    elif text.startswith((LOCAL, ".", "~")) or path.is_absolute():
        raise ModelError(
            f"There is no model directory at {path}, nor a file. Give a folder with config.json and weights, as timm "
            f"or transformers write it, or a file of weights."
        )
    elif repository.is_repository(text) and not timm.is_model(text.partition(".")[0]):
        source.use_repository(text, on_progress)
    else:
        source.use_timm(text)
    if weights not in ("pretrained", "random"):
        source.use_weights(path_of(weights))

    module = source.build(size, on_progress)
    if values:
        check_finite(module, source.title)
    names = read_labels(labels) if labels is not None else source.labels(module)
    vit = VitModel.wrap(
        module,
        name=source.title,
        labels=names,
        outputs=outputs,
        trained=source.trained,
        weights=source.caption(module),
        device=place,
        dtype=torch.float16 if half else torch.float32,
        image_size=size,
    )
    if not crop:
        vit = replace(vit, _spatial=resizing.filled(vit._spatial, vit.input_size))
    height, width = size or (None, None)
    given = {"model": lasting(text), "weights": None if weights == "pretrained" else lasting(str(weights))}
    opened = given | {"arch": arch, "height": height, "width": width} | ({"outputs": outputs} if outputs else {})
    return replace(vit, opened=opened, notes=tuple(dict.fromkeys(source.notes)))


def lasting(name: str) -> str:
    """What `load_model` takes for a model or its weights; a path as one that is right in every working directory."""
    path = path_of(name.removeprefix("local-dir:"))
    return str(path.resolve()) if name not in (SHIPPED, "random") and kind_of(path) else name


def _image_size(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1 or max(height, width) > LARGEST_SIDE:
        raise ModelError(f"The image size {height}x{width} is outside 1 to {LARGEST_SIDE} pixels.")
    return int(height), int(width)
