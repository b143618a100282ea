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

from ..files import write_text
from ..numbers import fixed
from . import options
from .report import say, tell, weights_note

if TYPE_CHECKING:
    from ..model.vit import VitModel
    from ..training.character import Character
    from ..training.evaluate import Evaluation
    from ..training.sources import Source

    Found = tuple[Evaluation, Character]

EXAMPLES = """\
The pointing game (Zhang et al. 2018), where the data has boxes: a map hits when the centre of its greatest
patch lies inside the object's box. Only objects smaller than half the picture count. "last layer" is the class
token's attention there, mean of the heads; "best head" the one of them that hits most often on these pictures;
"relevance" is that of the predicted class. "centre" always points at the middle of the picture, "chance" at any
patch; a map that finds objects does better than both.

Distance and mean entropy of the attention stand beside those of attention that is alike everywhere, and top-1 beside
what is left of it when position embeddings are zeroed or shuffled: what the model has learned of places.

files: DIR/NAME-evaluation.json, and with --card the model card README.md beside the model's weights

examples:
  %(prog)s vizvit-tiny val.parquet
  %(prog)s runs/tiny/model val.parquet --card runs/tiny
  %(prog)s runs/tiny/model val.parquet --beside vizvit-tiny
  %(prog)s vit_tiny_patch16_224.augreg_in21k_ft_in1k photos/"""


def add(commands: options.Commands) -> None:
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
    parser.add_argument("--beside", metavar="MODEL", help="another model in the same table, such as an earlier one")
    parser.add_argument("--data-note", default="", metavar="TEXT", help="for the card: what the data is, its terms")
    parser.add_argument("--teacher-note", default="", metavar="TEXT", help="likewise: what the teacher is, its terms")
    parser.add_argument("--init-note", default="", metavar="TEXT", help="likewise: what the weights of --init were")
    parser.add_argument("--out", type=Path, default=Path("vizvit-out"), metavar="DIR", help="(default: %(default)s)")
    parser.add_argument("--weights", default="pretrained", metavar="pretrained|random|PATH")
    parser.add_argument("--arch", metavar="NAME", help="the timm architecture of a weights file given as MODEL")
    parser.add_argument("--image-size", type=options.image_size, metavar="H[xW]")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="class names: one a line, or a JSON list")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    parser.set_defaults(run=evaluate, command="evaluate", half=False, outputs=None)


def evaluate(args: argparse.Namespace) -> int:
    if args.card and not Path(args.model).is_dir():
        raise options.UsageError("--card writes the card beside the weights: give MODEL as a directory.")
    from ..training import log
    from ..training.sources import read_source

    if args.card and not log.read(args.card):
        raise options.UsageError(f"There is no log of a training run in {args.card}.")
    vit = options.load(args)
    source = read_source(args.data)
    found = {vit.name: _measured(vit, source)}
    tell(weights_note(vit))
    if args.beside:
        other = options.load(argparse.Namespace(**vars(args) | {"model": args.beside, "weights": "pretrained"}))
        name = other.name if other.name != vit.name else f"{other.name} ({args.beside})"
        found[name] = _measured(other, source)
        tell(weights_note(other))
    print(table(found))
    stem = re.sub(r"[^\w.+-]+", "_", vit.name)
    file = args.out / f"{stem}-evaluation.json"
    measured, learned = found[vit.name]
    about = {"model": vit.name, "weights": vit.weights, "trained": vit.trained, "data": source.digest}
    write_text(file, json.dumps(about | asdict(measured) | {"character": asdict(learned)}, indent=1) + "\n")
    tell(f"-> {file}")
    if args.card:
        from ..training.card import write_card
        from .train import command

        told = command(sys.argv)
        notes = {"note": args.data_note, "teacher_note": args.teacher_note, "init_note": args.init_note}
        write_card(Path(args.model), args.card, vit, measured, learned, **notes, command=told)
        tell(f"-> {Path(args.model) / 'README.md'}")
    return 0


def _measured(vit: VitModel, source: Source) -> Found:
    from ..training.character import character
    from ..training.evaluate import evaluate as measure

    silent = not sys.stderr.isatty()
    with tqdm(total=len(source), unit=" pictures", disable=silent, leave=False, file=sys.stderr) as bar:
        found = measure(vit, source, progress=lambda done, total: bar.update(done - bar.n))
    if found.broken:
        name, reason = found.broken[0]
        say(f"{len(found.broken)} of {len(source)} pictures cannot be read and are left out; {name}: {reason}")
    return found, character(vit, source)


def table(models: dict[str, Found]) -> str:
    """The figures of one or more models as aligned text: shares in per cent with their standard error."""
    columns = [_column(*found) for found in models.values()]
    names = list(dict.fromkeys(name for column in columns for name in column))
    wide = max(map(len, names))
    cells = [[column.get(name, "-") for column in columns] for name in names]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    if len(models) > 1:
        widths = [max(width, len(name)) for width, name in zip(widths, models, strict=True)]
        lines.append("  ".join([" " * wide, *(name.ljust(w) for name, w in zip(models, widths, strict=True))]).rstrip())
    for name, row in zip(names, cells, strict=True):
        lines.append(
            "  ".join([name.ljust(wide), *(cell.ljust(w) for cell, w in zip(row, widths, strict=True))]).rstrip()
        )
    return "\n".join(lines)


def _column(found: Evaluation, learned: Character) -> dict[str, str]:
    """What is printed of one model, by the name of its row."""
    column = {"top-1": _share(found.top1, found.count)}
    if found.top5 is not None:
        column["top-5"] = _share(found.top5, found.count)
    for name, value in found.pointing.items():
        head = f", head {found.best_head}" if name == "best head" else ""
        column[f"pointing: {name}"] = _share(value, found.objects, spread=name != "chance") + head
    for name, value in learned.positions.items():
        column[f"positions {name}: top-1"] = _share(value, learned.answers)
    for what, unit, values, even, places in (
        ("distance", "pixels", learned.distance, learned.even_distance, 1),
        ("mean entropy", "nats", learned.entropy, learned.even_entropy, 2),
    ):
        for layer, heads in enumerate(values):
            shown = (sum(heads) / len(heads), min(heads), max(heads), even)
            mean, low, high, alike = (fixed(value, places) for value in shown)
            column[f"{what} in layer {layer}"] = f"{mean} {unit}, heads {low} to {high}; even {alike}"
    return column


def _share(value: float, count: int, *, spread: bool = True) -> str:
    error = f" ± {fixed(100 * (value * (1 - value) / count) ** 0.5, 1)}" if spread else ""
    return f"{fixed(100 * value, 1):>5} %{error:6}  of {count}"
