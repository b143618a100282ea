"""The sample photographs: those that come with scikit-image, readable without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import skimage


@dataclass(frozen=True)
class Sample:
    filename: str

    def read(self) -> bytes:
        return (Path(skimage.data_dir) / self.filename).read_bytes()


SAMPLES = {
    "cat": Sample("chelsea.png"),
    "astronaut": Sample("astronaut.png"),
    "coffee": Sample("coffee.png"),
    "rocket": Sample("rocket.jpg"),
    "motorcycle": Sample("motorcycle_left.png"),
}
