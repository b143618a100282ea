"""What a study of many pictures costs beside the bare forward passes it needs, and where its time goes.

    python tests/benchmarks/study.py [--rounds 3] [--device auto]

Photographs of 12 and of 0.2 megapixels lie on the disk as JPEGs. The bare forward passes are of as many pictures as the
study's own passes see, counted where they enter the model, and lie ready in one tensor. Every round times all one after
the other in one process, in changing order; the table shows medians over the rounds and the median of the paired
ratios. "Once at the end" are the figures and the report, which take as long for ten pictures as for a million. Nothing
here asserts a time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from capture import measure
from skimage import data, io, transform

sys.path.insert(0, str(Path(__file__).parents[2]))
import vizvit
from vizvit.analysis import head_statistics
from vizvit.analysis.features import artefact_shares
from vizvit.forward.batch import capture_views
from vizvit.model.vit import VitModel
from vizvit.pictures.collection import PictureSet
from vizvit.process import keep_freed
from vizvit.study.plan import Plan
from vizvit.study.prepare import Batches, loader
from vizvit.study.rows import FORWARD, Measurer
from vizvit.study.settings import Settings
from vizvit.study.study import run

LARGE = "vit_small_patch14_reg4_dinov2"  # 518 pixels
BATCH = 16
TESTED = Settings(("attention", "rollout", "relevance", "random"), faithfulness=True, steps=16)


def photographs(folder: Path, count: int, megapixels: float) -> Path:
    folder.mkdir()
    height = round((megapixels * 1e6 * 2 / 3) ** 0.5)
    whole = transform.resize(data.chelsea(), (height, height * 3 // 2), preserve_range=True).astype("uint8")
    for number in range(count):
        io.imsave(folder / f"{number:03d}.jpg", whole[:, :: -1 if number % 2 else 1], check_contrast=False)
    return folder


def study(vit: VitModel, folder: Path, settings: Settings, rounds: int, *, parts: bool) -> None:
    measurer, batches = Measurer(vit, settings), Batches(Plan(PictureSet.of([folder]), {}), (), vit, BATCH, {})
    pictures = [picture for batch in batches for picture in batch.pictures]
    views = [picture.view for picture in pictures]

    def measured() -> None:
        for batch in loader(batches, 0):
            measurer(batch.pictures)

    seen: list[int] = []
    hook = vit.module.patch_embed.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    measured()
    hook.remove()
    total, size = sum(seen), FORWARD if settings.faithfulness else BATCH
    pixels = torch.cat([vit.normalise(view) for view in views])[:size]
    pixels = pixels.repeat(-(-size // len(pixels)), 1, 1, 1)

    @torch.no_grad()
    def bare() -> None:
        for start in range(0, total, size):
            vit.module(pixels[: min(size, total - start)])

    calls: dict[str, Callable[[], object]] = {f"bare forward passes of {total}": bare, "the study's pictures": measured}
    if parts:
        caps = capture_views(vit, views[:BATCH])
        share = len(views) / len(caps)
        calls |= {
            "  of it: decoding and cropping": lambda: [None for _ in loader(batches, 0)],
            "  captures": lambda: capture_views(vit, views),
            "  statistics of heads": lambda: [head_statistics(cap) for cap in caps * round(share)],
            "  share of artefact tokens": lambda: [artefact_shares(caps) for _ in range(round(share))],
        }
    times = measure(calls, rounds, vit.device, warm=1)
    plain = next(iter(times.values()))
    number = f"{len(views)} pictures of " if len(views) > 1 else ""
    print(f"\n{vit.name}, {number}{folder.name}, {_called(settings)}, {vit.device}, {rounds} rounds")
    for name, found in times.items():
        ratio = median(mine / other for mine, other in zip(found, plain, strict=True))
        print(f"  {name:36}{median(found) / len(views) * 1e3:9.1f} ms a picture{ratio:9.2f} x")
    rate = median(other / mine for mine, other in zip(times["the study's pictures"], plain, strict=True))
    print(f"  the study's rate: {rate:.2f} of the bare forward passes'")


def _called(settings: Settings) -> str:
    return f"{len(settings.methods)} methods put to the test" if settings.faithfulness else "heads alone"


def ending(vit: VitModel, folder: Path, out: Path) -> None:
    """A second run of a finished study measures nothing."""
    run(vit, [folder], out)
    found = measure({"": lambda: run(vit, [folder], out)}, 3, vit.device)
    print(f"\nonce at the end: {median(found['']):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    tiny = vizvit.load_model("vizvit-tiny", device=options.device)
    large = vizvit.load_model(LARGE, weights="random", device=options.device)
    keep_freed()  # as the command does
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as name:
        small = photographs(Path(name) / "0.2 megapixels", BATCH, 0.2)
        wide = photographs(Path(name) / "12 megapixels", 2, 12)
        one = photographs(Path(name) / "one of 12 megapixels", 1, 12)
        study(tiny, small, Settings(), 4 * options.rounds, parts=True)  # short ones, which chance sways more
        study(large, wide, Settings(), options.rounds, parts=True)
        study(tiny, one, TESTED, options.rounds, parts=False)
        ending(tiny, small, Path(name) / "out")


if __name__ == "__main__":
    main()
