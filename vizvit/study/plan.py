"""How a set is cut into shards, and how a finished shard is known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice

import torch

from ..model.vit import VitModel
from ..pictures.collection import PictureSet, Place, signature
from .labels import unnamed
from .settings import Settings

SHARD = 64  # pictures: little to do again after an interruption
FORMAT = 3  # of a shard's rows; another one makes older shards unknown


@dataclass(frozen=True)
class Shard:
    """number: from 0. digest: of the pictures, the model and the settings: the same digest gives the same rows."""

    number: int
    places: tuple[Place, ...]
    digest: str


@dataclass(frozen=True)
class Plan:
    """The shards of a study, made anew at each walk through them: nothing grows with the number of pictures.

    study: as `study_identity` gives it.
    """

    pictures: PictureSet
    study: dict[str, str]
    limit: int | None = None
    size: int = SHARD

    def shards(self) -> Iterator[Shard]:
        places, number = self.pictures.places(self.limit), 0
        while some := tuple(islice(places, self.size)):
            digest = hashlib.sha256(json.dumps(self.study).encode())
            for place in some:
                digest.update(signature(place).encode("utf-8", "surrogateescape") + b"\n")
            yield Shard(number, some, digest.hexdigest())
            number += 1


def study_identity(vit: VitModel, settings: Settings, pictures: PictureSet) -> dict[str, str]:
    """A digest of each thing that a row depends on beside its picture, by what to call it."""
    weights = hashlib.sha256(json.dumps([FORMAT, vit.architecture, vit.precision]).encode())
    for name, value in sorted(vit.module.state_dict().items()):
        weights.update(name.encode())
        weights.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    classes = [vit.labels, pictures.subfolders if unnamed(vit) else ()]
    others = {"preprocessing": vit.preprocessing, "class names": classes, "settings": asdict(settings)}
    if vit.outputs != "softmax":  # which is what all older studies are of
        others["outputs"] = vit.outputs
    facts = {name: hashlib.sha256(json.dumps(value).encode()).hexdigest() for name, value in others.items()}
    return {"weights": weights.hexdigest()} | facts
