"""What a model says of itself, checked before anything is built of it, and its weights before anybody looks at them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timm
import torch

from ..errors import ModelError
from ..reading import finite, json_of, kind_of
from .network import plain

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "box", "hamming", "lanczos", "lanczos4")
CROPS = ("center", "squash", "border")
LARGEST_SIDE = 4096  # pixels of a model's input
MOST_CLASSES = 1_000_000
# What a ViT is built of, and the most of it that any has by a wide margin.
MOST = {"depth": 512, "embed_dim": 16384, "num_heads": 512, "reg_tokens": 4096, "mlp_ratio": 64, "in_chans": 1024}


def check_source(name: str, path: Path, arch: str | None, size: tuple[int, int] | None) -> None:
    """ModelError for a directory whose configuration cannot be used, and for a model that is larger than the memory.

    name, path: what was asked for, as timm would have it and as a path. Nothing is built but for its shapes.
    """
    options: dict[str, Any] = {} if size is None else {"img_size": size}
    if kind_of(path) == "folder":
        file = path / "config.json"
        if kind_of(file) is not None and check_config(file):
            check_memory(f"local-dir:{path.resolve()}", path.name, options)
        return
    for model in (name, arch):
        if model and timm.is_model(model.partition(".")[0]):
            check_memory(model, model, options)


def check_config(file: Path) -> bool:
    """ModelError, which names the field, for what timm or the preprocessing could not use.

    False for a sound file that is not in timm's format.
    """

    def refuse(what: str) -> None:
        raise ModelError(f"{file} cannot be read as a timm model configuration: {what}.")

    try:
        content = json_of(file)
    except ModelError as error:
        refuse(str(error).removesuffix("."))
    if not isinstance(content, dict):
        refuse("it is no JSON object")
    name = content.get("architecture")
    if name is None:
        return False
    if not isinstance(name, str) or not timm.is_model(name):
        refuse(f'"architecture" is to be the name of a model of timm {timm.__version__}; received {_shown(name)}')
    given, args = content.get("pretrained_cfg", content), content.get("model_args", {})
    for field, value in (("pretrained_cfg", given), ("model_args", args)):
        if not isinstance(value, dict):
            refuse(f'"{field}" is to be an object; received {_shown(value)}')
    for place in (content, given, args):
        for field, value in place.items():
            if value is not None and field in _CHECKS and not _CHECKS[field][0](value):
                refuse(f'"{field}" is to be {_CHECKS[field][1]}; received {_shown(value)}')
            if field in ("mean", "std") and value and len(value) not in (3, args.get("in_chans", 3)):
                refuse(f'"{field}" is to be one number for each channel; received {_shown(value)}')
    return True


def check_memory(arch: str, name: str, options: dict[str, Any]) -> None:
    """ModelError where the weights of what timm makes are more than this machine's memory."""
    try:
        module = plain(arch, **options)
    except Exception:  # what cannot be built at all has its reason told where it is built in earnest
        return
    parameters = sum(value.numel() for value in module.parameters())
    if 4 * parameters > (most := memory()):
        raise ModelError(
            f"{name} has {parameters / 1e6:,.0f} million parameters, {4 * parameters / 1e9:.1f} GB, but this machine "
            f"has {most / 1e9:.1f} GB of memory. Choose a smaller model."
        )


def memory() -> int:
    """Bytes of this machine's memory, or of what its container may use."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 62
    try:
        allowed = Path("/sys/fs/cgroup/memory.max").read_text("ascii").strip()
    except OSError:
        return found
    return min(found, int(allowed)) if allowed.isdecimal() else found


def check_finite(module: torch.nn.Module, name: str) -> None:
    """ModelError, which names the tensor, for a weight that is not a number or infinite."""
    for key, value in module.state_dict().items():
        # A sum is not finite where one of its terms is not; it may overflow besides, so that the terms decide.
        if value.is_floating_point() and not torch.isfinite(value.float().sum()) and not torch.isfinite(value).all():
            count = int((~torch.isfinite(value)).sum())
            raise ModelError(
                f"The weights of {name} are damaged: {count:,} of {value.numel():,} numbers in {key} are NaN or "
                f"infinite. Give weights of a training that did not diverge."
            )


def check_preprocessing(mean: Any, std: Any, name: str, channels: int) -> None:
    """ModelError for a mean or standard deviation that pixels cannot be normalised with: one a channel, or a colour."""
    for field, values in (("mean", mean), ("std", std)):
        if not _CHECKS[field][0](list(values) if isinstance(values, tuple) else values):
            raise ModelError(f"The {field} of {name} is to be {_CHECKS[field][1]}; received {_shown(values)}.")
        if len(values) not in (channels, 3):
            raise ModelError(
                f'The "{field}" of {name} has {len(values)} numbers, but its pictures have {channels} channels. Give '
                f"one number for each."
            )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: finite(value, low, high)


def _numbers(low: float, high: float) -> Callable[[Any], bool]:
    return lambda values: (
        isinstance(values, list) and 1 <= len(values) <= MOST["in_chans"] and all(finite(v, low, high) for v in values)
    )


def _side(value: Any) -> bool:
    return _whole(1, LARGEST_SIDE)(value)


def _sides(value: Any) -> bool:
    return _side(value) or (isinstance(value, list) and len(value) == 2 and all(map(_side, value)))


def _input(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and _whole(1, MOST["in_chans"])(value[0])
        and all(map(_side, value[1:]))
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _descriptions(value: Any) -> bool:
    return _texts(list(value.values())) if isinstance(value, dict) else _texts(value)


def _one_of(options: tuple[str, ...]) -> tuple[Callable[[Any], bool], str]:
    return lambda value: isinstance(value, str) and value in options, f"one of {', '.join(options)}"


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "num_classes": (_whole(0, MOST_CLASSES), f"a whole number from 0 to {MOST_CLASSES:,}"),
    "input_size": (_input, f"[channels, height, width] of 1 to {LARGEST_SIDE} pixels"),
    "test_input_size": (_input, f"[channels, height, width] of 1 to {LARGEST_SIDE} pixels"),
    "min_input_size": (_input, f"[channels, height, width] of 1 to {LARGEST_SIDE} pixels"),
    "img_size": (_sides, f"a number or [height, width] of 1 to {LARGEST_SIDE} pixels"),
    "patch_size": (_sides, f"a number or [height, width] of 1 to {LARGEST_SIDE} pixels"),
    "crop_pct": (_number(0.1, 2), "a number from 0.1 to 2"),
    "test_crop_pct": (_number(0.1, 2), "a number from 0.1 to 2"),
    "mean": (_numbers(-1e3, 1e3), "numbers, one for each channel"),
    "std": (_numbers(1e-6, 1e3), "numbers above 0, one for each channel"),
    "interpolation": _one_of(INTERPOLATIONS),
    "crop_mode": _one_of(CROPS),
    "label_names": (_texts, "a list of names"),
    "labels": (_texts, "a list of names"),
    "label_descriptions": (_descriptions, "an object of names"),
    **{field: (_number(0, most), f"a number from 0 to {most:,}") for field, most in MOST.items()},
}
