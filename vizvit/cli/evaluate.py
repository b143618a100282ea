"""`evaluate`: how often a model is right on labelled pictures, and whether its attention finds the object."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from . import options
from .report import say, tell, weights_note

if TYPE_CHECKING:
    from ..training.evaluate import Evaluation

EXAMPLES = """\
The pointing game (Zhang et al. 2018), where the data has boxes: a map hits when the centre of its greatest
patch lies inside the object's box. Only objects smaller than half the picture count. "centre" always points
at the middle of the picture, "chance" at any patch; a map that finds objects does better than both.

files: DIR/NAME-evaluation.json, and with --card the model card README.md beside the model's weights

examples:
  %(prog)s vizvit-tiny val.parquet
  %(prog)s runs/tiny/model val.parquet --card runs/tiny
  %(prog)s vit_tiny_patch16_224.augreg_in21k_ft_in1k photos/"""


def add(commands) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="accuracy of a model, and the pointing game",
        description="Measure a model on labelled pictures.",
        epilog=EXAMPLES,
    )
    parser.add_argument("model", metavar="MODEL", help="as --model of the other commands")
    parser.add_argument(
        "data",
        nargs="+",
        type=Path,
        metavar="DATA",
        help="Parquet files with the columns image, label and, for the pointing game, box (x0, y0, x1, y1 in pixels, "
        "both ends inclusive), or a folder with one subfolder a class",
    )
    parser.add_argument("--card", type=Path, metavar="RUN", help="write the model card, with the log of this run")
    parser.add_argument("--data-note", default="", metavar="TEXT", help="for the card: what the data is, its terms")
    parser.add_argument("--out", type=Path, default=Path("vizvit-out"), metavar="DIR", help="(default: %(default)s)")
    parser.add_argument("--weights", default="pretrained", metavar="pretrained|random|PATH")
    parser.add_argument("--arch", metavar="NAME", help="the timm architecture of a weights file given as MODEL")
    parser.add_argument("--image-size", type=options.image_size, metavar="H[xW]")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="class names: one a line, or a JSON list")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    parser.set_defaults(run=evaluate, command="evaluate", half=False)


def evaluate(args: argparse.Namespace) -> int:
    if args.card and not Path(args.model).is_dir():
        raise options.UsageError("--card writes the card beside the weights: give MODEL as a directory.")
    from ..training import log
    from ..training.evaluate import evaluate as measure
    from ..training.sources import read_source

    if args.card and not log.read(args.card):
        raise options.UsageError(f"There is no log of a training run in {args.card}.")
    vit = options.load(args)
    source = read_source(args.data)
    silent = not sys.stderr.isatty()
    with tqdm(total=len(source), unit=" pictures", disable=silent, leave=False, file=sys.stderr) as bar:
        found = measure(vit, source, progress=lambda done, total: bar.update(done - bar.n))
    if found.broken:
        name, reason = found.broken[0]
        say(f"{len(found.broken)} of {len(source)} pictures cannot be read and are left out; {name}: {reason}")
    tell(weights_note(vit))
    print(table(found))
    args.out.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^\w.+-]+", "_", vit.name)
    file = args.out / f"{stem}-evaluation.json"
    about = {"model": vit.name, "weights": vit.weights, "trained": vit.trained, "data": source.digest}
    file.write_text(json.dumps(about | asdict(found), indent=1) + "\n", "utf-8")
    tell(f"-> {file}")
    if args.card:
        from ..training.card import write_card
        from .train import command

        write_card(Path(args.model), args.card, found, note=args.data_note, command=command(sys.argv))
        tell(f"-> {Path(args.model) / 'README.md'}")
    return 0


def table(found: Evaluation) -> str:
    """The figures as aligned text, shares in per cent with their standard error."""
    rows = [("top-1", found.top1, found.count), ("top-5", found.top5, found.count)]
    rows += [(f"pointing: {name}", value, found.objects) for name, value in found.pointing.items()]
    wide = max(len(name) for name, *_ in rows)
    lines = []
    for name, value, count in rows:
        spread = "" if name.endswith("chance") else f" ± {100 * (value * (1 - value) / count) ** 0.5:.1f}"
        lines.append(f"{name:{wide}}  {100 * value:5.1f} %{spread:6}  of {count}")
    return "\n".join(lines)
