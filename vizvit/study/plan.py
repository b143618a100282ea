"""How a set is cut into shards, and how a finished shard is known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice

import torch

from ..model import VitModel
from .pictures import PictureSet, Place, signature
from .settings import Settings

SHARD = 64  # pictures: little to do again after an interruption
FORMAT = 1  # of a shard's rows; another one makes older shards unknown


@dataclass(frozen=True)
class Shard:
    """number: from 0. digest: of the pictures, the model and the settings: the same digest gives the same rows."""

    number: int
    places: tuple[Place, ...]
    digest: str


@dataclass(frozen=True)
class Plan:
    """The shards of a study, made anew at each walk through them: nothing grows with the number of pictures."""

    pictures: PictureSet
    study: str
    limit: int | None = None
    size: int = SHARD

    def shards(self) -> Iterator[Shard]:
        places, number = self.pictures.places(self.limit), 0
        while some := tuple(islice(places, self.size)):
            digest = hashlib.sha256(self.study.encode())
            for place in some:
                digest.update(signature(place).encode("utf-8", "surrogateescape") + b"\n")
            yield Shard(number, some, digest.hexdigest())
            number += 1


def study_digest(vit: VitModel, settings: Settings) -> str:
    """Of everything that a row depends on beside its picture: the weights themselves, the input, the settings."""
    digest = hashlib.sha256()
    for name, value in sorted(vit.module.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    facts = [FORMAT, vit.architecture, vit.precision, vit.input_size, vit.mean, vit.std, vit.labels, asdict(settings)]
    digest.update(json.dumps(facts).encode())
    return digest.hexdigest()
