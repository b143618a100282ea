"""From an encoded picture to what the model sees of it, on the machine's other cores where asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..errors import ImageError
from ..image import load_image
from ..model import VitModel
from .pictures import Item
from .plan import Plan

LARGEST = 0.5  # objects that fill more of the picture are no test: nearly everything points at them


@dataclass(frozen=True)
class Prepared:
    """One picture ready for the model, or the reason why there is none.

    view: uint8 [H, W, 3]. inside: bool [H, W], the pixels of the view in an object's box; None without boxes, and
    where the objects fill half the picture or are cropped away.
    """

    name: str
    label: int | str | None
    view: np.ndarray | None = None
    inside: np.ndarray | None = None
    error: str | None = None


def prepare(vit: VitModel, item: Item) -> Prepared:
    """Decode, resize and crop as the model's evaluation does; a broken picture becomes its reason."""
    try:
        image = load_image(item.encoded)
    except (ImageError, OSError) as error:
        return Prepared(item.name, item.label, error=str(error))
    inside = None if item.boxes is None else box_mask(vit, image.size, item.boxes)
    return Prepared(item.name, item.label, vit.view(image), inside)


def box_mask(vit: VitModel, size: tuple[int, int], boxes: np.ndarray) -> np.ndarray | None:
    """The pixels of the view that lie in a box, bool [H, W]: boxes go the picture's way through resizing and cropping.

    size: width and height of the original; boxes: [n, (x0, y0, x1, y1)] in its pixels, both ends inclusive.
    """
    width, height = size
    drawn = np.zeros((height, width), np.uint8)
    for x0, y0, x1, y1 in np.rint(boxes).astype(int):
        drawn[max(0, y0) : max(0, y1 + 1), max(0, x0) : max(0, x1 + 1)] = 255
    if (drawn > 0).mean() >= LARGEST:
        return None
    inside = vit.view(Image.fromarray(drawn))[:, :, 0] > 127
    return inside if inside.any() else None


class Batches(IterableDataset):
    """(shard, is it the shard's last, pictures) in the order of the plan; a batch never crosses a shard's end.

    Each of the loader's processes reads and decodes every n-th batch.
    """

    def __init__(self, plan: Plan, finished: frozenset[int], vit: VitModel, batch: int):
        # The processes that decode need no weights.
        self._vit, self._plan, self._finished, self._batch = replace(vit, module=None), plan, finished, batch

    def __iter__(self) -> Iterator[tuple[int, bool, list[Prepared]]]:
        info = get_worker_info()
        mine, every = (info.id, info.num_workers) if info else (0, 1)
        chosen = (found for number, found in enumerate(self._cut()) if number % every == mine)
        waiting: list[tuple[int, bool, int]] = []  # (shard, last, pictures) of the batches that `read` is ahead of

        def places() -> Iterator:
            for shard, last, some in chosen:
                waiting.append((shard, last, len(some)))
                yield from some

        items = self._plan.pictures.read(places())
        for item in items:
            shard, last, size = waiting.pop(0)
            yield shard, last, [prepare(self._vit, found) for found in (item, *islice(items, size - 1))]

    def _cut(self) -> Iterator[tuple[int, bool, list]]:
        for shard in self._plan.shards():
            if shard.number in self._finished:
                continue
            for start in range(0, len(shard.places), self._batch):
                end = start + self._batch
                yield shard.number, end >= len(shard.places), shard.places[start:end]


def loader(batches: Batches, workers: int) -> DataLoader:
    """The batches in order, prepared `workers` processes ahead; 0 prepares them in this one."""
    return DataLoader(batches, batch_size=None, num_workers=workers, prefetch_factor=2 if workers else None)
