"""The network of a run: built by timm, set up for training, exported as a directory that `load_model` opens."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import save
from timm.models import save_for_hf
from torch import nn

from ..errors import ModelError
from ..files import failed, made, write_bytes
from .recipe import ARCHITECTURE, Recipe

WEIGHTS = "model.safetensors"
PREPROCESSING = {
    "tag": "vizvit",
    "fixed_input_size": True,
    "interpolation": "bicubic",
    "crop_pct": 1.0,
    "crop_mode": "center",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "license": None,  # timm's own weights have one; that of these hangs on their data
}


def build(recipe: Recipe, num_classes: int) -> nn.Module:
    """The untrained network; with the seed 0 that of `load_model(directory, weights="random")`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return timm.create_model(
            ARCHITECTURE,
            num_classes=num_classes,
            drop_path_rate=recipe.drop_path,
            pretrained_cfg_overlay=PREPROCESSING | {"input_size": (3, recipe.image_size, recipe.image_size)},
            **recipe.model_args,
        )


def unfuse(network: nn.Module) -> None:
    """Plain matrix products for attention: on a CPU their backward pass is twice as fast as the fused one."""
    for part in network.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False


def freeze(network: nn.Module, names: str) -> None:
    """Leave the parameters of these parts as they are; names: as in `named_parameters`, with commas between.

    Raises ModelError for a part that has none.
    """
    for part in filter(None, (name.strip() for name in names.split(","))):
        held = [value for name, value in network.named_parameters() if f"{name}.".startswith(f"{part}.")]
        if not held:
            parts = ", ".join(name for name, _ in network.named_children())
            raise ModelError(
                f"The network has no part {part!r} with weights to freeze. Its parts are {parts}; those inside are "
                f"named like blocks.0.attn.qkv."
            )
        for value in held:
            value.requires_grad_(False)


def export(
    network: nn.Module, directory: Path, labels: tuple[str, ...], *, model_args: dict | None = None, half: bool = False
) -> None:
    """Write a timm local directory; a reader sees the old weights or the new, never a part.

    model_args: what timm builds the architecture with, where it is not plain. half: float16 weights.
    """
    partial = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _export(network, partial, directory, labels, model_args, half)
    except (OSError, SafetensorError) as error:
        raise failed(directory, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _export(
    network: nn.Module, partial: Path, directory: Path, labels: tuple[str, ...], model_args: dict | None, half: bool
) -> None:
    named = {"label_names": list(labels)} if labels else {}
    save_for_hf(
        network,
        partial,
        model_config=named | {"pretrained_cfg": {"tag": "vizvit"}},
        model_args=model_args,
        safe_serialization=True,
        data_config={"crop_pct": 1.0, "crop_mode": "center"},  # as the training sees held-out pictures
    )
    if half:
        save_weights(network, partial / WEIGHTS)
    made(directory)
    for file in partial.iterdir():
        file.chmod(0o644)  # safetensors makes files for their owner alone
        file.replace(directory / file.name)


def save_weights(network: nn.Module, file: Path) -> None:
    """The weights in float16; `load_model(directory, weights=file)` takes them."""
    state = {name: value.detach().half().cpu().contiguous() for name, value in network.state_dict().items()}
    write_bytes(file, save(state))


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
