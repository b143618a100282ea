"""The network in a checkpoint: which of its containers, under which prefix, in whose layout, and what is said of it.

found = find(read(path), path.name)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import timm
import torch

from ..errors import ModelError
from .convert import TIMM, Converted, Layout, State, converted, layouts_in
from .facts import does_not_fit
from .reading import EXPORT, Shell, asked_for

AVERAGED, TEACHER, PLAIN, STUDENT = range(4)  # in the order in which they are preferred
KINDS = {AVERAGED: ("ema", "averaged"), TEACHER: ("teacher",), STUDENT: ("student",)}
SETTINGS = ("args", "hyper_parameters", "hparams", "config", "cfg", "opt", "recipe", "model_args", "model_kwargs")
ARCHITECTURE = ("arch", "architecture", "model", "model_name", "timm_model", "backbone", "backbone_name", "encoder")
MODULES = ("vision_transformer", "deit", "eva", "beit", "vision_transformer_relpos", "naflexvit", "vitamin")
HEADS = ("num_heads", "heads", "n_heads", "n_head", "num_attention_heads")
SIZE = ("img_size", "image_size", "input_size", "resolution", "crop_size")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network found in a file.

    network: its weights by timm's names, None where they are in a layout that only timm's own loader of an
    architecture knows; state: as they are in the file, their prefix gone. container: where in the file it was, such
    as "state_dict_ema"; kind: AVERAGED, TEACHER, PLAIN or STUDENT. settings: what the run was started with, as far
    as the file says.
    """

    name: str
    state: State
    network: Converted | None
    container: str
    kind: int
    settings: Mapping[str, Any]

    @property
    def layout(self) -> Layout:
        return self.network.layout if self.network else TIMM

    @property
    def arch(self) -> str | None:
        """The timm architecture that the file names."""
        for key in (*ARCHITECTURE, "name"):
            value = self.settings.get(key)
            name = value.removeprefix("timm/") if isinstance(value, str) else ""
            if name and timm.models.is_model_in_modules(name.partition(".")[0], MODULES):
                return name.partition(".")[0]
        return None

    @property
    def heads(self) -> int | None:
        found = (self.settings.get(key) for key in HEADS)
        return next((value for value in found if isinstance(value, int) and value > 0), None)

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) that the file names."""
        for key in SIZE:
            value = self.settings.get(key)
            sides = [value, value] if isinstance(value, int) else list(value or ())[-2:] if _listed(value) else []
            if len(sides) == 2 and all(isinstance(side, int) and side > 0 for side in sides):
                return sides[0], sides[1]
        return None

    @property
    def preprocessing(self) -> dict[str, Any]:
        """mean, std, interpolation and crop_pct as the file names them, in timm's words."""
        found: dict[str, Any] = {}
        for key in ("mean", "std"):
            value = self.settings.get(key)
            if _listed(value) and value and all(isinstance(number, (int, float)) for number in value):
                found[key] = tuple(float(number) for number in value)
        if self.settings.get("interpolation") in ("bilinear", "bicubic", "nearest", "lanczos"):
            found["interpolation"] = self.settings["interpolation"]
        if isinstance(self.settings.get("crop_pct"), float):
            found["crop_pct"] = self.settings["crop_pct"]
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of where the weights were found."""
        found = []
        if self.container:
            found.append(f"weights read from {self.container}")
        if self.network and self.network.prefix:
            found.append(f"weights named {self.network.prefix}…")
        if self.network and self.network.layout is not TIMM:
            found.append(f"converted from {self.network.layout.name}")
        return tuple(found)


def find(content: Any, name: str, keys: Iterator[str] | tuple[str, ...] = ()) -> Checkpoint:
    """The network in what `reading.read` gave. name: the file's; keys: of the architecture, where it is known.

    Of several, averaged weights come before a teacher's, these before plain ones, a student's last.
    Raises ModelError where there is none.
    """
    settings = settings_of(content)
    held = list(_state_dicts(content))
    if not held:
        strangers = asked_for(content)
        asks = f"; it asks for {', '.join(strangers)}" if strangers else ""
        raise ModelError(
            f"{name} cannot be read as weights: it holds no state dict, which is parameter names with tensors{asks}. "
            f"{EXPORT}"
        )
    found: list[tuple[tuple[int, int], Checkpoint]] = []
    for container, state in held:
        for layout, prefix in layouts_in(list(state)):
            kind = _kind(f"{container}.{prefix}")
            network = converted(state, layout, prefix)
            own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
            found.append(((kind, len(prefix)), Checkpoint(name, own, network, container, kind, settings)))
    if found:
        return min(found, key=lambda item: item[0])[1]
    container, state = max(held, key=lambda item: len(item[1]))
    if not keys:
        raise does_not_fit([], list(state))
    prefix = common_prefix(list(state), keys)
    own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    return Checkpoint(name, own, None, container, _kind(f"{container}.{prefix}"), settings)


def common_prefix(keys: list[str], wanted: Iterator[str] | tuple[str, ...]) -> str:
    """What stands before most of the wanted names among the keys."""
    names, counts = set(wanted), {"": 0}
    for key in keys:
        parts = key.split(".")
        for start in range(len(parts)):
            if ".".join(parts[start:]) in names:
                prefix = ".".join(parts[:start]) + "." * bool(start)
                counts[prefix] = counts.get(prefix, 0) + 1
    return max(counts, key=counts.__getitem__)


def settings_of(content: Any, depth: int = 3) -> dict[str, Any]:
    """Plain values that a file names beside its weights, by their own names; what stands further out wins."""
    found: dict[str, Any] = {}
    parts = _items(content)
    heads = next(_heads(content), None) if isinstance(content, Shell) else None
    if heads is not None:
        found["num_heads"] = heads
    inner = [parts[key] for key in SETTINGS if key in parts]
    found |= {key: value for key, value in parts.items() if isinstance(value, (str, int, float)) or _listed(value)}
    while inner and depth:
        depth -= 1
        deeper: list[Any] = []
        for part in map(_items, inner):
            for key, value in part.items():
                if isinstance(value, (str, int, float)) or _listed(value):
                    found.setdefault(key, value)
                elif isinstance(value, (Mapping, Shell)):
                    deeper.append(value)
        inner = deeper
    return found


def _items(part: Any) -> dict[str, Any]:
    held = vars(part) if isinstance(part, Shell) else part if isinstance(part, Mapping) else {}
    return {key: value for key, value in held.items() if isinstance(key, str)}


def _listed(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _kind(path: str) -> int:
    words = set(path.lower().replace(".", "_").split("_"))
    for kind in (STUDENT, AVERAGED, TEACHER):
        if words & set(KINDS[kind]):
            return kind
    return PLAIN


def _state_dicts(content: Any, path: str = "", depth: int = 4) -> Iterator[tuple[str, State]]:
    """(where it is, state dict) of all that a content has, outermost first."""
    if isinstance(content, Shell) and "_modules" in vars(content):  # a whole module, as torch.save(model) writes it
        yield path, dict(_parameters(content))
        return
    parts = _items(content)
    tensors = {key: value for key, value in parts.items() if isinstance(value, torch.Tensor)}
    if tensors:
        yield path, tensors
    for key, value in parts.items():
        if depth and isinstance(value, (Mapping, Shell)) and key != "optimizer":
            yield from _state_dicts(value, f"{path}.{key}" if path else key, depth - 1)


def _heads(shell: Shell) -> Iterator[int]:
    """The numbers of heads of a whole module's attentions."""
    held = vars(shell)
    if isinstance(held.get("num_heads"), int):
        yield held["num_heads"]
    for part in _items(held.get("_modules")).values():
        if isinstance(part, Shell):
            yield from _heads(part)


def _parameters(shell: Shell, prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    held = vars(shell)
    for kind in ("_parameters", "_buffers"):
        for name, value in (held.get(kind) or {}).items():
            if isinstance(value, torch.Tensor):
                yield prefix + name, value
    for name, part in (held.get("_modules") or {}).items():
        if isinstance(part, Shell):
            yield from _parameters(part, f"{prefix}{name}.")
