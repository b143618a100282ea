"""Where one model comes from: filled in by one of the `use_` methods, then built once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import ImageNetInfo, infer_imagenet_subset

from ..errors import ModelError
from . import hub, repository
from .checkpoint import AVERAGED, TEACHER, Checkpoint, find
from .convert import Converted
from .directory import WEIGHTS, network_of, of_transformers, read_config, read_preprocessor, said_by, weights_of
from .facts import does_not_fit, shapes_of, table_grid
from .names import near
from .network import Said, building, fitted, left_out, made, misfits, plain
from .reading import read, shapes

LOCAL = "local-dir:"
OF_KIND = {AVERAGED: ", averaged over training", TEACHER: ", the teacher's"}


class Source:
    """title: what the model is called; origin: where its weights come from; notes: what else is to be said of them."""

    def __init__(self, title: str, *, random: bool, instead: str, values: bool = True):
        self.title = title
        self.random = random
        self.values = values  # False: shapes are enough
        self.trained = not random
        self.instead = instead  # the shipped model's name, for advice
        self.origin = "pretrained weights"
        self.notes: list[str] = []
        self.arch: str | None = None  # timm's name, or "local-dir:PATH"
        self.named_by_file = False
        self.from_hub = False
        self.heads: int | None = None
        self.checkpoint: Checkpoint | None = None
        self.network: Converted | None = None
        self.said = Said()
        self.table: tuple[int, ...] | None = None  # (rows, cols) of the position table that the weights have
        self.named_grid: tuple[int, int] | None = None  # (rows, cols) that a directory's configuration leads to

    def use_timm(self, name: str) -> None:
        base = name.partition(".")[0]
        if not timm.is_model(base):
            raise ModelError(
                f'"{name}" is not a model of timm {timm.__version__}, a directory, a file of weights, or a repository '
                f"of the hub (owner/name). Names that exist: {', '.join(near(base))}. The shipped model is "
                f"{self.instead}."
            )
        self.arch, self.from_hub = name, True

    def use_repository(self, name: str, on_progress: Callable[[int, int], None] | None) -> None:
        folder = repository.bring_repository(name, on_progress, weights=False)
        if not self.random or of_transformers(read_config(folder)):  # whose network shows in the weights alone
            folder = repository.bring_repository(name, on_progress)
        self.use_directory(folder, "pretrained weights")

    def use_directory(self, directory: Path, origin: str = "weights of a local directory") -> None:
        if not (directory / "config.json").is_file():
            held = sorted(file.name for file in directory.iterdir() if file.is_file())
            held = [
                name for name in held if name.lower().endswith((".pth", ".pt", ".tar", ".ckpt", ".safetensors", ".bin"))
            ]
            advice = f" It holds {', '.join(held[:3])}: give that file." if held else ""
            raise ModelError(
                f"{directory} has no config.json. A directory of timm or transformers holds config.json and weights, "
                f"as timm.models.save_for_hf or save_pretrained write them.{advice}"
            )
        config, self.origin = read_config(directory), origin
        if of_transformers(config):
            self.said = said_by(config, read_preprocessor(directory), self.title)
            self.network = network_of(weights_of(directory), config, self.title)
            self.notes += [f"converted from {self.network.layout.name}"]
            return
        if "architecture" not in config:
            raise ModelError(
                f"{directory / 'config.json'} cannot be read as a timm model configuration, which names an "
                f'"architecture", nor as one of transformers, which names a "model_type".'
            )
        self.arch = f"{LOCAL}{directory.resolve()}"
        file = next((directory / name for name in WEIGHTS if (directory / name).is_file()), None)
        self.table = _table_in(file) if file else None
        self.named_grid = _named_grid(config.get("model_args"))

    def use_file(self, path: Path, arch: str | None) -> None:
        if arch and arch.startswith("heads="):
            self.heads = _heads(arch)
        elif arch:
            self.use_timm(arch)
        elif _is_directory(path.parent) and path.name in ("model.safetensors", "pytorch_model.bin"):
            return self.use_directory(path.parent, f"weights of {path.name}")
        return self.use_weights(path)

    def use_weights(self, path: Path) -> None:
        """Weights from a file, for the architecture that is named or the one that they decide."""
        keys = tuple(plain(self.arch).state_dict()) if self.arch else ()
        found = self.checkpoint = find(read(path), path.name, keys)
        if self.network is not None and found.network is not None:  # of a directory of transformers
            self.network = found.network
        elif self.arch is None:
            self.arch, self.named_by_file = found.arch, found.arch is not None
        self.from_hub, self.trained = False, not self.random
        self.origin = f"weights of {path.name}{OF_KIND.get(found.kind, '')}"
        self.notes += found.notes

    def build(self, size: tuple[int, int] | None, on_progress: Callable[[int, int], None] | None) -> torch.nn.Module:
        """The module; size: height and width in pixels that a person asked for."""
        if self.from_hub and self.trained and not self.random:
            hub.fetch(self.arch, on_progress)
        try:
            if self.checkpoint is not None and self.arch is not None:
                return self._fitted(size)
            if self.network is not None or self.checkpoint is not None:
                return self._decided(size)
            return self._by_timm({} if size is None else {"img_size": size})
        except ModelError as error:
            raise self._failure(error) from error

    def _decided(self, size: tuple[int, int] | None) -> torch.nn.Module:
        network, said, found = self.network, self.said, self.checkpoint
        if network is None and found is not None:
            network = found.network
            said = Said(self.heads or found.heads, size=found.size or size, config=_preprocessing(found))
            if not {"mean", "std"} & set(found.preprocessing):
                whose = "ImageNet" if network.layout.mean[0] == 0.485 else network.layout.name
                self.notes.append(f"preprocessing assumed: mean and standard deviation of {whose}")
        module, notes = made(network, said, size, random=self.random, values=self.values)
        self.notes += notes
        self.table = _grid(shapes_of(network.state), said.size)
        return module

    def _fitted(self, size: tuple[int, int] | None) -> torch.nn.Module:
        found = self.checkpoint
        try:
            options, state = fitted(self.arch, found.state, found.network, found.size or size)
        except ModelError:
            if not self.named_by_file:
                raise
            return self._decided(size)  # the file names another architecture than its weights have
        if self.named_by_file and found.heads:
            options["num_heads"] = found.heads
        if found.network is not None:
            self.table = _grid(shapes_of(found.network.state), found.size or size)
            self.notes += left_out(list(found.network.beside))
        if size is not None:
            options["img_size"] = size
        channels = {"in_chans": options["in_chans"]} if "in_chans" in options else {}
        overlay: dict[str, Any] = {"source": "", "custom_load": False, "num_classes": options["num_classes"]}
        overlay |= _preprocessing(found, defaults=False)
        if channels or "img_size" in options:
            overlay["input_size"] = (options.get("in_chans", 3), *options.get("img_size", (224, 224)))
        if not self.random:
            overlay["state_dict"] = state
        return self._by_timm(options | {"pretrained_cfg_overlay": overlay})

    def _by_timm(self, options: dict) -> torch.nn.Module:
        pretrained = self.trained and not self.random
        if pretrained and self.from_hub:
            file = hub.cached_file(self.arch)
            if file is not None:  # named outright, so that timm does not ask the hub once more
                options |= {"pretrained_cfg_overlay": {"file": str(file), "custom_load": file.suffix == ".npz"}}
                self.table = _table_in(file)
        elif (
            self.arch.startswith(LOCAL)
            and self.checkpoint is None
            and "img_size" not in options
            and self.table not in (None, self.named_grid)
        ):
            options |= self._table_size()
        try:
            with building(values=self.values):
                module = timm.create_model(self.arch, pretrained=pretrained, **options)
        except TypeError as error:
            if "img_size" in str(error):
                raise ModelError(
                    f"{self.title} has a fixed input size; leave the image size at its default."
                ) from error
            raise ModelError(_reason(error)) from error
        except ModelError:
            raise
        except Exception as error:
            if self.checkpoint is not None and "loading state_dict" in str(error):
                given, wanted = shapes_of(self.checkpoint.state), shapes_of(plain(self.arch).state_dict())
                raise does_not_fit(misfits(given, wanted), given, self.arch) from error
            raise ModelError(_reason(error)) from error
        for config in (module.pretrained_cfg, getattr(module, "default_cfg", {})):
            if isinstance(config, dict):
                config.pop("state_dict", None)  # timm would hold a second copy of the weights there
        return module

    def _table_size(self) -> dict[str, tuple[int, int]]:
        """The input size of a directory's position table, where its configuration does not name it."""
        reference = plain(self.arch)
        grid = _grid(shapes_of(reference.state_dict()))
        if grid is None or grid == self.table or not hasattr(reference.patch_embed, "img_size"):
            return {}
        own = reference.patch_embed.img_size
        return {"img_size": tuple(side * new // old for side, new, old in zip(own, self.table, grid, strict=True))}

    def labels(self, module: torch.nn.Module) -> tuple[str, ...] | None:
        config = getattr(module, "pretrained_cfg", None) or {}
        names = config.get("label_names")
        if names and len(names) == module.num_classes:
            described = config.get("label_descriptions") or {}
            return tuple(described.get(name, name) for name in names)
        # A stranger's checkpoint with 1,000 outputs need not be ImageNet's, unless it came with timm's own name.
        subset = infer_imagenet_subset({"num_classes": module.num_classes})
        if subset and self.arch is not None and not self.arch.startswith(LOCAL) and not self.named_by_file:
            return _imagenet(subset)
        return None

    def caption(self, module: torch.nn.Module) -> str:
        """Where the weights come from, in a few words for captions."""
        if not self.trained:
            return "untrained weights"
        shown = _grid(shapes_of(module.state_dict()), getattr(module.patch_embed, "img_size", None))
        if self.table and shown and self.table != shown:
            return f"{self.origin}, positions resampled from {self.table[0]}×{self.table[1]} patches"
        return self.origin

    def _failure(self, error: ModelError) -> ModelError:
        return ModelError(f"{self.title} could not be loaded. {error}")


@lru_cache(maxsize=4)
def _imagenet(subset: str) -> tuple[str, ...]:
    """The names of ImageNet's classes, or of a part of them, which timm reads from its files each time."""
    info = ImageNetInfo(subset)
    return tuple(info.index_to_description(index) for index in range(info.num_classes()))


def _preprocessing(found: Checkpoint, *, defaults: bool = True) -> dict[str, Any]:
    layout = found.layout
    assumed = {key: getattr(layout, key) for key in ("mean", "std", "interpolation")} if defaults else {}
    if defaults and "CLIP" in layout.name:  # it ends in a projection, not in classes
        assumed |= {"architecture": "clip_vision_model", "tag": "weights"}
    return assumed | found.preprocessing


def _grid(of: dict[str, tuple[int, ...]], size: tuple[int, int] | None = None) -> tuple[int, int] | None:
    try:
        grid = table_grid(of, size)
    except ModelError:
        return None
    return grid[:2] if grid else None


def _named_grid(args: Any) -> tuple[int, int] | None:
    """(rows, cols) of a configuration that names the sides of the picture and of a patch; else None."""
    match args:
        case {"img_size": [int(height), int(width)], "patch_size": int(patch)} if patch > 0:
            return height // patch, width // patch
    return None


def _table_in(path: Path) -> tuple[int, int] | None:
    """The grid of a file's position table; None where it has none, or is for timm to refuse."""
    found = shapes(path)
    if not found:
        try:
            found = shapes_of(find(read(path), path.name).state)
        except ModelError:
            return None
    return _grid(found)


def _heads(arch: str) -> int:
    number = arch.removeprefix("heads=").strip()
    if not number.isdigit() or not int(number):
        raise ModelError(f'"{arch}" does not name a number of heads: write it as arch="heads=6".')
    return int(number)


def _is_directory(folder: Path) -> bool:
    try:
        config = read_config(folder)
    except ModelError:
        return False
    return "architecture" in config or "model_type" in config


def _reason(error: Exception) -> str:
    reason = " ".join(str(error).split())
    return (reason[:400] + ("…" if len(reason) > 400 else "")) or type(error).__name__
