"""Measuring a model on labelled pictures: how often it is right, and whether its attention finds the object."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from ..analysis import attention_map, rollout
from ..errors import ImageError, ModelError
from ..forward.capture import run as capture_view
from ..model.vit import VitModel
from ..pictures.load import load_image
from .sources import Source

BATCH = 128
HALF = 0.5  # objects that fill more of the picture are no test: nearly everything points at them
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """Shares from 0 to 1.

    count: pictures that could be read; broken: (name, reason) of the others.
    pointing: the share of hits of each way to point at the object, "last layer" (class-token attention, mean of heads)
    and "rollout" among them, over the `objects` pictures whose box is smaller than half the picture; empty without
    boxes. A hit: the centre of the map's greatest patch lies inside the box. "centre" always points at the middle of
    the picture, "chance" at any patch.
    """

    count: int
    top1: float
    top5: float
    objects: int
    pointing: dict[str, float]
    broken: tuple[tuple[str, str], ...]


@torch.no_grad()
def evaluate(vit: VitModel, source: Source, *, progress: Progress | None = None) -> Evaluation:
    """Top-1, top-5 and the pointing game over all rows, through the preprocessing that the model has in the app.

    Raises ModelError for labels that the model does not have, before the first picture is read.
    """
    source = _with_labels_of(vit, source)
    broken: list[tuple[str, str]] = []
    first = fifth = count = 0
    hits: dict[str, list[float]] = {}
    for rows, views, sizes in _batches(vit, source, broken):
        pixels = torch.cat([vit.normalise(view) for view in views])
        logits = vit.module(pixels).float().cpu()
        best = logits.topk(min(5, logits.shape[1])).indices.numpy() == source.labels[rows, None]  # [picture, 5]
        first, fifth, count = first + int(best[:, 0].sum()), fifth + int(best.any(axis=1).sum()), count + len(rows)
        if source.boxes is not None:
            for index, row in enumerate(rows):
                for name, hit in point(vit, views[index], pixels[index][None], sizes[index], source.boxes[row]).items():
                    hits.setdefault(name, []).append(hit)
        if progress:
            progress(count + len(broken), len(source))
    if not count:
        raise ModelError(f"None of {len(source)} pictures can be read; {broken[0][0]}: {broken[0][1]}")
    pointing = {name: float(np.mean(found)) for name, found in hits.items()}
    objects = len(next(iter(hits.values()), ()))
    return Evaluation(count, first / count, fifth / count, objects, pointing, tuple(broken))


def point(
    vit: VitModel, view: np.ndarray, pixels: torch.Tensor, size: tuple[int, int], box: np.ndarray
) -> dict[str, float]:
    """Whether each way to point hits the box; empty where the object fills half the picture, or is cropped away.

    box: x0, y0, x1, y1 in pixels of the original of `size` (width, height), both ends inclusive.
    """
    width, height = size
    x0, y0, x1, y1 = (int(value) for value in box)
    if (x1 - x0 + 1) * (y1 - y0 + 1) >= HALF * width * height:
        return {}
    # The box takes the picture's way through resizing and cropping.
    drawn = np.zeros((height, width, 3), np.uint8)
    drawn[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1] = 255
    inside = vit.view(Image.fromarray(drawn))[:, :, 0] > 127  # [pixel row, pixel column]
    grid = vit.grid
    half = grid.patch_size // 2
    centres = inside[half :: grid.patch_size, half :: grid.patch_size]  # [rows, cols]
    if not inside.any():
        return {}
    cap = capture_view(vit, view, pixels)
    maps = {"last layer": attention_map(cap, -1), "rollout": rollout(cap)}
    found = {name: float(centres.flat[heat.argmax()]) for name, heat in maps.items()}
    middle = inside[inside.shape[0] // 2, inside.shape[1] // 2]
    return found | {"centre": float(middle), "chance": float(centres.mean())}


def _batches(
    vit: VitModel, source: Source, broken: list[tuple[str, str]]
) -> Iterator[tuple[np.ndarray, list[np.ndarray], list[tuple[int, int]]]]:
    """(rows, views, sizes of the originals) of the pictures that can be read; the others are added to `broken`."""

    def one(row: int) -> tuple[np.ndarray, tuple[int, int]] | str:
        try:
            image = load_image(source.picture(row))
        except (ImageError, OSError) as error:
            return str(error)
        return vit.view(image), image.size

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(source), BATCH):
            rows = range(start, min(start + BATCH, len(source)))
            found = list(pool.map(one, rows))
            broken += [(source.names[row], got) for row, got in zip(rows, found, strict=True) if isinstance(got, str)]
            good = [(row, *got) for row, got in zip(rows, found, strict=True) if not isinstance(got, str)]
            if good:
                kept, views, sizes = zip(*good, strict=True)
                yield np.asarray(kept), list(views), list(sizes)


def _with_labels_of(vit: VitModel, source: Source) -> Source:
    """The source with a folder's classes as the model counts them."""
    if not vit.labels:
        raise ModelError(f"{vit.name} has no classifier, so it cannot be right or wrong. Choose a model with classes.")
    named = source.classes and vit.labels[0] != "class 0" and source.classes != vit.labels
    if named:
        order = np.asarray([vit.class_index(name) for name in source.classes])
        return replace(source, labels=order[source.labels])
    wrong = np.flatnonzero(source.labels >= len(vit.labels))
    if len(wrong):
        raise ModelError(
            f"{source.names[wrong[0]]} has the label {source.labels[wrong[0]]}, but {vit.name} has classes 0 to "
            f"{len(vit.labels) - 1}. Evaluate it on data of the same classes."
        )
    return source
