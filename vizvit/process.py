"""How a process of VizViT's own begins, a command or the app: at once, and with room for what runs beside it.

A library leaves all of it to the program that imports it, so only `app.py` and `vizvit.cli` come here.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


def wait_briefly() -> None:
    """Let PyTorch's threads soon sleep while they wait for each other; before PyTorch is imported.

    OpenMP has them wait in a busy loop of 300,000 turns, which takes the processor from the very thread that they wait
    for wherever anything else runs: a small forward pass on two busy cores then takes several times as long. With none
    at all, each of a pass's many waits on a quiet machine ends a little later: a third of its time.
    """
    if "OMP_WAIT_POLICY" not in os.environ:  # a person's own choice
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def keep_freed() -> None:
    """Have the C library keep what is freed for what is asked for next, up to a gigabyte, where it is glibc.

    Otherwise it gives the memory of each batch back to the system, which hands it out anew page by page: a tenth of the
    time that a small model's captures take.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(TRIM_THRESHOLD, 2**30)
        libc.mallopt(MMAP_THRESHOLD, 2**25)  # the most there can be; to set the one above would leave it at 128 kB


@contextmanager
def for_good() -> Iterator[None]:
    """For imports: what they make stays, so the garbage collector looks at it neither meanwhile nor later.

    The objects of PyTorch and timm, gone through again and again while they become more, are a fifth of the time that
    importing them takes, going through them once more at the process's end is a second, and Streamlit has it done after
    every run. PyTorch's compiler, another third of the time, waits until something is compiled. Nothing of this where
    PyTorch is there already, and perhaps a model, which is held by a cycle: what is out of the collector's sight is
    never freed.
    """
    if "torch" in sys.modules:
        yield
        return
    gc.disable()
    try:
        with _compiler_later():
            yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _compiler_later() -> Iterator[None]:
    """For imports that ask PyTorch's compiler for little, and would import all of it, SymPy included.

    timm marks functions of its NaFlexViT as not to be compiled, and torchvision's `roi_align` takes a function from
    `torch._dynamo.utils`. Whatever else is asked of the compiler meanwhile is answered by the compiler itself.
    """
    import torch

    real = torch.compiler.disable
    utils = _UtilsLater("torch._dynamo.utils")
    sys.modules.setdefault(utils.__name__, utils)
    torch.compiler.disable = functools.partial(_disable_later, real)
    try:
        yield
    finally:
        torch.compiler.disable = real
        utils.step_aside()


class _UtilsLater(ModuleType):
    """Stands in `sys.modules` for `torch._dynamo.utils` until more than one name is wanted of it."""

    def is_compile_supported(self, device_type: str) -> Any:
        return import_module(self.__name__).is_compile_supported(device_type)

    def step_aside(self) -> None:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import machinery asks every module
            raise AttributeError(name)
        self.step_aside()
        return getattr(import_module(self.__name__), name)


def _disable_later(
    disable: Callable[..., Any], fn: Any = None, recursive: bool = True, *, reason: str | None = None
) -> Any:
    """`torch.compiler.disable` for functions that run before there is a compiler."""
    if fn is None:
        return functools.partial(_disable_later, disable, recursive=recursive, reason=reason)
    if not isinstance(fn, FunctionType):
        return disable(fn, recursive, reason=reason)

    @functools.wraps(fn)
    def disabled(*args: Any, **kwargs: Any) -> Any:
        if "torch._dynamo" not in sys.modules:
            return fn(*args, **kwargs)
        return disable(fn, recursive, reason=reason)(*args, **kwargs)

    return disabled
