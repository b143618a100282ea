"""`rollout`: what reaches a token through all layers, and how that grows layer by layer."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..numbers import share
from . import options, pictures, places
from .report import weights_note

if TYPE_CHECKING:
    from ..forward.capture import Capture

EXAMPLES = """\
files, for cat.jpg:
  cat-rollout.png            the rollout over the picture
  cat-rollout-by-layer.png   the chain, up to each layer
  cat-rollout.npz            numbers, raw (not rescaled):
    rollout        [rows, cols]         the map of the first figure
    steps          [layer, rows, cols]  the rollout from --start-layer up to each layer
    probabilities  [class]              what the model predicts, where it has a classifier
    values         [output]             instead, of a model of values
    about          JSON text            model, weights, the chain's parameters, query and the rest

examples:
  %(prog)s cat.jpg
  %(prog)s photos/ --fusion max --discard 0.9
  %(prog)s cat.jpg --query 7,9 --start-layer 4 --residual 0.5 --format svg

The method: Abnar & Zuidema, Quantifying Attention Flow in Transformers (2020)."""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "rollout",
        help="attention followed through all layers",
        description="Draw attention rollout: the layers' attention multiplied through, read at a token.",
        epilog=EXAMPLES,
    )
    options.add_pictures(parser)
    options.add_reading(parser)
    parser.add_argument(
        "--residual",
        type=options.share_of,
        default=0.5,
        metavar="SHARE",
        help="weight of the identity, which stands for the skip connection (default: %(default)s)",
    )
    parser.add_argument(
        "--discard",
        type=options.share_below_one,
        default=0.0,
        metavar="SHARE",
        help="share of the smallest weights that is set to zero in each layer (default: %(default)s)",
    )
    parser.add_argument(
        "--start-layer",
        type=options.from_the_end,
        default=0,
        metavar="LAYER",
        help="first layer of the chain (default: %(default)s)",
    )
    options.add_model(parser)
    options.add_output(parser, smooth=True)
    parser.set_defaults(run=rollout, command="rollout")


def rollout(args: argparse.Namespace) -> int:
    found = pictures.find(args.pictures, args.out)
    vit = options.load(args)
    start = places.layer_of(vit, args.start_layer, "--start-layer")
    token = places.token_of(vit, args.query)
    patch = places.patch_of(vit, token)

    from ..analysis import describe_query, rollout_steps
    from ..analysis.fusion import rest
    from ..figures import overlay_figure, steps_figure

    note, last = weights_note(vit), vit.num_layers - 1
    parameters = {
        "head_fusion": args.fusion,
        "discard_ratio": args.discard,
        "residual": args.residual,
        "start_layer": start,
    }
    chain = f"{args.fusion} over heads, residual {args.residual:g}, discard ratio {args.discard:g}"

    def look(cap: Capture, name: str) -> pictures.Findings:
        query = describe_query(cap, token)
        steps = rollout_steps(cap, token=token, **parameters)
        final = steps[-1]
        caption = f"{name}: read at the {query}; {chain}. {note} Colours from 0 to the map's own maximum"
        if cap.grid.num_prefix_tokens:
            caption += f"; {share(rest(final))} of the flow stays with prefix tokens"
        smoothed = ". Smoothed between patch centres for display." if args.smooth else "."
        figures = {
            "": overlay_figure(
                cap.view,
                final,
                query=patch,
                smooth=args.smooth,
                title=f"Attention rollout, layers {start} to {last}",
                caption=caption + smoothed,
                label="share of the flow",
                theme=args.theme,
            ),
            "by-layer": steps_figure(
                cap.view,
                steps,
                query=patch,
                titles=[
                    f"layer {start}",
                    *(f"layers {start}–{layer}" for layer in range(start + 1, last + 1)),
                ],
                title="Attention rollout, layer by layer",
                caption=f"{name}: the product up to each layer, read at the {query}; {chain}. {note} "
                "Each map is coloured from 0 to its own maximum.",
                label="share of the flow",
                theme=args.theme,
            ),
        }
        return pictures.Findings(figures, {"rollout": final, "steps": steps})

    return pictures.each_picture(args, vit, found, look, **parameters, query_token=token)
