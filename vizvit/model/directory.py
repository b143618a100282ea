"""A directory as the library transformers writes it: its weights, and what its config says of them.

The library itself is not needed: config.json, preprocessor_config.json and the files of weights are read as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ModelError
from ..reading import json_of
from .convert import BY_MODEL_TYPE, LAYOUTS, Converted, Layout, State, converted, layouts_in
from .facts import does_not_fit
from .network import Said
from .reading import read

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_python": "gelu"}
ACTIVATIONS |= {"quick_gelu": "quick_gelu", "relu": "relu", "silu": "silu", "swish": "silu"}
RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers
OUTPUTS = {"regression": "value", "multi_label_classification": "sigmoid", "single_label_classification": "softmax"}
HIERARCHICAL = ("swin", "swinv2", "pvt", "pvt_v2", "segformer", "cvt", "mobilevit", "hiera", "levit", "efficientformer")


def read_config(directory: Path) -> dict[str, Any]:
    """The content of config.json; ModelError where there is none that can be read."""
    file = directory / "config.json"
    try:
        content = json_of(file)
        if not isinstance(content, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        what = f"a timm model configuration, nor as one of transformers ({error})"
        raise ModelError(f"{file} cannot be read as {what}.") from error
    return content


def of_transformers(config: Mapping[str, Any]) -> bool:
    return "model_type" in config and "architecture" not in config


def layout_of(config: Mapping[str, Any], name: str) -> Layout:
    """The layout of a configuration's model type; ModelError, with the reason, for one that cannot be shown."""
    kind = str(config.get("model_type"))
    if kind in BY_MODEL_TYPE:
        return next(layout for layout in LAYOUTS if layout.name == BY_MODEL_TYPE[kind])
    if kind in HIERARCHICAL:
        raise ModelError(
            f"{name} is a {kind} of transformers: its tokens are merged on the way, so that it has no one grid of "
            f"patches whose attention could be shown. Choose a plain Vision Transformer: {', '.join(BY_MODEL_TYPE)}."
        )
    raise ModelError(
        f'{name} has the model type "{kind}" of transformers; those that can be shown are {", ".join(BY_MODEL_TYPE)}. '
        f"Or choose the same network by its timm name."
    )


def parts_of(index: Path) -> list[str]:
    """The names of the files that an index of weights has; ModelError for a file that is none."""
    try:
        parts = sorted(set(json_of(index)["weight_map"].values()))
        if any(Path(part).name != part for part in parts):
            raise ValueError("it names files outside the directory")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} cannot be read as an index of weights ({error!r}).") from error
    return parts


def weights_of(directory: Path) -> State:
    """The weights of a directory, from one file or from several that an index names."""
    for name in WEIGHTS:
        if (directory / name).is_file():
            return read(directory / name)
        index = directory / f"{name}.index.json"
        if not index.is_file():
            continue
        parts = parts_of(index)
        missing = [part for part in parts if not (directory / part).is_file()]
        if missing:
            raise ModelError(f"{index.name} names {len(parts)} files, of which {', '.join(missing)} are not there.")
        return {key: value for part in parts for key, value in read(directory / part).items()}
    raise ModelError(f"{directory} has no weights: expected {' or '.join(WEIGHTS)}, or their index.json.")


def network_of(state: State, config: Mapping[str, Any], name: str) -> Converted:
    layout = layout_of(config, name)
    found = [(own, prefix) for own, prefix in layouts_in(list(state)) if own.anchor == layout.anchor]
    if not found:
        raise does_not_fit([], list(state))
    return converted(state, layout, found[0][1])


def said_by(config: Mapping[str, Any], preprocessor: Mapping[str, Any] | None, name: str) -> Said:
    """What a configuration and a preprocessor's (None where there is none) say of a network."""
    layout, vision = layout_of(config, name), config.get("vision_config") or config
    # What is at its default is left out of a nested configuration by some versions of the library.
    heads = vision.get("num_attention_heads", 12)
    act = ACTIVATIONS.get(str(vision["hidden_act"])) if "hidden_act" in vision else layout.activation
    if act is None:
        known = ", ".join(ACTIVATIONS)
        raise ModelError(f'{name} has the activation "{vision["hidden_act"]}"; those that are known are {known}.')
    size = _sides(vision.get("image_size", 224))
    prepared, shown = preprocessing(preprocessor, layout, size)
    kind = str(config["model_type"])
    names = config.get("id2label") or {}
    prepared |= {"architecture": kind, "tag": "transformers"}
    if (problem := config.get("problem_type")) in OUTPUTS:
        prepared["outputs"] = OUTPUTS[problem]
    if names and any(str(label) != f"LABEL_{index}" for index, label in names.items()):
        prepared["label_names"] = [str(names[key]) for key in sorted(names, key=int)]
    return Said(
        heads=int(heads),
        activation=act,
        eps=float(vision.get("layer_norm_eps", layout.eps)),
        size=size,
        # Of these libraries' models only DINOv2 resamples its positions unasked.
        shown=shown if layout.name == "transformers' Dinov2" else None,
        antialias=kind != "dinov2",
        config=prepared,
    )


def preprocessing(
    given: Mapping[str, Any] | None, layout: Layout, size: tuple[int, int]
) -> tuple[dict[str, Any], tuple[int, int] | None]:
    """A preprocessor's configuration in timm's words, and the size that it makes; the library's own where None."""
    config: dict[str, Any] = {"mean": layout.mean, "std": layout.std, "interpolation": layout.interpolation}
    config |= {"crop_pct": 1.0, "crop_mode": "squash"}
    if given is None:
        return config, None
    scale = 255 * float(given.get("rescale_factor") or 1 / 255) if given.get("do_rescale", True) else 255.0
    if given.get("do_normalize", True):
        mean, std = (given.get(f"image_{name}") or config[name] for name in ("mean", "std"))
    else:
        mean, std = [0.0] * 3, [1.0] * 3
    config |= {name: tuple(value / scale for value in values) for name, values in (("mean", mean), ("std", std))}
    config["interpolation"] = RESAMPLING.get(given.get("resample"), config["interpolation"])
    wanted, crop = given.get("size"), given.get("crop_size")
    shortest = wanted.get("shortest_edge") if isinstance(wanted, Mapping) else None
    if isinstance(wanted, int) and crop:  # as CLIP's and DINOv2's older files say it
        shortest = wanted
    resized = (shortest, shortest) if shortest else _sides(wanted) if wanted else size
    cropped = _sides(crop) if crop and given.get("do_center_crop", False) else resized
    config["crop_mode"] = "center" if shortest else "squash"
    config["crop_pct"] = min(cropped) / min(resized)
    return config, cropped


def read_preprocessor(directory: Path) -> dict[str, Any] | None:
    for name in ("preprocessor_config.json", "processor_config.json"):
        try:
            content = json_of(directory / name)
        except ModelError:
            continue
        content = content.get("image_processor", content) if isinstance(content, dict) else {}
        if "size" in content or "image_mean" in content:
            return content
    return None


def _sides(size: Any) -> tuple[int, int]:
    if isinstance(size, Mapping):
        size = size.get("shortest_edge") or (size["height"], size["width"])
    height, width = (size, size) if isinstance(size, (int, float)) else size
    return int(height), int(width)
