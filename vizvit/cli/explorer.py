"""`explorer`: the explorer over a picture as one HTML file, to open without a server or a network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..texts import LANGUAGES, of_library, words
from . import options, pictures

if TYPE_CHECKING:
    from ..forward.capture import Capture

EXAMPLES = """\
files, for cat.jpg:
  cat-explorer.html   opens in any browser, with the network off: the picture and every head of every layer from
                      the patch under the pointer, computed in the page from the model's queries and keys.
                      A ViT-B/16 at 224 pixels takes 10 MB.

examples:
  %(prog)s cat.jpg
  %(prog)s photos/ --model vit_small_patch16_224.dino --language ja"""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "explorer",
        help="the explorer over pictures, each as one HTML file that needs no network",
        description="Write the explorer over each picture as one HTML file that needs neither a server nor a network.",
        epilog=EXAMPLES,
    )
    options.add_pictures(parser)
    options.add_model(parser)
    output = parser.add_argument_group("output")
    options.add_folder(output)
    output.add_argument(
        "--language", choices=tuple(LANGUAGES), default="en", help="of the page's words (default: %(default)s)"
    )
    parser.set_defaults(run=explorer, command="explorer", format=None, npz=False)


def explorer(args: argparse.Namespace) -> int:
    found = pictures.find(args.pictures, args.out)
    vit = options.load(args)

    from ..explorer.standalone import build

    height, width = vit.grid.image_size
    model = {
        "model": vit.name,
        "weights": of_library(vit.weights, args.language, own=True),
        "width": width,
        "height": height,
    }
    caption = words("explorer", args.language)["standalone_caption"]
    if vit.channels == 1:
        caption += f" {words('sidebar', args.language)['grey']}"

    def look(cap: Capture, name: str) -> pictures.Findings:
        page = build(
            cap,
            title=name,
            caption=caption.format(picture=name, **model),
            language=args.language,
            python=python_lines(args, name),
        )
        return pictures.Findings(files={"html": page.encode("utf-8")})

    return pictures.each_picture(args, vit, found, look)


def python_lines(args: argparse.Namespace, picture: str) -> list[str]:
    """The same from a program of one's own, leaving `vit`, `image` and `cap`; the picture by its name alone."""
    chosen = {name: getattr(args, name) for name in ("weights", "arch", "image_size", "outputs")}
    further = [f"{name}={value!r}" for name, value in chosen.items() if value not in (None, "pretrained")]
    return [
        "import vizvit",
        "",
        f"vit = vizvit.load_model({', '.join([repr(args.model), *further])})",
        f"image = vizvit.load_image({picture!r})",
        "cap = vizvit.capture(vit, image)",
    ]
