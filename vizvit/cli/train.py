"""`train`: a Vision Transformer from scratch, with checkpoints, on two cores or on a GPU."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .options import Commands, UsageError, amount, count, from_zero, share_below_one
from .training import Watcher, add_machine, batch_size, budget_of, machine_of, name_of, stopping

if TYPE_CHECKING:
    from ..training.run import Run

EXAMPLES = """\
files in DIR:
  model/           timm's config.json and model.safetensors, renewed at each checkpoint:
                   open it with --model DIR/model, in the app or load_model("DIR/model")
  checkpoint.pt    to go on from; the same command does, also after a crash or a kill
  log.jsonl        a JSON object a line: speed, loss, accuracy, with step and seconds
  curve.png        loss and accuracy over the run
  snapshots/       with --snapshots: float16 weights on the way, and index.json
  finish/          with --finish: the same files of the last part of a run with an open end

model/ and log.jsonl are enough to go on elsewhere: from the averaged weights, with the optimiser's state anew.

The pictures are decoded once, into the folder "decoded" beside DIR, and a teacher's tokens are kept there; it
can be deleted at any time.

With --open-end the rate stays at its peak, so that every hour helps, until Ctrl-C. --finish in its place then brings
the rate down over the last 15 %% of the whole, in DIR/finish, and leaves the run as it is, to go on with later.

Otherwise a run ends when its --minutes or --epochs are used, with the learning rate brought down by then. A finished
run that is given more in all goes on with a warm restart: the schedule anew over what is left. Options that
are not given when going on are those of the checkpoint.

