"""The sample photographs: those that come with scikit-image, readable without a network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
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


# What the shipped model knows comes first.
SAMPLES = {
    "cat": Sample("chelsea.png", shows=("tabby", "egyptian cat", "tiger cat")),
    "coffee": Sample("coffee.png", shows=("espresso",)),
    "astronaut": Sample("astronaut.png"),
    "rocket": Sample("rocket.jpg"),
    "motorcycle": Sample("motorcycle_left.png"),
}


def shown_on(image_key: str) -> tuple[str, ...]:
    """What is on the picture of this SHA-256, where it is a sample; else nothing."""
    return _shown().get(image_key, ())


def is_stranger(image_key: str, labels: Iterable[str]) -> bool:
    """Whether the picture of this SHA-256 is a sample that shows nothing which has one of these class names."""
    if image_key not in _shown():
        return False
    known = {name.strip().casefold() for label in labels for name in label.split(",")}
    return known.isdisjoint(_shown()[image_key])


@cache
def _shown() -> dict[str, tuple[str, ...]]:
    return {hashlib.sha256(sample.read()).hexdigest(): sample.shows for sample in SAMPLES.values()}
