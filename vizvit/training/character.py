"""What a model has learned of places: how far its heads look, and what it loses without position embeddings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..analysis import head_statistics
from ..analysis.heads import patch_distances
from ..errors import CaptureError
from ..forward.batch import capture_views
from ..interventions import PositionEmbedding, intervene
from ..model.vit import VitModel
from .evaluate import batches, with_labels_of
from .sources import Source

LOOKS = 200  # pictures whose attention is measured
ANSWERS = 1000  # pictures that are answered with changed positions


@dataclass(frozen=True)
class Character:
    """Means over some pictures.

    distance: [layer][head], pixels of the model's input; even_distance: of attention that is alike everywhere.
    entropy: [layer][head], nats; even_entropy: of such attention. looks: pictures of both.
    positions: top-1 as it is and with position embeddings zeroed and shuffled, over `answers` pictures; empty for a
    model without them.
    """

    looks: int
    distance: list[list[float]]
    even_distance: float
    entropy: list[list[float]]
    even_entropy: float
    answers: int
    positions: dict[str, float]


@torch.no_grad()
def character(vit: VitModel, source: Source) -> Character:
    """Measured on pictures spread over the source, the broken ones left out."""
    source = with_labels_of(vit, source)
    distance, entropy = [], []
    for _, views, _ in batches(vit, _spread(source, LOOKS), []):
        for cap in capture_views(vit, views):
            found = head_statistics(cap)
            distance.append(found["distance"])
            entropy.append(found["entropy"])
    answered = _spread(source, ANSWERS)
    positions = {"as they are": _top1(vit, answered)}
    try:
        for name, how in (("zeroed", "zero"), ("shuffled", "shuffle")):
            with intervene(vit, PositionEmbedding(how)) as changed:
                positions[name] = _top1(changed, answered)
    except CaptureError:  # a model without positions, or whose positions cannot be moved
        positions = {}
    return Character(
        looks=len(distance),
        distance=np.mean(distance, axis=0).tolist(),
        even_distance=float(patch_distances(vit.grid).mean()),
        entropy=np.mean(entropy, axis=0).tolist(),
        even_entropy=math.log(vit.grid.num_tokens),
        answers=len(answered),
        positions=positions,
    )


def _top1(vit: VitModel, source: Source) -> float:
    right = [
        vit.module(vit.normalise_all(views)).argmax(1).cpu().numpy() == source.labels[rows]
        for rows, views, _ in batches(vit, source, [])
    ]
    return float(np.concatenate(right).mean())


def _spread(source: Source, count: int) -> Source:
    """Rows at even distances."""
    if count >= len(source):
        return source
    which = np.linspace(0, len(source) - 1, count).astype(int)
    return replace(
        source,
        encoded=[source.encoded[row] for row in which],
        names=[source.names[row] for row in which],
        labels=source.labels[which],
        boxes=None,
    )
