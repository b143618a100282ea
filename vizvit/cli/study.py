"""`study`: a model over a whole set of pictures, and its heads ranked by what they do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from . import options
from .options import Parser, UsageError
from .report import say, tell, weights_note

BY = ("distance", "entropy", "prefix_share", "sink_share", "agreement")

EXAMPLES = """\
files below --out:
  report.html        everything below on one page, which opens offline
  pictures.parquet   a row a picture: name, error, label, rank, predicted, probability, object; each head's distance,
                     entropy, prefix_share, sink_share and agreement as lists [layer x head]; pointing_, deletion_ and
                     insertion_ of each method
  heads.parquet      a row a head: layer, head, and each measure's mean, spread and count over the pictures
  summary.json       the same in short, with accuracy and the methods' scores
  methods.md         the methods' scores as a Markdown table, where methods were tested
  figures/*.png      each measure by depth, with its spread over the pictures
  shards/            finished parts: a study that was interrupted goes on from them

examples:
  %(prog)s photos/ --out results
  %(prog)s val.parquet --limit 1000 --faithfulness --out results
  %(prog)s val.parquet --model vit_small_patch16_224.dino --ray local --workers 4 --out results
  %(prog)s --sweep distance --lowest --out results

Deletion and insertion: Petsiuk et al., RISE (2018). Pointing game: Zhang et al. (2016)."""


def add(commands) -> None:
    parser = commands.add_parser(
        "study",
        help="statistics of every head, and tests of explanations, over many pictures",
        description="Run a set of pictures and write what each head does, with its spread, and how well methods of "
        "explanation do. With --sweep: rank the heads of a study.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "data",
        nargs="*",
        type=Path,
        metavar="FOLDER|PARQUET",
        help="a folder of pictures, whose subfolders may be named for classes; or Parquet files with the column image "
        "and, where known, label and box (x0, y0, x1, y1 in pixels, both ends inclusive)",
    )
    options.add_model(parser)
    _add_measures(parser)
    _add_machine(parser)
    group = parser.add_argument_group("finding heads")
    group.add_argument("--sweep", choices=BY, help="rank the heads of the study in --out; without DATA, do only that")
    group.add_argument("--top", type=int, default=10, metavar="N", help="heads to list (default: %(default)s)")
    group.add_argument("--lowest", action="store_true", help="the least first")
    group.add_argument(
        "--app", default="http://localhost:8501/", metavar="URL", help="what links lead to (default: %(default)s)"
    )
    parser.set_defaults(run=study, command="study")


def _add_measures(parser: Parser) -> None:
    group = parser.add_argument_group("what is measured")
    group.add_argument("--limit", type=int, metavar="N", help="pictures, spread evenly over the set (default: all)")
    group.add_argument(
        "--methods",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        action="extend",
        metavar="NAME[,NAME]",
        help="of explanation, for the predicted class (default: none; with --faithfulness all)",
    )
    group.add_argument("--faithfulness", action="store_true", help="deletion and insertion of each method; takes long")
    group.add_argument("--steps", type=int, metavar="N", help="points of their curves (default: one a patch)")
    group.add_argument("--fill", choices=("blur", "mean", "black"), default="blur", help="(default: %(default)s)")


def _add_machine(parser: Parser) -> None:
    group = parser.add_argument_group("output and machine")
    group.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    group.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="insist on a begun study in DIR, or start over (default: go on where there is one)",
    )
    group.add_argument("--batch", type=int, default=32, metavar="N", help="pictures at a time (default: %(default)s)")
    group.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes that decode ahead; with --ray, Ray's workers"
    )
    group.add_argument("--ray", metavar="ADDRESS|local", help="run on a Ray cluster, or on this machine's own Ray")


def study(args: argparse.Namespace) -> int:
    if not args.data and not args.sweep:
        raise UsageError("Name a folder of pictures or Parquet files, or a ranking of a study's heads with --sweep.")
    failed = _measure(args) if args.data else False
    if args.sweep:
        _rank(args)
    return 1 if failed else 0


def _measure(args: argparse.Namespace) -> bool:
    from ..explain import METHODS
    from ..study import Settings, run
    from ..study.table import markdown, note

    vit = options.load(args)
    methods = args.methods or (list(METHODS) if args.faithfulness else [])
    settings = Settings(tuple(dict.fromkeys(methods)), args.faithfulness, args.steps, args.fill)
    with tqdm(unit=" pictures", disable=not sys.stderr.isatty(), leave=False, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        summary = run(
            vit,
            args.data,
            args.out,
            settings,
            limit=args.limit,
            batch=args.batch,
            workers=args.workers,
            ray=args.ray,
            resume=args.resume,
            app=args.app,
            command=args.line,
            progress=progress,
        )
    tell(weights_note(vit))
    if summary["accuracy"]:
        found = summary["accuracy"]
        tell(f"top-1 {100 * found['top1']:.1f} %, top-5 {100 * found['top5']:.1f} % of {found['count']} with a label")
    if table := markdown(summary):
        print(table)
        tell(note(summary))
    tell(f"{summary['measured']} pictures -> {args.out / 'report.html'}")
    if summary["broken"]:
        first = summary["broken_named"][0]
        count = f"{summary['broken']} of {summary['pictures']} pictures"
        say(f"{count} cannot be read and are left out; {first['name']}: {first['error']}")
    return summary["broken"] > 0


def _rank(args: argparse.Namespace) -> None:
    from ..study import sweep

    print(f"layer  head  {args.sweep}")
    for head in sweep(args.out, args.sweep, args.top, lowest=args.lowest):
        spread = "" if head.spread is None else f" ± {head.spread:.2g}"
        print(f"{head.layer:5}  {head.head:4}  {f'{head.mean:.3g}{spread}':16}  {args.app}{head.link}")
