"""How long the largest figures, a refused picture and a look at the whole catalogue take: medians, in milliseconds.

python tests/benchmarks/figures.py [--rounds 5]

Nothing here asserts a time; what the work must not grow with is counted in tests/test_figures.py, test_image.py and
test_hub.py.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))
from vizvit import figures
from vizvit.errors import ImageError
from vizvit.model import hub
from vizvit.model.catalog import CATALOG
from vizvit.pictures.load import load_image


def bomb() -> bytes:
    """A PNG of 169 megapixels in a few hundred kilobytes."""
    file = io.BytesIO()
    Image.new("1", (13_000, 13_000)).save(file, "PNG")
    return file.getvalue()


def refused(data: bytes) -> None:
    with warnings.catch_warnings(), suppress(ImageError):
        warnings.simplefilter("ignore")
        load_image(data)


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rng, picture = np.random.default_rng(0), bomb()
    for shape in ((12, 12, 14, 14), (24, 16, 37, 37)):
        maps = rng.random(shape, dtype=np.float32)
        taken = milliseconds(lambda m=maps: figures.figure_bytes(figures.layers_heads_figure(m), dpi=100), rounds)
        print(f"layers × heads matrix {shape}: {taken:.0f}")
    print(f"a bomb refused: {milliseconds(lambda: refused(picture), rounds):.1f}")
    taken = milliseconds(lambda: [hub.is_cached(item.name) for item in CATALOG], rounds)
    print(f"the catalogue's {len(CATALOG)} models looked for: {taken:.1f}")


if __name__ == "__main__":
    main()
