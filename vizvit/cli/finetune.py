"""`finetune`: a Vision Transformer of timm, taught other classes, as a folder that the app opens."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import options
from .options import UsageError
from .train import METAVARS, RECIPE, carry_out, command
from .training import Watcher, add_machine, budget_of, machine_of, name_of

if TYPE_CHECKING:
    from ..training.sources import Source

EPOCHS = 5.0
CIFAR = ("cifar10", "cifar100")
TUNED = (
    *("batch", "opt", "lr", "weight-decay", "warmup", "clip", "smoothing", "mixup", "cutmix", "mix", "ema", "crop"),
    *("colour", "randaugment", "erase", "seed"),
)

EXAMPLES = """\
files in DIR: as of the command train; DIR/model opens in the app, with --model DIR/model, and in timm.

examples:
  %(prog)s vit_small_patch16_224.augreg_in21k_ft_in1k photos/ --out runs/mine
  %(prog)s vit_tiny_patch16_224.augreg_in21k_ft_in1k cifar10 --download --out runs/cifar --head-only --epochs 3
  %(prog)s vizvit-tiny train.parquet --val val.parquet --classes classes.csv --out runs/other --epochs 20"""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "finetune",
        help="teach a timm Vision Transformer other classes",
        description="Finetune a Vision Transformer on labelled pictures.",
        epilog=EXAMPLES,
    )
    parser.add_argument("model", metavar="NAME", help="as --model of the other commands")
    parser.add_argument(
        "data",
        nargs="+",
        metavar="DATA",
        help="a folder with one subfolder a class, Parquet files with the columns image and label, cifar10 or cifar100",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--val", type=Path, nargs="+", default=[], metavar="DATA", help="held-out pictures")
    parser.add_argument(
        "--hold-out",
        type=options.share_below_one,
        default=0.1,
        metavar="SHARE",
        help="of the data, where there is no --val (default: %(default)s)",
    )
    parser.add_argument("--classes", type=Path, metavar="CSV", help="class names: columns label, name")
    parser.add_argument(
        "--root", type=Path, default=Path("data"), metavar="DIR", help="of CIFAR (default: %(default)s)"
    )
    parser.add_argument("--download", action="store_true", help="get CIFAR where it is not there yet")
    parser.add_argument(
        "--head-only", action="store_true", help="train the classifier alone: fast, and keeps attention"
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="insist on a checkpoint in DIR, or start over (default: go on where there is one)",
    )
    parser.add_argument("--weights", default="pretrained", metavar="pretrained|random|PATH", help="to start from")
    parser.add_argument("--arch", metavar="NAME", help="the timm architecture of a weights file given as NAME")
    parser.add_argument("--image-size", type=options.image_size, metavar="N", help="(default: the model's own)")
    add_machine(parser, EPOCHS)
    group = parser.add_argument_group("recipe", "defaults for finetuning are in vizvit/training/finetune.py")
    group.add_argument(
        "--layer-decay", type=options.amount, metavar="X", help="rate of a block as a share of the next one's (0.75)"
    )
    for option in TUNED:
        kind, words = RECIPE[option]
        words = words.rpartition(" (")[0] or words.strip("()")
        group.add_argument(f"--{option}", type=kind, metavar=METAVARS.get(kind, "X"), help=words)
    parser.set_defaults(run=finetune, command="finetune", labels=None, outputs=None)


def finetune(args: argparse.Namespace) -> int:
    budget = budget_of(args, EPOCHS)
    machine = machine_of(args)
    names = [option.replace("-", "_") for option in ("layer-decay", *TUNED)]
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    train, val = _sources(args)
    args.half, half = False, args.half  # of the weights that are written, not of those that are read
    vit = options.load(args)
    args.half = half

    from ..training.finetune import begin_finetuning

    with Watcher() as watcher:
        run = begin_finetuning(
            vit,
            train,
            val,
            args.out,
            budget,
            machine,
            given=given,
            head_only=args.head_only,
            hold_out=args.hold_out,
            resume=args.resume,
            facts={"command": command(sys.argv), "device": name_of(machine)},
            watch=watcher,
            decoding=watcher.decoding,
        )
        return carry_out(run, watcher)


def _sources(args: argparse.Namespace) -> tuple[Source, Source | None]:
    from ..training.begin import read_data
    from ..training.sources import read_cifar

    if args.data[0] not in CIFAR:
        _, train, val = read_data([Path(place) for place in args.data], args.val, args.classes)
        return train, val
    if len(args.data) > 1 or args.val or args.classes:
        raise UsageError(f"{args.data[0]} comes with its own names and test pictures; leave other data out.")
    train, val = (read_cifar(args.data[0], args.root, train=part, download=args.download) for part in (True, False))
    return train, val
