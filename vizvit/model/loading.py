"""Getting a model by name: the shipped one, any of timm's, a local directory, or a checkpoint file."""

from __future__ import annotations

import difflib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import timm
import torch
from timm.data import ImageNetInfo, infer_imagenet_subset
from timm.models import load_state_dict

from ..errors import ModelError
from ..reading import kind_of, path_of
from ..texts.assets import assets_dir
from . import CHECKPOINTS, hub
from .config import LARGEST_SIDE, check_finite, check_source
from .labels import read_labels
from .timm_parts import CLASSIFIER_WEIGHTS, fuse_attention
from .vit import VitModel

SHIPPED = "vizvit-tiny"
SEED = 0
# timm's initialisers draw from torch's global generator: one build at a time keeps seeded weights the same.
_BUILDING = threading.Lock()


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
    half: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> VitModel:
    """Load a Vision Transformer by name or path.

    name: "vizvit-tiny" (shipped), any timm model name, a timm local directory, or a .safetensors/.pth file together
        with `arch`, its timm architecture name.
    weights: "pretrained", "random" (seeded: the same every time), or the path of a state dict for that architecture.
    device: "auto" is CUDA, then MPS, then CPU.
    image_size: (height, width) in pixels, or one number for a square; position embeddings are resampled by timm.
    labels: class names: a list, a text file with a name a line, or a JSON list or {index: name} object.
    half: half precision, on CUDA only; the picture captions say so.
    on_progress: called with (done, total) bytes while weights are downloaded.

    Files are read without running any code in them (safetensors, or torch.load with weights_only).
    Raises ModelError, whose message says what to do instead.
    """
    text = str(name)
    path = path_of(text.removeprefix("local-dir:"))
    place = pick_device(device)
    if half and place.type != "cuda":
        raise ModelError(f"Half precision is for CUDA; this model would run on {place}. Leave `half` off.")
    options = {} if image_size is None else {"img_size": _image_size(image_size)}
    if text != SHIPPED:
        check_source(text, path, arch, options.get("img_size"))
    source = _Source(text, trained=weights != "random", weights=str(weights))

    if text == SHIPPED:
        source.use_directory(shipped_dir(), title=SHIPPED)
        if not list(shipped_dir().glob("model.safetensors")) and weights == "pretrained":
            source.trained = False
    elif path.suffix in CHECKPOINTS:
        source.use_checkpoint(path, arch)
    elif path.is_dir():
        source.use_directory(path, title=path.name)
    elif text.startswith("local-dir:") or path.is_absolute() or text.startswith((".", "~")):
        raise ModelError(f"There is no model directory at {path}. Give a folder with timm's config.json and weights.")
    else:
        source.use_timm(text)
    if weights not in ("pretrained", "random"):
        source.use_state_dict(path_of(weights))

    module = source.build(options, on_progress)
    check_finite(module, source.title)
    names = read_labels(labels) if labels is not None else source.labels(module)
    vit = VitModel.wrap(
        module,
        name=source.title,
        labels=names,
        trained=source.trained,
        weights=source.caption(),
        device=place,
        dtype=torch.float16 if half else torch.float32,
        image_size=options.get("img_size"),
    )
    height, width = options.get("img_size", (None, None))
    given = {"model": lasting(text), "weights": None if weights == "pretrained" else lasting(str(weights))}
    return replace(vit, opened=given | {"arch": arch, "height": height, "width": width})


def lasting(name: str) -> str:
    """What `load_model` takes for a model or its weights; a path as one that is right in every working directory."""
    path = path_of(name.removeprefix("local-dir:"))
    return str(path.resolve()) if name not in (SHIPPED, "random") and kind_of(path) else name


