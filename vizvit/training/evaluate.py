"""Measuring a model on labelled pictures: how often it is right, and whether its attention finds the object."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..analysis import attention_map, relevance, rollout
from ..analysis.pointing import box_mask, patch_centres, points_inside
from ..errors import ImageError, ModelError
from ..forward.batch import capture_views
from ..forward.capture import Capture
from ..model.vit import VitModel
from ..pictures.load import load_image
from .sources import Source

BATCH = 64
FEW = 5  # classes of which "among the first five" says nothing
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Evaluation:
    """Shares from 0 to 1.

    count: pictures that could be read; broken: (name, reason) of the others. top5: None where there are five classes
    or fewer.
    pointing: the share of hits of each way to point at the object, over the `objects` pictures whose box is smaller
    than half the picture; empty without boxes. A hit: the centre of the map's greatest patch lies inside the box.
    "last layer" is class-token attention, mean of heads; "best head" the head of that layer that hits most often,
    chosen on these pictures, `best_head`; "rollout" and "relevance" (of the predicted class) go through all layers;
    "centre" always points at the middle of the picture, "chance" at any patch.
    """

    count: int
    top1: float
    top5: float | None
    objects: int
    pointing: dict[str, float]
    broken: tuple[tuple[str, str], ...]
    best_head: int | None = None


@torch.no_grad()
def evaluate(vit: VitModel, source: Source, *, progress: Progress | None = None) -> Evaluation:
    """Top-1, top-5 and the pointing game over all rows, through the preprocessing that the model has in the app.

    Raises ModelError for labels that the model does not have, before the first picture is read.
    """
    source = with_labels_of(vit, source)
    broken: list[tuple[str, str]] = []
    first = fifth = count = 0
    hits: dict[str, list[float]] = {}
    heads: list[np.ndarray] = []
    for rows, views, sizes in batches(vit, source, broken):
        boxed: list[np.ndarray | None] = [None] * len(rows)
        if source.boxes is not None:
            boxed = [box_mask(vit, size, source.boxes[row][None]) for row, size in zip(rows, sizes, strict=True)]
        logits = np.empty((len(rows), len(vit.labels)), np.float32)
        for some, gradients in ((_without(boxed), False), (_with(boxed), True)):
            if not some:
                continue
            found = capture_views(vit, [views[index] for index in some], gradients=gradients)
            for index, cap in zip(some, found, strict=True):
                logits[index] = cap.logits
                if not gradients:
                    continue
                pointed, hit_by = point(cap, boxed[index])
                heads.append(hit_by)
                for name, hit in pointed.items():
                    hits.setdefault(name, []).append(hit)
        best = np.argsort(-logits, axis=1, kind="stable")[:, :5] == source.labels[rows, None]  # [picture, 5]
        first, fifth, count = first + int(best[:, 0].sum()), fifth + int(best.any(axis=1).sum()), count + len(rows)
        if progress:
            progress(count + len(broken), len(source))
    if not count:
        raise ModelError(f"None of {len(source)} pictures can be read; {broken[0][0]}: {broken[0][1]}")
    pointing = {name: float(np.mean(found)) for name, found in hits.items()}
    best_head = None
    if heads:
        shares = np.mean(heads, axis=0)
        best_head = int(shares.argmax())
        names = ("last layer", "rollout", "relevance", "centre", "chance")
        pointing = {"last layer": pointing["last layer"], "best head": float(shares[best_head])} | {
            name: pointing[name] for name in names[1:]
        }
    top5 = fifth / count if len(vit.labels) > FEW else None
    return Evaluation(count, first / count, top5, len(heads), pointing, tuple(broken), best_head)


def point(cap: Capture, inside: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Whether each way to point hits what lies inside, bool [H, W] of the view; and [head] of the last layer's heads.

    The capture has the gradients of the predicted class.
    """
    grid = cap.grid
    maps = {"last layer": attention_map(cap, -1), "rollout": rollout(cap), "relevance": relevance(cap)}
    found = {name: points_inside(heat, inside, grid) for name, heat in maps.items()}
    heads = [points_inside(attention_map(cap, -1, head=head), inside, grid) for head in range(cap.num_heads)]
    middle = inside[inside.shape[0] // 2, inside.shape[1] // 2]
    chance = patch_centres(inside, grid).mean()
    return found | {"centre": float(middle), "chance": float(chance)}, np.asarray(heads)


def batches(
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


def with_labels_of(vit: VitModel, source: Source) -> Source:
    """The source with a folder's classes as the model counts them."""
    if not vit.labels:
        raise ModelError(f"{vit.name} has no classifier, so it cannot be right or wrong. Choose a model with classes.")
    if vit.outputs == "value":
        raise ModelError(
            f"{vit.name} gives values, not classes: no label is right or wrong about it. Choose a model with classes."
        )
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


def _with(boxed: list[np.ndarray | None]) -> list[int]:
    return [index for index, inside in enumerate(boxed) if inside is not None]


def _without(boxed: list[np.ndarray | None]) -> list[int]:
    return [index for index, inside in enumerate(boxed) if inside is None]
