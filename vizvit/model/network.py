"""The module that a network's weights fill: made as the weights decide, or a named architecture made to fit them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.overrides import TorchFunctionMode

from ..errors import ModelError
from .convert import TIMM, Converted, State
from .facts import (
    NETWORK,
    Shapes,
    does_not_fit,
    fill,
    heads_of,
    make,
    options_of,
    resampled,
    shapes_of,
    table_grid,
)
from .timm_parts import CLASSIFIER_WEIGHTS

SEED = 0
# timm's initialisers draw from torch's global generator: one build at a time keeps seeded weights the same.
_BUILDING = threading.Lock()
# What of a VisionTransformer is one fact in three options.
_POOLING = ("global_pool", "fc_norm", "final_norm")
# What an architecture's name stands for, so that it cannot be made to fit.
_KIND = ("embed_dim", "gated", "rms_norm", "distilled")


@contextmanager
def building(*, values: bool = True) -> Iterator[None]:
    """Seeded: what is made inside has the same random weights every time; or no values, only shapes."""
    with _BUILDING, torch.random.fork_rng(devices=[]), nullcontext() if values else torch.device("meta"):
        torch.manual_seed(SEED)
        with nullcontext() if values else _Unfilled():
            yield


class _Unfilled(TorchFunctionMode):
    """Leaves out what writes initial values into tensors without values: most of the time that a network takes."""

    WRITES = frozenset({"normal_", "uniform_", "trunc_normal_", "erfinv_", "mul_", "add_", "clamp_", "fill_", "zero_"})

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.__name__ in self.WRITES:
            written = args[0] if args else (kwargs or {})["tensor"]  # as torch.nn.init hands it on
            if written.is_meta:
                return written
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Said:
    """What is known of a network beside its weights; None where nothing says it.

    config: preprocessing, labels and names, in timm's words, for the module's pretrained_cfg.
    size: of the pictures that it was trained on, (height, width); shown: the size to show it at, where it is another.
    antialias: how the library that it comes from resamples its position table.
    """

    heads: int | None = None
    activation: str | None = None
    eps: float | None = None
    size: tuple[int, int] | None = None
    shown: tuple[int, int] | None = None
    antialias: bool = True
    config: Mapping[str, Any] = field(default_factory=dict)


def made(
    network: Converted, said: Said, size: tuple[int, int] | None, *, random: bool, values: bool = True
) -> tuple[nn.Module, list[str]]:
    """The VisionTransformer that the weights decide, filled with a copy of them (or random, or without values), and
    what is to be said of it. size: height and width in pixels that a person asked for.

    Raises ModelError where the weights leave it open, or are another network's.
    """
    state, notes = dict(network.state), []
    if "dist_token" in state and "head_dist.weight" not in state and network.layout is not TIMM:
        state["reg_token"] = state.pop("dist_token")
        notes.append("its classifier does not read the distillation token, which stands as a register")
    options = options_of(shapes_of(state), said.size)
    dim, classifier = options["embed_dim"], state.pop("classifier.weight", None)
    if classifier is not None:  # transformers' CLIP and SigLIP with classes: the mean of the patches is read
        state |= {"head.weight": classifier, "head.bias": state.pop("classifier.bias")}
        normed = "norm_pre.weight" not in state
        state = {key: value for key, value in state.items() if not key.startswith("attn_pool.")}
        state = state if normed else {key: value for key, value in state.items() if not key.startswith("norm.")}
        options |= {"global_pool": "avg", "fc_norm": False, "final_norm": normed, "num_classes": len(classifier)}
    both = tuple(state.get("head.weight", torch.empty(0)).shape[1:]) == (2 * dim,) and network.layout is not TIMM
    if both:
        options["num_classes"] = len(state["head.weight"])
    if options["pos_embed"] == "none":
        raise does_not_fit(["pos_embed is missing"], shapes_of(state))
    heads, note = heads_of(options, said.heads)
    notes += [note] if note else []
    activation, eps = said.activation or network.layout.activation, said.eps or network.layout.eps
    if said.activation is None and (options["pre_norm"] or options["gated"]):
        gate = "a gated MLP with SiLU" if options["gated"] else activation.replace("_", " ").upper()
        notes.append(f"{gate} assumed, which does not show in the weights")
    own, shown = options.get("img_size"), size or said.shown or options.get("img_size") or said.size or (224, 224)
    options["img_size"] = shown
    table = state.get("pos_embed")
    if table is not None and own is not None and own != shown:
        old, new = (tuple(side // options["patch_size"] for side in sides) for sides in (own, shown))
        state["pos_embed"] = resampled(table, old, new, table.shape[1] - old[0] * old[1], antialias=said.antialias)
    try:
        with building(values=random and values):
            module = make(options, heads, activation, eps, both)
    except (AssertionError, ValueError, TypeError) as error:
        raise ModelError(f"The weights' architecture cannot be made by timm ({error}).") from error
    spare = [] if random else fill(module, state)
    notes += left_out([*network.beside, *spare])
    # Without a tag it is taken for a classifier: what a contrastive tower ends in is none.
    config = {key: value for key, value in said.config.items() if key != "tag" or classifier is None}
    describe(module, shown, config)
    return module, notes


def describe(module: nn.Module, size: tuple[int, int], config: Mapping[str, Any]) -> None:
    """Write down at the module how its input is prepared and what its classes are, as timm does."""
    known = {"architecture": type(module).__name__, "num_classes": module.num_classes, "classifier": "head"}
    module.pretrained_cfg = known | {"input_size": (module.in_chans, *size)} | dict(config)
    module.default_cfg = module.pretrained_cfg


def left_out(names: list[str]) -> list[str]:
    """A note on the tensors that have no part in the network, named by their first words."""
    groups = sorted({".".join(name.split(".")[:2]) for name in names})
    told = ", ".join(groups[:3]) + (", …" if len(groups) > 3 else "")
    return [f"{len(names)} tensors left out ({told})"] if names else []


def plain(arch: str, **options: Any) -> nn.Module:
    """An architecture of timm without values, only shapes: to be read, since the next who asks gets the same one."""
    name = arch.partition(".")[0]
    if not timm.is_model(name):  # a directory, whose configuration may be another the next time
        return _without_values(arch, options)
    return _kept_without_values(arch, timm.model_entrypoint(name), tuple(sorted(options.items())))


@lru_cache(maxsize=8)
def _kept_without_values(arch: str, entry: Callable, options: tuple[tuple[str, Any], ...]) -> nn.Module:
    """entry: what is registered for the name, so that another registration is another architecture."""
    return _without_values(arch, dict(options))


def _without_values(arch: str, options: dict[str, Any]) -> nn.Module:
    with building(values=False):
        return timm.create_model(arch, **options)


def fitted(
    arch: str, state: State, network: Converted | None, size: tuple[int, int] | None
) -> tuple[dict[str, Any], State]:
    """(options with which timm's architecture fits the weights, the weights for timm's own loader of it).

    size: what the file says of the pictures' size, for a position table that is no square.
    Raises ModelError where the architecture is another.
    """
    reference = plain(arch)
    wanted = shapes_of(reference.state_dict())
    hybrid = any(key.startswith("patch_embed.backbone") for key in wanted)
    if network is None:  # a layout that timm's own loader of this architecture may know
        return _common(reference, wanted, state), state
    if hybrid or not isinstance(reference, VisionTransformer):
        return _common(reference, wanted, state), _kept(state, wanted)
    given = {
        key.replace("classifier.", "head.") if network.layout is not TIMM else key: value
        for key, value in network.state.items()
    }
    shapes = shapes_of(given)
    ours, theirs = options_of(shapes, size), options_of(wanted)
    if any(ours[key] != theirs[key] for key in _KIND):
        raise does_not_fit(misfits(shapes, wanted), shapes, arch)
    options = {
        key: value for key, value in ours.items() if theirs.get(key) != value and key not in (*_KIND, "num_heads")
    }
    if any(key in options for key in _POOLING):
        options |= {key: ours[key] for key in _POOLING}
    return options | {"num_classes": ours["num_classes"]}, _kept(given, wanted)


def misfits(given: Shapes, wanted: Shapes) -> list[str]:
    """What of the weights does not fit, in words."""
    found = [
        f"{key} is {list(given[key])} instead of {list(wanted[key])}"
        for key in wanted
        if key in given and given[key] != wanted[key] and not key.startswith("head")
    ]
    found += [f"{key} is missing" for key in wanted if key not in given and not key.startswith("head")]
    return found + [f"{key} has no place" for key in given if key not in wanted and NETWORK.match(key)]


def _kept(state: State, wanted: Shapes) -> State:
    """Without what is not of the network: a loss, a projection head."""
    heads = [key.removesuffix("weight") for key in CLASSIFIER_WEIGHTS if key in state]
    return {key: state[key] for key in state if key in wanted or NETWORK.match(key) or key.startswith(tuple(heads))}


def _common(reference: nn.Module, wanted: Shapes, state: State) -> dict[str, Any]:
    """The options that all of timm's families have: classes, channels, depth, and the size of the input."""
    given, options = shapes_of(state), dict[str, Any]()
    classes = next((given[key][0] for key in CLASSIFIER_WEIGHTS if key in given), None)
    options["num_classes"] = classes or 0
    kernel, own = given.get("patch_embed.proj.weight", ()), wanted.get("patch_embed.proj.weight", ())
    if len(kernel) == len(own) == 4 and kernel[1] != own[1]:
        options["in_chans"] = kernel[1]
    depths = [{key.split(".")[1] for key in keys if key.startswith("blocks.")} for keys in (given, wanted)]
    if depths[0] and len(depths[0]) != len(depths[1]):
        options["depth"] = len(depths[0])
    tables = [_square(shapes) for shapes in (given, wanted)]
    if all(tables) and tables[0] != tables[1]:
        options["img_size"] = tuple(side * tables[0] // tables[1] for side in reference.patch_embed.img_size)
    return options


def _square(shapes: Shapes) -> int | None:
    """The side of the grid that a position table, or a table of relative positions, is for."""
    relative = next((rows for key, rows in shapes.items() if key.endswith("relative_position_bias_table")), None)
    if relative is not None:  # (2·side - 1)² offsets, and three for the class token
        return (math.isqrt(relative[0] - 3) + 1) // 2
    try:
        grid = table_grid(shapes)
    except ModelError:
        return None
    return grid[0] if grid and grid[0] == grid[1] else None
