"""The options that commands share, what their values may be, and the model that they name."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .. import process
from ..reading import real, whole
from .report import Download, say

if TYPE_CHECKING:
    from ..model.vit import VitModel

FORMATS = ("png", "svg", "pdf")
Query = str | tuple[str, int, int]
Commands = argparse._SubParsersAction
# The library's advice is written for Python; here it names the options.
ADVICE = {
    'weights="random"': "--weights random",
    "`half`": "--half",
    '"auto" or "cpu"': "auto or cpu",
    r'arch="([^"]+)"': r"--arch \1",
    r"image_size=\((\d+), (\d+)\)": r"--image-size \1x\2",
}


class UsageError(ValueError):
    """A command line that cannot be carried out, in a sentence that says what to do."""


class Parser(argparse.ArgumentParser):
    """Keeps line breaks of the help, and reports what is wrong as one line."""

    def __init__(self, **options):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See {self.prog} --help.")


# --- options


def add_pictures(parser: Parser) -> None:
    parser.add_argument(
        "pictures",
        nargs="+",
        type=Path,
        metavar="PICTURE|FOLDER",
        help="a picture (JPEG, PNG, WebP, GIF, BMP, TIFF), or a folder of pictures, subfolders included",
    )


def add_reading(parser: Parser) -> None:
    """Options of commands that draw maps over pictures."""
    parser.add_argument(
        "--fusion",
        choices=("mean", "max", "min"),
        default="mean",
        help="how heads are fused (default: %(default)s)",
    )
    parser.add_argument(
        "--query",
        type=query,
        metavar="cls|ROW,COL|NAME",
        help="where to look from: the class token, a patch counted from 0, or another prefix token by name, "
        "such as dist or reg1 (default: the class token; without one, what stands in its place, as captions "
        "say)",
    )


def add_model(parser: Parser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model",
        default="vizvit-tiny",
        metavar="NAME|PATH",
        help="a timm model name, a directory of timm or transformers, a file of weights, or a repository of the hub, "
        "OWNER/NAME (default: %(default)s, which is shipped); see the command models",
    )
    group.add_argument(
        "--weights",
        default="pretrained",
        metavar="pretrained|random|PATH",
        help="random: seeded, the same every time; PATH: a file with weights of this architecture",
    )
    group.add_argument(
        "--arch",
        metavar="NAME",
        help="the timm architecture of a weights file given as --model, or heads=N, where the file leaves that open",
    )
    group.add_argument(
        "--image-size",
        type=image_size,
        metavar="H[xW]",
        help="input size in pixels (default: the model's own)",
    )
    group.add_argument("--labels", type=Path, metavar="FILE", help="class names: one a line, or a JSON list")
    add_outputs(group)
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    group.add_argument("--half", action="store_true", help="half precision, on CUDA only")


def add_outputs(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--outputs",
        choices=("softmax", "sigmoid", "value"),
        help="what the model's outputs are: one class, several labels at once, or values without probabilities "
        "(default: softmax; value for a single output)",
    )


def add_folder(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--out",
        type=Path,
        default=Path("vizvit-out"),
        metavar="DIR",
        help="folder for the results; a second run replaces those of the same name (default: %(default)s)",
    )


def add_output(parser: Parser, *, smooth: bool = False) -> None:
    group = parser.add_argument_group("output")
    add_folder(group)
    group.add_argument(
        "--format",
        type=formats,
        action="extend",
        metavar="png|svg|pdf",
        help="of the figures; several with commas or by repeating the option (default: png)",
    )
    group.add_argument(
        "--npz",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write the numbers too; the arrays are named below (default: yes)",
    )
    group.add_argument("--theme", choices=("light", "dark"), default="light", help="(default: %(default)s)")
    if smooth:
        group.add_argument(
            "--smooth",
            action="store_true",
            help="blend patches into each other in the large figure; display only",
        )


# --- values


def query(text: str) -> Query:
    """ "5,9" -> ("patch", 5, 9); other text is a prefix token's name."""
    row, comma, col = map(str.strip, text.partition(","))
    if comma and (down := whole(row)) is not None and (across := whole(col)) is not None:
        return "patch", down, across
    name = text.strip().lower()
    if not re.fullmatch(r"[a-z]+[ _-]?\d*", name):
        raise argparse.ArgumentTypeError(f'"{text[:60]}" is neither a patch as ROW,COL nor the name of a token')
    register = re.fullmatch(r"reg(?:ister)?[ _-]?(\d+)", name)
    return f"register {register[1]}" if register else {"cls": "class", "dist": "distillation"}.get(name, name)


def image_size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})(?:[x×]([0-9]{1,5}))?", text.strip().lower())
    if not match:
        raise argparse.ArgumentTypeError(f'"{text[:60]}" is not a size such as 224 or 224x336, height first')
    return int(match[1]), int(match[2] or match[1])


def formats(text: str) -> list[str]:
    names = [name.strip().lower().removeprefix(".") for name in text.split(",")]
    for name in names:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f'"{name[:60]}" is not one of {", ".join(FORMATS)}')
    return names


def head(text: str) -> int | None:
    if text.strip().lower() == "all":
        return None
    number = whole(text.strip())
    if number is None:
        raise argparse.ArgumentTypeError(f'"{text[:60]}" is neither a head counted from 0 nor all')
    return number


def count(text: str, low: int = 1, high: int = 10**9) -> int:
    """A whole number from low to high, for people and for argparse, which gives the text alone."""
    value = whole(text.strip().removeprefix("-"), 0, high)
    value = -value if value is not None and text.strip().startswith("-") else value
    if value is None or value < low:
        raise argparse.ArgumentTypeError(f'"{text[:60]}" is not a whole number from {low:,} to {high:,}')
    return value


def from_zero(text: str) -> int:
    return count(text, 0)


def from_the_end(text: str) -> int:
    """A layer, from 0, or from the end with a minus."""
    return count(text, -(10**6), 10**6)


def amount(text: str) -> float:
    """A number of at least 0, finite."""
    value = real(text.strip(), 0, 1e9)
    if value is None:
        raise argparse.ArgumentTypeError(f'"{text[:60]}" is not a number from 0 on, such as 0.5 or 1e-3')
    return value


def share_of(text: str, *, below_one: bool = False) -> float:
    value = real(text.strip(), 0, 1)
    if value is None or (below_one and value == 1):
        raise argparse.ArgumentTypeError(f'"{text[:60]}" is not a share from 0 to {"below " * below_one}1, such as 0.5')
    return value


def share_below_one(text: str) -> float:
    return share_of(text, below_one=True)


# --- the model, and values that depend on it


def load(args: argparse.Namespace) -> VitModel:
    """The model that the options name, with a progress bar where it has to be downloaded."""
    if args.labels is not None and not args.labels.is_file():
        raise UsageError(f"There is no file with class names at {args.labels}.")

    from ..errors import ModelError

    with process.for_good():
        from ..model.loading import load_model

    try:
        with Download(args.model) as on_progress:
            vit = load_model(
                args.model,
                weights=args.weights,
                device=args.device,
                arch=args.arch,
                image_size=args.image_size,
                labels=args.labels,
                outputs=args.outputs,
                half=args.half,
                on_progress=on_progress,
            )
    except ModelError as error:
        message = str(error)
        for words, option in ADVICE.items():
            message = re.sub(words, option, message)
        raise UsageError(message) from error
    for note in vit.notes:
        say(f"{vit.name}: {note}.")
    return vit
