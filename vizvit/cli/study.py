"""`study`: a model over a whole set of pictures, and its heads ranked by what they do."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tqdm import tqdm

from ..numbers import share, thousands
from ..process import keep_freed
from ..reading import whole
from . import options
from .options import Parser, UsageError, count, from_zero
from .report import say, tell, weights_note

BY = ("distance", "entropy", "prefix_share", "sink_share", "agreement")

EXAMPLES = """\
files below --out:
  report.html        everything below on one page, which opens offline
  pictures.parquet   a row a picture: name, error, label, rank, predicted, probability, object, boxes, bad_boxes,
                     box_error; each head's distance, entropy, prefix_share, sink_share and agreement as lists
                     [layer x head]; pointing_, deletion_ and insertion_ of each method
  heads.parquet      a row a head: layer, head, and each measure's mean, spread and count over the pictures
  summary.json       the same in short, with accuracy, the methods' scores, and which pictures and model they are of
  methods.md         the methods' scores as a Markdown table, where methods were tested
  figures/*.png      each measure by depth, with its spread over the pictures
  shards/            finished parts: a study that was interrupted goes on from them

examples:
  %(prog)s photos/ --faithfulness
  %(prog)s val.parquet --limit 1000 --faithfulness --out results
  %(prog)s val.parquet --model vit_small_patch16_224.dino --ray local --workers 4 --out results
  %(prog)s --sweep distance --lowest --out results
  %(prog)s --sweep entropy --like 5,2 --out results

Deletion and insertion: Petsiuk et al., RISE (2018). Pointing game: Zhang et al. (2016)."""


def add(commands: options.Commands) -> None:
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
        help="a folder of pictures, whose subfolders may be classes (by name, WordNet id or index); or Parquet files "
        "with the column image and, where known, label and box (x0, y0, x1, y1 in pixels, both ends inclusive)",
    )
    options.add_model(parser)
    _add_measures(parser)
    _add_machine(parser)
    group = parser.add_argument_group("finding heads")
    group.add_argument("--sweep", choices=BY, help="rank the heads of the study in --out; without DATA, do only that")
    group.add_argument("--top", type=count, default=10, metavar="N", help="heads to list (default: %(default)s)")
    group.add_argument("--lowest", action="store_true", help="the least first")
    group.add_argument(
        "--like", type=_head, metavar="LAYER,HEAD", help="the heads nearest to this one, counted from 0, by their means"
    )
    group.add_argument(
        "--app", default="http://localhost:8501/", metavar="URL", help="what links lead to (default: %(default)s)"
    )
    parser.set_defaults(run=study, command="study")


def _add_measures(parser: Parser) -> None:
    group = parser.add_argument_group("what is measured")
    group.add_argument("--limit", type=count, metavar="N", help="pictures, spread evenly over the set (default: all)")
    group.add_argument(
        "--methods",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        action="extend",
        metavar="NAME[,NAME]",
        help="of explanation, for the predicted class (default: none; with --faithfulness all)",
    )
    group.add_argument("--faithfulness", action="store_true", help="deletion and insertion of each method; takes long")
    group.add_argument("--steps", type=count, metavar="N", help="points of their curves (default: one a patch)")
    group.add_argument("--fill", choices=("blur", "mean", "black"), default="blur", help="(default: %(default)s)")


def _add_machine(parser: Parser) -> None:
    group = parser.add_argument_group("output and machine")
    group.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the results, of one study only (default: vizvit-out/study-DATA-MODEL)",
    )
    group.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="insist on a begun study in DIR, or start over (default: go on where this very study was begun; another "
        "study is left alone)",
    )
    group.add_argument("--batch", type=count, default=16, metavar="N", help="pictures at a time (default: %(default)s)")
    group.add_argument(
        "--workers",
        type=from_zero,
        default=0,
        metavar="N",
        help="processes that decode ahead; with --ray, Ray's workers",
    )
    group.add_argument("--ray", metavar="ADDRESS|local", help="run on a Ray cluster, or on this machine's own Ray")


def _head(text: str) -> tuple[int, int]:
    layer, _, number = (part.strip() for part in text.partition(","))
    head = whole(layer), whole(number)
    if None in head:
        raise argparse.ArgumentTypeError(
            f'"{text[:60]}" is not a head such as 5,2: its layer and its number in it, from 0'
        )
    return head


def study(args: argparse.Namespace) -> int:
    if args.like and not args.sweep:
        raise UsageError("Heads are alike in some measure: name it with --sweep, beside --like.")
    if not args.data and not args.sweep:
        raise UsageError("Name a folder of pictures or Parquet files, or a ranking of a study's heads with --sweep.")
    if args.out is None:
        if not args.data:
            raise UsageError("Name the folder of the study whose heads are to be ranked with --out.")
        args.out = _folder_for(args.data[0], args.model)
    failed = _measure(args) if args.data else False
    if args.sweep:
        _rank(args)
    return 1 if failed else 0


def _folder_for(data: Path, model: str) -> Path:
    """vizvit-out/study-photos-vizvit-tiny: of each data set and model a folder of its own."""
    data = data.expanduser().resolve()
    names = (data.name if data.is_dir() else data.stem, Path(model).name)
    return Path("vizvit-out", "-".join(["study", *(re.sub(r"[^\w.+-]+", "-", name) for name in names if name)]))


def _measure(args: argparse.Namespace) -> bool:
    from ..explanations import METHODS
    from ..study import Settings, run

    keep_freed()
    vit = options.load(args)
    methods = args.methods or (list(METHODS) if args.faithfulness else [])
    settings = Settings(tuple(dict.fromkeys(methods)), args.faithfulness, args.steps, args.fill)
    try:
        with _Progress() as progress:
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
                notice=say,
                progress=progress,
            )
    except KeyboardInterrupt:
        less = " without --no-resume" if args.resume is False else ""
        say(f"what is finished stays in {args.out}: the same command{less} goes on where this one stopped.")
        raise
    tell(weights_note(vit))
    _report(summary, args.out)
    return summary["broken"] > 0


def _report(summary: dict, out: Path) -> None:
    """What was found on stdout, what could not be used on stderr."""
    from ..study.table import markdown, note

    if summary["accuracy"]:
        found = summary["accuracy"]
        of = f"of {thousands(int(found['count']))} with a label"
        tell(f"top-1 {share(found['top1'])}, top-5 {share(found['top5'])} {of}")
    if table := markdown(summary):
        print(table)
        tell(note(summary))
    tell(f"{thousands(summary['measured'])} pictures -> {out / 'report.html'}")
    boxes = summary["boxes"]
    if boxes["bad"]:
        bad, of = thousands(boxes["bad"]), thousands(boxes["count"])
        first, some = boxes["first_bad"], f"{bad} of {of} boxes cannot be used and are left out"
        count = f"none of the {of} boxes can be used" if boxes["bad"] == boxes["count"] else some
        say(f"{count}; {first['name']}: {first['error']}.")
    if summary["broken"]:
        first = summary["broken_named"][0]
        count = f"{thousands(summary['broken'])} of {summary['pictures']} pictures"
        say(f"left out of the means: {count}; {first['name']}: {first['error']}")


class _Progress:
    """Called as (pictures done, pictures in all): a bar on a terminal, elsewhere a line a shard."""

    def __init__(self):
        self._bar: tqdm | None = None
        self._told = 0

    def __call__(self, done: int, total: int) -> None:
        from ..study.plan import SHARD

        if self._bar is None:  # what an earlier run has finished took no time of this one
            silent = not sys.stderr.isatty()
            self._bar = tqdm(total=total, initial=done, unit=" pictures", disable=silent, leave=False, file=sys.stderr)
            self._told = done
            if done:
                say(f"{done} of {total} pictures are finished already.")
            return
        self._bar.update(done - self._bar.n)
        if self._bar.disable and (done // SHARD > self._told // SHARD or done == total):
            say(f"{done} of {total} pictures.")
            self._told = done

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()


def _rank(args: argparse.Namespace) -> None:
    from ..study import sweep
    from ..study.written import difference_text, mean_text, places_of

    found = sweep(args.out, args.sweep, args.top, lowest=args.lowest, like=args.like)
    places = places_of(args.sweep, [head.mean for head in found], [head.difference for head in found])
    print(f"layer  head  {args.sweep:16}{'  difference' if args.like else ''}".rstrip())
    for head in found:
        values = f"{mean_text(args.sweep, head.mean, head.spread, places):16}"
        if head.difference is not None:
            values += f"  {difference_text(args.sweep, head, places):>10}"
        print(f"{head.layer:5}  {head.head:4}  {values}  {args.app + head.link if head.link else ''}".rstrip())
