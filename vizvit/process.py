"""How a process of VizViT's own begins, a command or the app: at once, and with room for what runs beside it.

A library leaves both to the program that imports it, so only `app.py` and `vizvit.cli` come here.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def wait_briefly() -> None:
    """Let PyTorch's threads soon sleep while they wait for each other; before PyTorch is imported.

    OpenMP has them wait in a busy loop of 300,000 turns, which takes the processor from the very thread that they wait
    for wherever anything else runs: a small forward pass on two busy cores then takes several times as long. With none
    at all, each of a pass's many waits on a quiet machine ends a little later: a third of its time.
    """
    if "OMP_WAIT_POLICY" not in os.environ:  # a person's own choice
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@contextmanager
def for_good() -> Iterator[None]:
    """For imports: what they make stays, so the garbage collector looks at it neither meanwhile nor later.

    The objects of PyTorch and timm, gone through again and again while they become more, are a fifth of the time that
    importing them takes, going through them once more at the process's end is a second, and Streamlit has it done after
    every run. Nothing of this where PyTorch is there already, and perhaps a model, which is held by a cycle: what is
    out of the collector's sight is never freed.
    """
    if "torch" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