class _Source:
    """Where one model comes from; filled in by one of the `use_` methods, then built once."""

    def __init__(self, name: str, *, trained: bool, weights: str):
        self.title = name
        self.create_name = name
        self.trained = trained
        self.random = weights == "random"
        self.state_dict: dict[str, torch.Tensor] | None = None
        self.from_hub = False
        self.origin = "pretrained weights"

    def use_timm(self, name: str) -> None:
        base = name.partition(".")[0]
        if not timm.is_model(base):
            close = timm.list_models(f"*{base}*")[:3] or difflib.get_close_matches(base, timm.list_models(), cutoff=0.5)
            raise ModelError(
                f'"{name}" is not a model of timm {timm.__version__}, a local directory, or a checkpoint file. '
                f"Names that exist: {', '.join(close or ['vit_tiny_patch16_224'])}. The shipped model is {SHIPPED}."
            )
        self.from_hub = True

    def use_directory(self, directory: Path, title: str) -> None:
        config = directory / "config.json"
        if not config.is_file():
            raise ModelError(
                f"{directory} has no config.json. A timm local directory holds config.json and weights, "
                f"as timm.models.save_for_hf writes them."
            )
        try:
            json.loads(config.read_text("utf-8"))["architecture"]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ModelError(f"{config} cannot be read as a timm model configuration ({error}).") from error
        self.create_name = f"local-dir:{directory.resolve()}"
        self.title = title
        self.origin = "weights of a local directory" if title != SHIPPED else "shipped weights"

    def use_checkpoint(self, path: Path, arch: str | None) -> None:
        if arch is None:
            raise ModelError(
                f"{path.name} holds weights only. Say which architecture they belong to, for instance "
                f'load_model("{path}", arch="vit_base_patch16_224").'
            )
        self.use_timm(arch)
        self.create_name = arch
        self.title = path.name
        if not self.random:
            self.use_state_dict(path)

    def use_state_dict(self, path: Path) -> None:
        if not path.is_file():
            raise ModelError(f"There is no weights file at {path}.")
        try:
            state = load_state_dict(str(path), weights_only=True)
        except Exception as error:
            reason = str(error).split(" No automatic")[0].splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(
                f"{path.name} cannot be read as weights ({reason}). Give a .safetensors file, or a .pth file that "
                f"holds only tensors; files that need to run code are never opened."
            ) from error
        if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
            raise ModelError(f"{path.name} holds no state dict: expected parameter names with tensors.")
        self.state_dict = state
        self.origin = f"weights of {path.name}"
        self.from_hub = False

    def build(self, options: dict, on_progress: Callable[[int, int], None] | None) -> torch.nn.Module:
        pretrained = self.trained and not self.random
        if pretrained and self.from_hub:
            hub.fetch(self.create_name, on_progress)
            file = hub.cached_file(self.create_name)
            if file is not None:  # named outright, so that timm does not ask the hub once more
                options |= {"pretrained_cfg_overlay": {"file": str(file), "custom_load": file.suffix == ".npz"}}
        if self.state_dict is not None:
            classes = self._classes()
            overlay = {"source": "", "state_dict": self.state_dict, "custom_load": False, **classes}
            options |= {"pretrained_cfg_overlay": overlay, **classes}
        try:
            with _BUILDING, torch.random.fork_rng(devices=[]):
                torch.manual_seed(SEED)
                module = timm.create_model(self.create_name, pretrained=pretrained, **options)
        except ModelError:
            raise
        except TypeError as error:
            if "img_size" in str(error):
                raise ModelError(
                    f"{self.title} has a fixed input size; leave the image size at its default."
                ) from error
            raise ModelError(self._failure(error)) from error
        except Exception as error:
            raise ModelError(self._failure(error)) from error
        for config in (module.pretrained_cfg, getattr(module, "default_cfg", {})):
            if isinstance(config, dict):
                config.pop("state_dict", None)  # timm would hold a second copy of the weights there
        fuse_attention(module)
        return module

    def _classes(self) -> dict[str, int]:
        """The number of classes that a checkpoint's own classifier has."""
        for key in CLASSIFIER_WEIGHTS:
            if key in self.state_dict:
                if self.state_dict[key].ndim != 2:
                    raise ModelError(
                        f"{self.title} cannot be read as weights: {key} has the shape "
                        f"{list(self.state_dict[key].shape)}, but [classes, features] was expected."
                    )
                return {"num_classes": self.state_dict[key].shape[0]}
        config = timm.models.get_pretrained_cfg(self.create_name) if self.from_timm() else None
        return {"num_classes": 0} if config is not None else {}

    def from_timm(self) -> bool:
        return not self.create_name.startswith("local-dir:")

    def labels(self, module: torch.nn.Module) -> tuple[str, ...] | None:
        config = getattr(module, "pretrained_cfg", None) or {}
        names = config.get("label_names")
        if names and len(names) == module.num_classes:
            described = config.get("label_descriptions") or {}
            return tuple(described.get(name, name) for name in names)
        # A stranger's checkpoint with 1,000 outputs need not be ImageNet's, unless it came with timm's own name.
        subset = infer_imagenet_subset({"num_classes": module.num_classes})
        if subset and self.from_timm():
            info = ImageNetInfo(subset)
            return tuple(info.index_to_description(i) for i in range(info.num_classes()))
        return None

    def caption(self) -> str:
        return self.origin if self.trained else "untrained weights"

    def _failure(self, error: Exception) -> str:
        reason = " ".join(str(error).split())
        reason = reason[:400] + ("…" if len(reason) > 400 else "")
        return f"{self.title} could not be loaded: {reason or type(error).__name__}."


def _image_size(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1 or max(height, width) > LARGEST_SIDE:
        raise ModelError(f"The image size {height}x{width} is outside 1 to {LARGEST_SIDE} pixels.")
    return int(height), int(width)
