"""From an encoded picture to what the model sees of it, on the machine's other cores where asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite
from typing import NamedTuple

import numpy as np
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..analysis.pointing import box_mask
from ..errors import ImageError, ModelError
from ..model.vit import VitModel
from ..pictures.collection import Item, Place
from ..pictures.load import load_image
from .plan import Plan, Shard


@dataclass(frozen=True)
class Prepared:
    """One picture ready for the model, or the reason why there is none.

    view: uint8 [H, W, 3]. inside: bool [H, W], the pixels of the view in an object's box; None without boxes, and
    where the objects fill half the picture or are cropped away.
    boxes: how many there are, None without any; bad_boxes: why some cannot be used, a reason each.
    """

    name: str
    label: int | str | None
    view: np.ndarray | None = None
    inside: np.ndarray | None = None
    error: str | None = None
    boxes: int | None = None
    bad_boxes: tuple[str, ...] = ()


def prepare(vit: VitModel, item: Item) -> Prepared:
    """Decode, resize and crop as the model's evaluation does; a broken picture becomes its reason."""
    try:
        image = load_image(item.encoded)
    except (ImageError, OSError) as error:
        return Prepared(item.name, item.label, error=str(error))
    if item.boxes is None:
        return Prepared(item.name, item.label, vit.view(image))
    boxes, bad = usable_boxes(item.boxes, image.size)
    inside = box_mask(vit, image.size, boxes)
    return Prepared(item.name, item.label, vit.view(image), inside, boxes=len(item.boxes), bad_boxes=tuple(bad))


def usable_boxes(boxes: list, size: tuple[int, int]) -> tuple[np.ndarray, list[str]]:
    """(the boxes that lie in the picture, at least in part, float64 [n, 4]; why the others cannot be used).

    boxes: as `Item` has them; size: the picture's width and height.
    """
    good, bad = [], []
    for box in boxes:
        reason = _unusable(box, *size)
        if reason:
            bad.append(f"{box}: {reason}")
        else:
            good.append(box)
    return np.array(good, np.float64).reshape(-1, 4), bad


def _unusable(box: object, width: int, height: int) -> str | None:
    if not isinstance(box, list) or len(box) != 4:
        return "not four numbers"
    if not all(isinstance(value, (int, float)) and isfinite(value) for value in box):
        return "not four numbers"
    x0, y0, x1, y1 = box
    if x1 < x0 or y1 < y0:
        return "its end lies before its beginning"
    outside = x1 < 0 or y1 < 0 or x0 >= width or y0 >= height
    return f"outside the picture of {width} × {height} pixels" if outside else None


class Batch(NamedTuple):
    """Some pictures of one shard, and whether they are its last. digest: the shard's, as it was when they were read.

    error: why there are none and nothing comes after them.
    """

    shard: int
    digest: str
    last: bool
    pictures: list[Prepared]
    error: str | None = None


class Batches(IterableDataset):
    """Every `Batch` in the order of the plan; none crosses a shard's end.

    begun: how many pictures of a shard are past.

    Each of the loader's processes reads and decodes every n-th batch.
    """

    def __init__(self, plan: Plan, finished: Collection[int], vit: VitModel, batch: int, begun: Mapping[int, int]):
        # The processes that decode need no weights.
        self._vit, self._plan, self._finished, self._batch = replace(vit, module=None), plan, finished, batch
        self._begun = begun

    def __iter__(self) -> Iterator[Batch]:
        try:
            yield from self._read()
        except ModelError as error:  # from another process, torch would make its message a trace
            yield Batch(-1, "", False, [], str(error))

    def _read(self) -> Iterator[Batch]:
        info = get_worker_info()
        mine, every = (info.id, info.num_workers) if info else (0, 1)
        chosen = (found for number, found in enumerate(self._cut()) if number % every == mine)
        waiting: list[tuple[Shard, bool, int]] = []  # (shard, last, pictures) of the batches that `read` is ahead of

        def places() -> Iterator[Place]:
            for shard, last, some in chosen:
                waiting.append((shard, last, len(some)))
                yield from some

        items = self._plan.pictures.read(places())
        for item in items:
            shard, last, size = waiting.pop(0)
            pictures = [prepare(self._vit, found) for found in (item, *islice(items, size - 1))]
            yield Batch(shard.number, shard.digest, last, pictures)

    def _cut(self) -> Iterator[tuple[Shard, bool, Sequence[Place]]]:
        for shard in self._plan.shards():
            if shard.number in self._finished:
                continue
            for start in range(self._begun.get(shard.number, 0), len(shard.places), self._batch):
                end = start + self._batch
                yield shard, end >= len(shard.places), shard.places[start:end]


def loader(batches: Batches, workers: int) -> DataLoader:
    """The batches in order, prepared `workers` processes ahead; 0 prepares them in this one."""
    return DataLoader(batches, batch_size=None, num_workers=workers, prefetch_factor=2 if workers else None)
