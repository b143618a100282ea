"""A twin of a module: the same parameters in a structure of its own, which may be watched and changed freely."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from types import CellType, FunctionType, MethodType
from typing import Any

from torch import nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks")  # what takes part in a forward pass


def twin(module: nn.Module) -> nn.Module:
    """A structural copy: every submodule is a shallow copy, all parameters and buffers are the original's own tensors.

    Hooks that are put on the twin, and parts or parameters that are replaced in it, never show in the original, which
    other threads may be using. A submodule that occurs twice in the module is one submodule in the twin, too. Hooks
    that the original has are the twin's as well. What torch.compile has wrapped is the module inside. Methods and
    functions that were put in a part's place and hold on to parts of the original hold on to the twin's.
    """
    done: dict[int, nn.Module] = {}
    double = _copy(module, done)
    rebound = _Rebinding(done)
    for part in set(done.values()):
        own = vars(part)
        for name, value in own.items():
            if type(value) in _CHANGES and (name in HOOKS or not name.startswith("_")):
                own[name] = rebound(value)
    return double


def stand_in(module: nn.Module) -> nn.Module:
    """A shallow copy whose direct parts may be replaced: everything below them is the module's own."""
    double = object.__new__(type(module))
    own, rebound = vars(double), _Rebinding({id(module): double})
    own.update(vars(module))
    own["_modules"] = dict(module._modules)
    for name, value in own.items():
        if type(value) in _CHANGES and not name.startswith("_"):
            own[name] = rebound(value)
    return double


def _copy(module: nn.Module, done: dict[int, nn.Module]) -> nn.Module:
    if id(module) in done:
        return done[id(module)]
    if is_compiled(module):
        done[id(module)] = _copy(module._orig_mod, done)
        return done[id(module)]
    double = done[id(module)] = object.__new__(type(module))  # copy.copy may run code of the module's own
    own = vars(double)
    own.update(vars(module))
    own.pop("_compiled_call_impl", None)  # of module.compile(): it would run the original
    for name, value in own.items():
        # A module keeps its parts, parameters, buffers and hooks in dicts (and one set) of its own.
        if name.startswith("_") and isinstance(value, (dict, set)):
            own[name] = value.copy()
    for name, part in double._modules.items():
        if part is not None:
            double._modules[name] = _copy(part, done)
    return double


def is_compiled(module: nn.Module) -> bool:
    """Whether it is what `torch.compile(module)` gives."""
    return isinstance(module._modules.get("_orig_mod"), nn.Module)


class _Rebinding:
    """What a module keeps, with the twin's parts in place of the original's; the thing itself where it holds none."""

    def __init__(self, parts: dict[int, nn.Module]):
        self.parts = parts
        self.open: set[int] = set()  # what holds itself ends here

    def __call__(self, thing: Any) -> Any:
        change = _CHANGES.get(type(thing))
        if change is None:
            return self.parts.get(id(thing), thing) if isinstance(thing, nn.Module) else thing
        if id(thing) in self.open:
            return thing
        self.open.add(id(thing))
        try:
            return change(self, thing)
        finally:
            self.open.discard(id(thing))

    def all(self, things: Iterable) -> list | None:
        """Each rebound; None where none of them changes."""
        things = list(things)
        found = [self(thing) for thing in things]
        return None if all(map(operator.is_, found, things)) else found

    def sequence(self, things: list | tuple) -> Any:
        found = self.all(things)
        return things if found is None else type(things)(found)

    def mapping(self, things: dict) -> dict:
        found = self.all(things.values())
        return things if found is None else type(things)(zip(things, found, strict=True))

    def method(self, method: MethodType) -> MethodType:
        holder = self(method.__self__)
        return method if holder is method.__self__ else MethodType(method.__func__, holder)

    def partly(self, call: partial) -> partial:
        found = self.all((call.func, *call.args, *call.keywords.values()))
        if found is None:
            return call
        count = 1 + len(call.args)
        return partial(found[0], *found[1:count], **dict(zip(call.keywords, found[count:], strict=True)))

    def function(self, function: FunctionType) -> Any:
        inside = vars(function).get("_torchdynamo_orig_callable")  # torch.compile(module.forward)
        if inside is not None:
            return self(inside)
        cells = [cell for cell in function.__closure__ or () if _is_filled(cell)]
        found = self.all(cell.cell_contents for cell in cells)
        if found is None:
            return function
        own = {id(cell): CellType(thing) for cell, thing in zip(cells, found, strict=True)}
        closure = tuple(own.get(id(cell), cell) for cell in function.__closure__)
        parts = (function.__code__, function.__globals__, function.__name__, function.__defaults__, closure)
        double = FunctionType(*parts)
        double.__kwdefaults__ = function.__kwdefaults__
        return double


_CHANGES: dict[type, Callable[[_Rebinding, Any], Any]] = {
    list: _Rebinding.sequence,
    tuple: _Rebinding.sequence,
    dict: _Rebinding.mapping,
    OrderedDict: _Rebinding.mapping,
    MethodType: _Rebinding.method,
    partial: _Rebinding.partly,
    FunctionType: _Rebinding.function,
}


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
