"""What is handed in as a model: taken out of what other tools wrap around it, or refused with the way to it."""

from __future__ import annotations

import torch
from torch import nn

from ..errors import ModelError
from .timm_embedding import is_vit
from .twin import is_compiled


def unwrapped(module: nn.Module, name: str) -> nn.Module:
    """The Vision Transformer inside torch.compile, DataParallel and DistributedDataParallel, in whatever order.

    Raises ModelError for what is not a module, for a module whose code or weights are not there as such, and for one
    that holds a Vision Transformer without being one: the sentence says where it is.
    """
    if not isinstance(module, nn.Module):
        raise ModelError(
            f"A module was expected for {name}, but an object of type {type(module).__name__} was given. Give a Vision "
            f"Transformer of timm; a name or a file is opened by vizvit.load_model."
        )
    if isinstance(module, torch.jit.ScriptModule):
        raise ModelError(
            f"{name} is a scripted or traced module, whose attention cannot be seen. Wrap the module that it was made "
            f"from."
        )
    path = "net"
    while True:
        if is_compiled(module):
            module = module._orig_mod
        elif isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            module, path = module.module, f"{path}.module"
        else:
            break
    _check_whole(module, name)
    if not is_vit(module):
        _point_inside(module, name, path)
    return module


def _check_whole(module: nn.Module, name: str) -> None:
    sharded = any(type(p).__name__ == "DTensor" for p in module.parameters())
    if sharded or any(type(part).__name__ == "FullyShardedDataParallel" for part in module.modules()):
        raise ModelError(
            f"The weights of {name} are spread over several processes. Gather its full state dict, load it into a "
            f"module of its own, and wrap that."
        )


def _point_inside(module: nn.Module, name: str, path: str) -> None:
    """ModelError where there is a Vision Transformer further in."""
    found: dict[str, nn.Module] = {}
    for place, part in module.named_modules():
        if is_vit(part) and not any(place.startswith(f"{outer}.") for outer in found):
            found[place] = part
    if not found:
        return
    places = [_attribute(path, place) for place in found if "_orig_mod" not in place.split(".")[-1]] or [path]
    several = " or ".join(places[:3])
    raise ModelError(
        f"{name} ({type(module).__name__}) is not a Vision Transformer itself but holds "
        f"{'one' if len(places) == 1 else str(len(places))}: wrap {several}. What {type(module).__name__} does around "
        f"it is not looked at then."
    )


def _attribute(path: str, place: str) -> str:
    for name in place.split("."):
        path += f"[{name}]" if name.isdigit() else "" if name == "_orig_mod" else f".{name}"
    return path
