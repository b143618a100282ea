"""`lesson`: a model with the explorer as one HTML file, which looks at any photograph without a server or a network."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..numbers import megabytes
from ..texts import LANGUAGES, of_library, words
from . import options
from .explorer import python_lines
from .report import say, tell

if TYPE_CHECKING:
    from ..explorer.lesson import Moment, Sample
    from ..model.vit import VitModel
    from ..walk.handed import Handed

SMALL = 256_000  # bytes of a sample that is held as it is
LONGEST, QUALITY = 640, 95  # of a larger one: pixels of its longer side; of its JPEG

EXAMPLES = """\
the file:
  opens in any browser, from a disk or a static host, with the network off, on a phone too. A picture that is dropped,
  pasted, chosen or taken is run through the model in the page; nothing is sent anywhere. It holds the weights: 11 MB
  for the shipped model, 30 MB for a ViT-Ti/16, 120 MB for a ViT-S/16; with --rounded half of the last two.

examples:
  %(prog)s --out vit.html
  %(prog)s --lang ja --snapshots
  %(prog)s --lesson "http://localhost:8501/walkthrough?lesson=scores%%20Where%%20does%%20the%%20ear%%20look%%3F&layer=4"
  %(prog)s --model runs/mine --out mine.html"""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "lesson",
        help="a model as one HTML file that looks at any photograph, without a server or a network",
        description="Write one HTML file that runs the model in the page and shows what every head looks at.",
        epilog=EXAMPLES,
    )
    options.add_model(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out", type=Path, default=Path("vit.html"), metavar="FILE", help="the file (default: %(default)s)"
    )
    output.add_argument(
        "--lang", choices=tuple(LANGUAGES), help="language of the page (default: that of the lesson, else en)"
    )
    output.add_argument(
        "--snapshots", action="store_true", help="the weights that the training left on its way too, with a slider"
    )
    output.add_argument(
        "--lesson",
        metavar="LINK",
        help="a lesson shared on the walkthrough page: its link, or a file with the link or the lesson in it",
    )
    output.add_argument(
        "--rounded",
        action="store_true",
        help="weights in half precision whatever they are: half the size of single precision, a little less exact",
    )
    parser.set_defaults(run=lesson, command="lesson")


def lesson(args: argparse.Namespace) -> int:
    vit = options.load(args)

    from ..explorer.lesson import SAID_ABOVE, build
    from ..files import write_bytes
    from ..pictures.samples import SAMPLES
    from ..walk.content import content

    shared = shared_lesson(args)
    asked = shared.values if shared else {}
    args.lang = args.lang or (asked.get("lang") if asked.get("lang") in LANGUAGES else "en")
    names, image = list(SAMPLES), asked.get("image", "")
    found = moments(vit, args)
    place = shared.place(vit.grid) if shared else None
    page = build(
        found,
        name=vit.name,
        labels=vit.labels,
        outputs=vit.outputs,
        samples=samples(args.lang),
        language=args.lang,
        python=python_lines(args, "picture.jpg"),
        rounded=args.rounded,
        walk=content(vit, found[-1].model, args.lang, tour=shared.tour if shared else None, place=place),
        first=names.index(image) if image in names else 0,
    ).encode("utf-8")
    if len(page) > SAID_ABOVE:
        say(f"{args.out} takes {megabytes(len(page))} MB, which a slow phone may not open.")
    write_bytes(args.out, page)
    tell(f"{args.out}  {megabytes(len(page))} MB")
    return 0


def shared_lesson(args: argparse.Namespace) -> Handed | None:
    """What --lesson names."""
    if not args.lesson:
        return None
    from ..reading import file_of, path_of
    from ..walk.handed import LONGEST_FILE, handed

    text = args.lesson
    if "?" not in text:
        text = file_of(path_of(text), LONGEST_FILE).decode("utf-8", "replace")
    shared = handed(text)
    if shared is None:
        raise options.UsageError(
            f"There is no lesson in {args.lesson[:80]}: a lesson's link has lesson= in it, with the names of stages. "
            f"Copy it again from the walkthrough page, in quotation marks, or give the file that the page made of it."
        )
    other = shared.values.get("model", "")
    if other and other != args.model:
        say(f"the lesson was made with {other}: with {args.model}, its layer, head and patch may show something else.")
    return shared


def moments(vit: VitModel, args: argparse.Namespace) -> list[Moment]:
    """The model's weights, with --snapshots those of its training before them."""
    from ..explorer.lesson import Moment
    from ..model.loading import load_model
    from ..model.plain import plain
    from ..model.snapshots import snapshots

    found = plain(vit)
    last = Moment(found.model, found.tensors, of_library(vit.weights, args.lang, own=True), vit.trained)
    if not args.snapshots:
        return [last]
    kept = snapshots(args.model)
    if not kept or args.weights != "pretrained":
        raise options.UsageError(
            f"There are no snapshots of the training of {vit.name} with these weights. Leave --snapshots out, or give "
            f"--model a directory that was trained with snapshots."
        )
    result = []
    for moment in kept:
        one = vit
        if moment.weights != "pretrained":
            one = load_model(args.model, weights=moment.weights, device=args.device, image_size=args.image_size)
        parts = found if one is vit else plain(one)
        told = of_library(one.weights, args.lang, own=True), one.trained
        result.append(Moment(parts.model, parts.tensors, *told, of_library(moment.title, args.lang), moment.top1))
    return result


def samples(language: str) -> list[Sample]:
    """The sample photographs: as the app has them, so that their numbers are the app's; large ones as a JPEG."""
    from PIL import Image

    from ..explorer.lesson import Sample
    from ..pictures.load import load_image
    from ..pictures.samples import SAMPLES

    result, titles = [], words("picture", language)
    for name, sample in SAMPLES.items():
        data, kind = sample.read(), "image/jpeg"
        if len(data) <= SMALL:
            kind = Image.open(io.BytesIO(data)).get_format_mimetype() or kind
        else:
            image, smaller = load_image(data), io.BytesIO()
            image.thumbnail((LONGEST, LONGEST))
            image.save(smaller, "JPEG", quality=QUALITY, subsampling=0)
            data = smaller.getvalue()
        result.append(Sample(titles[f"sample_{name}"], data, kind))
    return result
