"""Captures of several pictures from one forward pass, each as `vizvit.capture` would have made it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from PIL import Image

from ..errors import CaptureError, ImageError
from ..model.outputs import leading
from ..model.vit import VitModel
from ..pictures.load import Source, load_image
from .call import own
from .capture import Capture
from .recorder import Recorder, forward


def captures(
    vit: VitModel, pictures: Iterable[Source], *, batch: int = 16, target: int | str | None = None
) -> Iterator[Capture]:
    """A capture of each picture in turn, as `capture` makes them, from forward passes over several at a time.

    pictures: PIL images or what `load_image` takes; read when their turn comes, so that there may be any number.
    batch: pictures in one pass; so many captures are held at a time, those that the caller keeps aside.
    target: a class index or name for all pictures; keeps the gradients that `gradient_rollout` and `relevance` need.
    Raises ImageError at a picture that cannot be read, with its number, after the captures of those before it; else
    as `capture`.
    """
    if isinstance(batch, bool) or not isinstance(batch, int | np.integer) or batch < 1:
        raise CaptureError(f"A batch is a whole number from 1; received {batch!r}.")
    if isinstance(pictures, str | bytes | os.PathLike | Image.Image) or not isinstance(pictures, Iterable):
        raise CaptureError(
            f"Several pictures were expected, such as a list of paths; received one {type(pictures).__name__}. "
            f'Give a list, for a folder sorted(Path("photos").glob("*.jpg")); for one picture use vizvit.capture.'
        )
    return _stream(vit, iter(pictures), int(batch), None if target is None else vit.class_index(target))


def _stream(vit: VitModel, pictures: Iterator[Source], batch: int, target: int | None) -> Iterator[Capture]:
    number, broken = 0, None
    while broken is None:
        views: list[np.ndarray] = []
        for picture in islice(pictures, batch):
            try:
                views.append(vit.view(picture if isinstance(picture, Image.Image) else load_image(picture)))
            except ImageError as error:
                broken = ImageError(f"Picture {number + len(views)}, counted from 0: {error}")
                break
        if not views:
            break
        number += len(views)
        found = capture_views(vit, views, gradients=target is not None, target=target)[::-1]
        while found:
            yield found.pop()  # held no longer than the caller does
    if broken is not None:
        raise broken


def capture_views(
    vit: VitModel, views: Sequence[np.ndarray], *, gradients: bool = False, target: int | None = None
) -> list[Capture]:
    """One capture a view, uint8 [H, W, 3], from one pass; with the gradients of the target where asked for, by default
    of each picture's predicted class (of a model of values, of the first).

    Memory: as many single captures, and with gradients the graph of one forward pass over all of them.
    Raises CaptureError as `capture`, and ModelError for gradients of a model without classes.
    """
    if gradients:
        vit.class_index(0)
    count = vit.num_layers
    recorder = _BatchRecorder(count, len(views), gradients)
    pixels = vit.normalise_all(views)
    with torch.set_grad_enabled(gradients):
        logits = forward(vit, recorder, pixels.requires_grad_(gradients))
    if recorder.features is not None:
        for mine, row in zip(recorder.each, recorder.features.split(1), strict=True):
            mine.features = own(row)
    for index, mine in enumerate(recorder.each):
        mine.norms = [None if norms is None else norms[index : index + 1] for norms in recorder.norms]
    if not gradients:
        each = zip(views, logits.split(1), recorder.each, strict=True)
        return [Capture(vit, view, row, mine, None) for view, row, mine in each]
    targets = (
        leading(vit.outputs, logits) if target is None else logits.new_full((len(views),), target, dtype=torch.long)
    )
    outputs = recorder.outputs[:count] + recorder.outputs[count:][-1:]
    # A picture's logit depends on no other picture, so that the sum's gradient is each one's own.
    with torch.enable_grad():  # also where the caller has switched gradients off
        chosen = logits.gather(1, targets[:, None]).sum()
        found = torch.autograd.grad(chosen, outputs, allow_unused=True)
    found = [torch.zeros_like(o) if g is None else g for g, o in zip(found, outputs, strict=True)]
    done = []
    for index, (view, mine) in enumerate(zip(views, recorder.each, strict=True)):
        mine.layers = [[replace(call, output=None)] for (call,) in mine.layers]
        mine.elsewhere = [replace(call, output=None) for call in mine.elsewhere[-1:]]
        gradients_of = [own(gradient[index]) for gradient in found]
        pool_gradient = gradients_of[-1] if mine.elsewhere else None
        row, layers = logits[index : index + 1], gradients_of[:count]
        done.append(Capture(vit, view, row, mine, int(targets[index]), layers, pool_gradient))
    return done


class _BatchRecorder(Recorder):
    """Files each attention call picture by picture: `each` has a recorder of one picture for every picture."""

    def __init__(self, num_layers: int, pictures: int, gradients: bool):
        super().__init__(num_layers)
        self.each = [Recorder(num_layers, gradients=gradients) for _ in range(pictures)]
        self.outputs: list[torch.Tensor] = []  # of whole batches, in the graph
        for one in self.each:
            one.extras, one.silenced = self.extras, self.silenced

    def _record(
        self,
        out: torch.Tensor,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        *args,
        **kwargs,
    ) -> None:
        pictures = len(self.each)
        if self.running is not None or any(self.layers):
            self.outputs.append(out)
        for index, one in enumerate(self.each):
            mine = slice(index, index + 1)
            own_mask = isinstance(attn_mask, torch.Tensor) and attn_mask.ndim == 4 and len(attn_mask) == pictures > 1
            mask = attn_mask[mine] if own_mask else attn_mask
            one.running = self.running
            one._record(out[mine], query[mine], key[mine], value[mine], mask, *args, **kwargs)
        self.layers, self.elsewhere = self.each[0].layers, self.each[0].elsewhere
