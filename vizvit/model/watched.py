"""A person's module as it may be looked at: a frozen twin in eval mode that has the weights the module has by now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import ReferenceType, WeakValueDictionary, ref

import torch
from torch import nn

from .timm_parts import fuse_attention
from .twin import HOOKS, twin

# By the id of its twin, so that what is handed a twin goes on with the same module.
_MADE: WeakValueDictionary[int, Watched] = WeakValueDictionary()
_HELD = ("_modules", "_parameters", "_buffers", *HOOKS)


class Watched:
    """A module and its twin, which is made anew when the module has become another one.

    The twin shares the storage of every parameter and buffer, so that it has the weights that an optimizer step or
    `load_state_dict` has written. Parts that were replaced, or moved to another device or dtype, are noticed at the
    next look. With another device or dtype than the module's own the twin is a converted copy: it takes the memory of
    one, and keeps the weights of the moment that it was made.
    """

    def __init__(self, module: nn.Module, *, device: torch.device | None = None, dtype: torch.dtype | None = None):
        self._source: nn.Module | None = module
        self._twin: nn.Module | None = None
        self._seen: _State | None = None
        self._lent: ReferenceType[nn.Module] | None = None
        self._again: Callable[[], nn.Module] | None = None
        if _is_elsewhere(module, device, dtype):
            self._twin = frozen_twin(module).to(device=device, dtype=dtype)
            self._source = None
            _MADE[id(self._twin)] = self

    @classmethod
    def of(cls, module: nn.Module) -> Watched:
        """A watched module, which the twin of one stands for, too."""
        made = _MADE.get(id(module))
        return made if made is not None and made._twin is module else cls(module)

    def now(self) -> nn.Module:
        """The twin: eval mode, parameters that need no gradient, fused attention, no gradient checkpointing."""
        source = self._source
        if source is None:
            return self._twin or self._lent() or self._again()
        if self._twin is None or self._seen is None or not self._seen.is_as_it_was():
            self._seen = _State(source)
            self._twin = frozen_twin(source)
            _MADE[id(self._twin)] = self
        return self._twin

    def let_go(self, again: Callable[[], nn.Module]) -> None:
        """Hold the twin no longer: it is there while somebody else holds it, and then comes from `again`."""
        self._lent, self._again = ref(self.now()), again
        self._source = self._twin = self._seen = None

    def __getstate__(self) -> dict:
        """What another process needs: the weights once."""
        return vars(self) | ({} if self._source is None else {"_twin": None, "_seen": None})


class Followed:
    """The field `VitModel.module`: what is read is a twin of what was given, as that one is by now."""

    def __get__(self, vit: Any, owner: type | None = None) -> Any:
        if vit is None:
            return self
        watched = vars(vit)["_watched"]
        return None if watched is None else watched.now()

    def __set__(self, vit: Any, module: nn.Module | Watched | None) -> None:
        made = module is None or isinstance(module, Watched)
        vars(vit)["_watched"] = module if made else Watched.of(module)


def frozen_twin(module: nn.Module) -> nn.Module:
    """A twin whose parameters are tensors of their own over the same storage, in the state that looking needs.

    Mode and switches are set as attributes: `eval()` may run code of the module's own, which may write to the weights.
    """
    double = twin(module)
    own: dict[int, nn.Parameter] = {}  # a parameter that is shared by two parts is so in the twin, too
    with torch.inference_mode(False):
        for part in double.modules():
            state = vars(part)
            state["training"] = False
            if state.get("grad_checkpointing"):
                state["grad_checkpointing"] = False
            state["_backward_hooks"], state["_backward_pre_hooks"] = OrderedDict(), OrderedDict()
            for name, parameter in part._parameters.items():
                if parameter is not None:
                    if id(parameter) not in own:
                        own[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=False)
                    part._parameters[name] = own[id(parameter)]
    fuse_attention(double)
    return double


def _is_elsewhere(module: nn.Module, device: torch.device | None, dtype: torch.dtype | None) -> bool:
    tensors = [*module.parameters(), *module.buffers()]
    place = None if device is None else torch.empty(0, device=device).device
    moved = place is not None and any(tensor.device != place for tensor in tensors)
    return moved or (dtype is not None and any(t.is_floating_point() and t.dtype != dtype for t in tensors))


class _State:
    """What all parts of a module had at one moment, by identity, and where their parameters lay.

    It is asked at every look at a model: hence few steps of Python, and many comparisons in each.
    """

    def __init__(self, module: nn.Module):
        parts = list(module.modules())
        held = [vars(part)[name] for part in parts for name in _HELD]
        self.empty = [one for one in held if not one]
        # With a copy of each, since an object that is gone could leave its identity to another.
        self.seen = [(one, dict(one), list(one), *_modes(one)) for one in [*map(vars, parts), *filter(None, held)]]
        own = [p for part in parts for p in part._parameters.values() if p is not None]
        self.parameters = list({id(parameter): parameter for parameter in own}.values())
        self.places = self._places()

    def is_as_it_was(self) -> bool:
        if any(self.empty):
            return False
        for now, _, names, training, evaluating in self.seen:
            found = [*map(id, now.values())]
            if (found != training and found != evaluating) or list(now) != names:
                return False
        return self._places() == self.places

    def _places(self) -> list[tuple[int, torch.dtype, torch.device]]:
        # Module.to writes another tensor into the same parameter; the twin keeps the old one from being used again.
        return [(p.data_ptr(), p.dtype, p.device) for p in self.parameters]


def _modes(then: dict) -> tuple[list[int], list[int]]:
    """The identities of the values in both modes: a mode makes no other module."""
    training, evaluating = ({**then, "training": mode} if "training" in then else then for mode in (True, False))
    return [*map(id, training.values())], [*map(id, evaluating.values())]
