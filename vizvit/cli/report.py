"""What the commands tell the person: one line a picture on stdout, progress and errors on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tqdm import tqdm

from ..numbers import megabytes

if TYPE_CHECKING:
    from ..forward.capture import Capture
    from ..model.vit import VitModel


NAMED = 3  # labels or values of a picture in its line


def one_line(text: str) -> str:
    """The text without line breaks and control characters, which a file's name may hold."""
    return "".join(c if c.isprintable() or "\udc80" <= c <= "\udcff" else "?" for c in " ".join(text.split()))


def tell(line: str) -> None:
    """A line of result, above a progress bar where there is one."""
    tqdm.write(one_line(line), file=sys.stdout)


def say(message: str) -> None:
    """A line for the person that is no result: an error, a count."""
    tqdm.write(f"vizvit: {one_line(message)}", file=sys.stderr)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def progress(things: list, unit: str) -> tqdm:
    """The things, with a bar on a terminal where there are several."""
    silent = len(things) < 2 or not sys.stderr.isatty()
    return tqdm(things, unit=unit, disable=silent, leave=False, file=sys.stderr)


class Download:
    """A progress bar for the bytes of a model; on no terminal, one line."""

    def __init__(self, name: str):
        self._name = name
        self._bar: tqdm | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            silent = not sys.stderr.isatty()
            if silent:
                say(f"downloading {self._name}, {megabytes(total)} MB.")
            self._bar = tqdm(
                desc=f"Downloading {self._name}",
                total=total,
                unit="B",
                unit_scale=True,
                disable=silent,
                leave=False,
                file=sys.stderr,
            )
        self._bar.update(done - self._bar.n if not self._bar.disable else 0)

    def __enter__(self) -> Callable[[int, int], None]:
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()


def weights_note(vit: VitModel) -> str:
    """Of which model and weights a figure speaks, for its caption: sentences with their full stop."""
    height, width = vit.grid.image_size
    half = ", half precision" if vit.precision == "float16" else ""
    grey = ", seen in grey" if vit.channels == 1 else ""
    note = f"{vit.name}, {vit.weights}, {width}×{height} px input{grey}{half}."
    return note if vit.trained else f"{note} Untrained, it shows how the network is built, not what it learned."


def prediction(cap: Capture) -> str:
    """What the model gives: the likeliest class with its probability; the labels that are likelier than not, or the
    likeliest; the first values; or why there is nothing to name."""
    from ..model.outputs import foremost, written

    if not cap.trained:
        return "untrained weights"
    kind, found = cap.vit.outputs, cap.predictions
    if not len(found):
        return f"no classifier, {len(cap.features)} features"
    shown = foremost(kind, found, 1 if kind == "softmax" else NAMED)
    if kind == "sigmoid":
        shown = [index for index in shown if found[index] >= 0.5] or shown[:1]
    told = ", ".join(f"{cap.vit.short_label(index)} {written(kind, found[index])}" for index in shown)
    return told + (", …" if kind == "value" and len(found) > NAMED else "")
