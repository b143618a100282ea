"""The sample photographs: those that come with scikit-image, readable without a network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import skimage


@dataclass(frozen=True)
class Sample:
    """shows: ImageNet's names for what is on it, in small letters; each of them is right."""

    filename: str
    shows: tuple[str, ...] = ()

    def read(self) -> bytes:
        return (Path(skimage.data_dir) / self.filename).read_bytes()


SAMPLES = {
    "cat": Sample("chelsea.png", shows=("tabby", "egyptian cat", "tiger cat")),
    "astronaut": Sample("astronaut.png"),
    "coffee": Sample("coffee.png", shows=("espresso",)),
    "rocket": Sample("rocket.jpg"),
    "motorcycle": Sample("motorcycle_left.png"),
}


def shown_on(image_key: str) -> tuple[str, ...]:
    """What is on the picture of this SHA-256, where it is a sample; else nothing."""
    return _shown().get(image_key, ())


@cache
def _shown() -> dict[str, tuple[str, ...]]:
    return {hashlib.sha256(sample.read()).hexdigest(): sample.shows for sample in SAMPLES.values()}
