"""`heads`: how far and how widely each head looks, by depth."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import options, pictures
from .report import weights_note

if TYPE_CHECKING:
    from ..forward.capture import Capture

EXAMPLES = """\
files, for cat.jpg:
  cat-heads-distance.png   mean attention distance of each head, by layer
  cat-heads-entropy.png    mean entropy of its attention
  cat-heads-prefix.png     share of the patches' attention on prefix tokens, where the model has any
  cat-heads.npz            numbers:
    distance       [layer, head]  pixels of the model's input
    entropy        [layer, head]  nats
    prefix_share   [layer, head]  0 to 1, where the model has prefix tokens
    probabilities  [class]        what the model predicts, where it has a classifier
    values         [output]       instead, of a model of values
    about          JSON text      model, weights and the rest

examples:
  %(prog)s cat.jpg
  %(prog)s photos/ --model deit3_small_patch16_224.fb_in1k --no-npz --format pdf

Attention distance: Dosovitskiy et al., An Image is Worth 16x16 Words (2021), figure 7."""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "heads",
        help="how far and how widely each head looks, by depth",
        description="Draw one number a head by depth: attention distance, entropy, share on prefix tokens.",
        epilog=EXAMPLES,
    )
    options.add_pictures(parser)
    options.add_model(parser)
    options.add_output(parser)
    parser.set_defaults(run=heads, command="heads")


def heads(args: argparse.Namespace) -> int:
    found = pictures.find(args.pictures, args.out)
    vit = options.load(args)

    from ..analysis import head_statistics
    from ..figures import depth_figure

    # (part of the file's name, statistic, title, axis, what the numbers are)
    measures = [
        ("distance", "distance", "Mean attention distance", "distance (px of the input)",
         "distance from a patch to those it looks at, weighted by attention, mean over all patches"),
        ("entropy", "entropy", "Mean entropy of attention", "mean entropy (nats)",
         "0 where every token looks at one token, more where it looks at many; mean over all queries"),
        ("prefix", "prefix_share", "Attention on prefix tokens", "share on prefix tokens",
         f"share of the patches' attention that goes to {', '.join(vit.grid.prefix_names)}"),
    ]  # fmt: skip
    if not vit.grid.num_prefix_tokens:
        measures.pop()
    note = weights_note(vit)

    def look(cap: Capture, name: str) -> pictures.Findings:
        figures, arrays, found = {}, {}, head_statistics(cap)
        for part, key, title, axis, what in measures:
            values = arrays[key] = found[key]
            caption = f"{name}: {what}. A dot a head, the line through each layer's mean; nothing rescaled. {note}"
            figures[part] = depth_figure(values, ylabel=axis, title=title, caption=caption, theme=args.theme)
        return pictures.Findings(figures, arrays)

    return pictures.each_picture(args, vit, found, look)
