"""Pictures decoded once: uint8 pixels in one file on disk, which every later epoch and run reads as memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import ImageError, ModelError
from ..files import made, reserve, sweep, tidy, write_text
from ..pictures.load import load_image
from ..reading import json_of
from .sources import Source

CHUNK = 512
NOTES = 1 << 30  # bytes: sizes of every picture
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Pixels:
    """Decoded pictures; the broken ones are left out.

    pixels: uint8 [picture, 3, side, side], a read-only memory map. labels: int64 [picture].
    boxes: int64 [picture, 4] in pixels of the original, or None. rows: the source's row of each picture.
    sizes: int64 [picture, (width, height)] of the originals. broken: (name, reason) of each row left out.
    """

    pixels: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray | None
    sizes: np.ndarray
    rows: np.ndarray
    broken: tuple[tuple[str, str], ...]
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def side(self) -> int:
        return self.pixels.shape[-1]

    def batch(self, which: np.ndarray) -> np.ndarray:
        """uint8 [which, 3, side, side]: a copy of these pictures."""
        return self.pixels[self.rows[which]]

    def take(self, which: np.ndarray) -> Pixels:
        """Some of the pictures, in their order in `which`."""
        boxes = None if self.boxes is None else self.boxes[which]
        digest = hashlib.sha256(self.digest.encode() + which.tobytes()).hexdigest()
        return replace(
            self,
            labels=self.labels[which],
            boxes=boxes,
            sizes=self.sizes[which],
            rows=self.rows[which],
            digest=digest,
        )

    def split(self, share: float, seed: int) -> tuple[Pixels, Pixels]:
        """The pictures without a share of them that is drawn at random, and that share."""
        order = np.random.default_rng((seed, 3)).permutation(len(self))
        held = round(share * len(self))
        if not 0 < held < len(self):
            raise ModelError(
                f"A share of {share:g} of {len(self)} pictures cannot be held out; take from 0 to below 1."
            )
        return self.take(np.sort(order[held:])), self.take(np.sort(order[:held]))


def decode(source: Source, side: int, cache: Path, *, progress: Progress | None = None) -> Pixels:
    """The pictures of a source, upright, resized to `side` on the short side (bicubic) and cropped in the middle.

    Pictures that are all smaller are kept at their own size: resizing is then the augmentation's. The result
    lies in the folder `cache` under a name made of the content, and is read from there the next time.
    progress: called with (done, all) pictures. Raises ModelError where no picture can be read.
    """
    side = min(side, _longest_short_side(source))
    key = hashlib.sha256(f"1 {side} {source.digest}".encode()).hexdigest()[:20]
    file, notes = cache / f"pictures-{key}.npy", cache / f"pictures-{key}.json"
    if not (file.is_file() and notes.is_file()):
        made(cache)
        sweep(cache)
        _decode_to(source, side, file, notes, progress)
    try:
        pixels, found = np.load(file, mmap_mode="r"), json_of(notes, NOTES)
        broken = {int(row): str(reason) for row, reason in found["broken"].items()}
        sizes = np.asarray(found["sizes"], np.int64)
        if pixels.shape != (len(source), 3, side, side) or sizes.shape != (len(source), 2):
            raise ValueError("other shapes")
    except (ModelError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise spoilt(file, error) from error
    rows = np.asarray([row for row in range(len(source)) if row not in broken], np.int64)
    if not len(rows):
        row, reason = next(iter(broken.items()))
        raise ModelError(f"None of {len(source)} pictures can be read; {source.names[row]}: {reason}")
    boxes = None if source.boxes is None else source.boxes[rows]
    named = tuple((source.names[row], reason) for row, reason in broken.items())
    return Pixels(pixels, source.labels[rows], boxes, sizes[rows], rows, named, source.digest)


def spoilt(file: Path, error: Exception) -> ModelError:
    """The sentence for a file of the folder `decoded` that is not as it was written."""
    return ModelError(f"{file} is not as it was written ({error}). Delete {file.parent}: what is in it is made again.")


def square(image: Image.Image, side: int) -> Image.Image:
    """The middle of a picture as `side` × `side` pixels, as timm's evaluation sees it with crop_pct 1."""
    width, height = image.size
    if (width, height) == (side, side):
        return image
    crop = min(width, height)
    left, top = (width - crop) / 2, (height - crop) / 2
    return image.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + crop, top + crop))


def _longest_short_side(source: Source) -> int:
    longest = 1
    for row in np.unique(np.linspace(0, len(source) - 1, 64).astype(int)):
        try:
            longest = max(longest, min(load_image(source.picture(int(row))).size))
        except (ImageError, OSError):  # named when it is decoded
            continue
    return longest


def _decode_to(source: Source, side: int, file: Path, notes: Path, progress: Progress | None) -> None:
    """Both files appear whole or not at all, the notes last."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.part")
    reserve(partial, (len(source), 3, side, side), np.uint8)
    pixels = np.load(partial, mmap_mode="r+")
    sizes, broken = np.zeros((len(source), 2), int), {}

    def one(row: int) -> None:
        try:
            image = load_image(source.picture(row))
        except (ImageError, OSError) as error:
            broken[row] = str(error)
            return
        sizes[row] = image.size
        pixels[row] = np.asarray(square(image, side)).transpose(2, 0, 1)

    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(source), CHUNK):
                list(pool.map(one, range(start, min(start + CHUNK, len(source)))))
                if progress:
                    progress(min(start + CHUNK, len(source)), len(source))
        pixels.flush()
        partial.replace(file)
    finally:
        tidy(partial)
    found = {"broken": {str(row): broken[row] for row in sorted(broken)}, "sizes": sizes.tolist()}
    write_text(notes, json.dumps(found))
