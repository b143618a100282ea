"""The sample photographs: those that come with scikit-image, readable without a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import skimage


@dataclass(frozen=True)
class Sample:
    title: str
    filename: str

    def read(self) -> bytes:
        return (Path(skimage.data_dir) / self.filename).read_bytes()


SAMPLES = {
    "cat": Sample("Cat", "chelsea.png"),
    "astronaut": Sample("Astronaut", "astronaut.png"),
    "coffee": Sample("Coffee", "coffee.png"),
    "rocket": Sample("Rocket", "rocket.jpg"),
    "motorcycle": Sample("Motorcycle", "motorcycle_left.png"),
}