examples:
  %(prog)s photos/ --val held-out/ --out runs/first --minutes 60
  %(prog)s train-*.parquet --val val.parquet --classes classes.csv --out runs/tiny --epochs 50 \\
      --compile --patch-drop 0.5 --snapshots
  %(prog)s photos/ --out runs/long --open-end --patch 4 --init runs/first/model \\
      --teacher vit_small_patch14_reg4_dinov2.lvd142m
  %(prog)s photos/ --out runs/long --finish
  %(prog)s train-*.parquet --val val.parquet --out runs/tiny --epochs 80   (30 more)"""

# option: (type, help); the defaults are the Recipe's
RECIPE = {
    "image-size": (count, "pixels of the input's side (64)"),
    "patch": (count, "pixels of a patch's side (8)"),
    "dim": (count, "width of a token (192)"),
    "depth": (count, "number of blocks (6)"),
    "heads": (count, "attention heads of a block (3)"),
    "batch": (batch_size, "pictures of a step (auto: what fits the data, 256 at most)"),
    "opt": (str, "a name of timm's optimiser factory (adamw)"),
    "lr": (amount, "peak of the learning rate (0.001)"),
    "weight-decay": (amount, "of the weight matrices (0.05)"),
    "beta2": (amount, "of Adam-like optimisers (0.99)"),
    "clip": (amount, "greatest norm of the gradient; 0: any (1)"),
    "warmup": (amount, "share of the budget in which the rate rises (0.05)"),
    "floor": (amount, "last learning rate as a share of its peak (0.01)"),
    "smoothing": (amount, "label smoothing (0.1)"),
    "mixup": (amount, "alpha (0.2)"),
    "cutmix": (amount, "alpha (1)"),
    "mix": (amount, "share of batches with mixup or cutmix (0.5)"),
    "drop-path": (amount, "greatest rate of dropped blocks (0)"),
    "patch-drop": (amount, "share of patches left out of a step, which makes it faster (0)"),
    "full": (amount, "last share of the budget in which all patches are seen; before it, for as long, half are (0.15)"),
    "teacher": (str, "a model, as --model of the other commands, whose tokens the student's are drawn to"),
    "teacher-weight": (amount, "of that beside the labels' loss (2)"),
    "settle": (amount, "weight of the last layer's class-token attention being drawn to the two layers' before it (0)"),
    "freeze": (str, "parts of the network that stay as they are, as blocks.0.attn.qkv,pos_embed (none)"),
    "ema": (amount, "decay of the averaged weights, which are exported (0.999)"),
    "crop": (amount, "smallest share of a picture's area that a crop keeps (0.4)"),
    "colour": (amount, "spread of brightness, contrast and saturation (0.3)"),
    "randaugment": (amount, "share of pictures turned, sheared, at times greyed or solarised (0)"),
    "erase": (amount, "share of pictures with a rectangle removed (0)"),
    "seed": (from_zero, "of every random number (0)"),
}
NOTES = ("--data-note", "--teacher-note", "--init-note")  # whose texts are the card's own
METAVARS = {count: "N", from_zero: "N", batch_size: "N|auto", str: "NAME"}


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "train",
        help="train a Vision Transformer from scratch",
        description="Train a ViT (class token, learned position embeddings) on labelled pictures.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "data",
        nargs="+",
        type=Path,
        metavar="DATA",
        help="Parquet files with the columns image (an encoded picture) and label, or a folder with one subfolder a "
        "class",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--val", type=Path, nargs="+", default=[], metavar="DATA", help="held-out pictures")
    parser.add_argument(
        "--hold-out",
        type=share_below_one,
        default=0.0,
        metavar="SHARE",
        help="of the data, where there is no --val (default: %(default)s)",
    )
    parser.add_argument("--classes", type=Path, metavar="CSV", help="class names: columns label, name")
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        help="insist on a checkpoint in DIR, or start over (default: go on where there is one)",
    )
    parser.add_argument(
        "--init",
        metavar="MODEL",
        help="start from these weights instead of random ones; with another --patch, resampled",
    )
    add_machine(parser)
    parser.add_argument("--snapshots", action="store_true", help="keep weights at 0, 1, 5, 25 and 100 %% of the run")
    group = parser.add_argument_group("recipe")
    for option, (kind, words) in RECIPE.items():
        group.add_argument(f"--{option}", type=kind, metavar=METAVARS.get(kind, "X"), help=words)
    parser.set_defaults(run=train, command="train")


def train(args: argparse.Namespace) -> int:
    if args.finish and (args.minutes is not None or args.epochs is not None or args.init):
        raise UsageError(
            "--finish takes its length and its weights from the run: leave --minutes, --epochs, --init out."
        )
    budget = budget_of(args)
    machine = machine_of(args, snapshots=args.snapshots)
    given = {name: getattr(args, name) for name in (option.replace("-", "_") for option in RECIPE)}

    from ..training.begin import begin

    with Watcher() as watcher:
        run = begin(
            args.data,
            args.val,
            args.out,
            budget,
            machine,
            classes=args.classes,
            given={name: value for name, value in given.items() if value is not None},
            resume=args.resume,
            init=args.init,
            finish=args.finish,
            hold_out=args.hold_out,
            facts={"command": command(sys.argv), "device": name_of(machine)},
            watch=watcher,
            decoding=watcher.decoding,
        )
        return carry_out(run, watcher)


def carry_out(run: Run, watcher: Watcher) -> int:
    """Train, with the curve drawn whatever happens."""
    from ..errors import ModelError
    from ..training.curve import write_curve

    if run.fraction >= 1:
        raise UsageError(f"The run in {run.out} has used its budget. Give more in all to go on with it.")
    watcher.start(run)
    try:
        with stopping() as stop:
            run.train(stop)
    except BaseException:
        with contextlib.suppress(ModelError):  # what went wrong first is what is said
            write_curve(run.out)
        raise
    write_curve(run.out)
    return 0


def command(argv: list[str]) -> str:
    """The command as it can be given elsewhere: without the folders of absolute paths, and the card's own text."""
    words, told = [], argv[1:]
    while told:
        word = told.pop(0)
        if word in NOTES:
            told = told[1:]
        elif not word.startswith(tuple(f"{name}=" for name in NOTES)):
            words.append(Path(word).name if Path(word).is_absolute() else word)
    return " ".join(["python -m vizvit", *(shlex.quote(word) for word in words)])
