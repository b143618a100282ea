"""A twin of a module: the same parameters in a structure of its own, which may be watched and changed freely."""

from __future__ import annotations

import copy
from types import MethodType

from torch import nn


def twin(module: nn.Module) -> nn.Module:
    """A structural copy: every submodule is a shallow copy, all parameters and buffers are the original's own tensors.

    Hooks that are put on the twin, and parts or parameters that are replaced in it, never show in the original, which
    other threads may be using. A submodule that occurs twice in the module is one submodule in the twin, too. Hooks
    that the original has are the twin's as well.
    """
    return _copy(module, {})


def _copy(module: nn.Module, done: dict[int, nn.Module]) -> nn.Module:
    if id(module) in done:
        return done[id(module)]
    double = done[id(module)] = copy.copy(module)
    for name, value in vars(double).items():
        # A module keeps its parts, parameters, buffers and hooks in dicts (and one set) of its own.
        if name.startswith("_") and isinstance(value, (dict, set)):
            vars(double)[name] = value.copy()
        elif isinstance(value, MethodType) and value.__self__ is module:  # it would run the original's parts
            vars(double)[name] = MethodType(value.__func__, double)
    for name, part in double._modules.items():
        if part is not None:
            double._modules[name] = _copy(part, done)
    return double
