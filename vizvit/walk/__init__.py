"""Each stage of a Vision Transformer by hand, from its input and the weights, beside what the model computed.

    a = dissect(vit, view, layer=8)
    walk.scores(a, token=a.grid.token(5, 9), head=2).attention

A stage returns a frozen dataclass of float32 NumPy arrays. Its `difference` is the greatest absolute difference from
what the model itself computed for that step. A stage that an architecture does not have raises `Absent`.

A name is imported when it is first used: lessons and the list of stages need not wait for PyTorch.
"""

from importlib import import_module
from typing import Any

from .stages import STAGES

# Where a name is looked for, in turn; no file is called as a name is, so that importing a file hides nothing.
_FILES = (*dict.fromkeys(stage.by_hand.partition(".")[0] for stage in STAGES), "formulas", "spine")


def __getattr__(name: str) -> Any:
    for file in () if name.startswith("_") else _FILES:
        module = import_module(f".{file}", __name__)
        value = getattr(module, name, None)
        if getattr(value, "__module__", "") == module.__name__:
            return globals().setdefault(name, value)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
