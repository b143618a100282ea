"""`attention`: where a token looks in one layer, over the picture, and every head of that layer."""

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
  cat-attention.png           the map over the picture
  cat-attention-by-head.png   every head of the layer
  cat-attention.npz           numbers, raw (not rescaled):
    attention      [rows, cols]        the map of the first figure
    heads          [head, rows, cols]  the maps of the second
    prefix         [head, token]       attention to the prefix tokens (class, registers)
    probabilities  [class]             what the model predicts, where it has a classifier
    values         [output]            instead, of a model of values
    about          JSON text           model, weights, layer, query and the rest

examples:
  %(prog)s cat.jpg
  %(prog)s cat.jpg --layer 5 --head 2 --query 7,9
  %(prog)s photos/ --model vit_small_patch16_224.dino --format pdf --smooth
  %(prog)s cat.jpg --model runs/mine.pth --arch vit_small_patch16_224 --labels classes.txt"""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "attention",
        help="one layer's attention over pictures, fused and by head",
        description="Draw where a token looks in one layer: a map over the picture, and every head.",
        epilog=EXAMPLES,
    )
    options.add_pictures(parser)
    places.add_layer(parser)
    parser.add_argument(
        "--head",
        type=options.head,
        metavar="N|all",
        help="one head, from 0, or all of them fused (default: all)",
    )
    options.add_reading(parser)
    options.add_model(parser)
    options.add_output(parser, smooth=True)
    parser.set_defaults(run=attention, command="attention")


def attention(args: argparse.Namespace) -> int:
    found = pictures.find(args.pictures, args.out)
    vit = options.load(args)
    layer, head = places.layer_of(vit, args.layer), places.head_of(vit, args.head)
    token = places.token_of(vit, args.query)
    patch = places.patch_of(vit, token)

    from ..analysis import attention_map, describe_query, patch_map
    from ..analysis.fusion import rest
    from ..figures import heads_figure, overlay_figure

    note = weights_note(vit)
    fused = f"{args.fusion} of {vit.num_heads} heads" if head is None else f"head {head}"

    def look(cap: Capture, name: str) -> pictures.Findings:
        query = describe_query(cap, token, pooled=False)
        prefix = cap.grid.num_prefix_tokens
        row = cap.attention_tensor(layer)[:, prefix:].mean(1) if token is None else cap.attention_row(layer, token)
        rows = row.cpu().numpy()  # [head, key]
        chosen = attention_map(cap, layer, head=head, head_fusion=args.fusion, token=token)
        by_head = patch_map(rows, cap)
        caption = f"{name}: from the {query} to each patch. {note} Colours from 0 to the map's own maximum"
        if prefix and (head is not None or args.fusion == "mean"):
            caption += f"; {share(rest(chosen))} of the attention goes to prefix tokens"
        smoothed = ". Smoothed between patch centres for display." if args.smooth else "."
        figures = {
            "": overlay_figure(
                cap.view,
                chosen,
                query=patch,
                smooth=args.smooth,
                title=f"Attention in layer {layer}, {fused}",
                caption=caption + smoothed,
                theme=args.theme,
            ),
            "by-head": heads_figure(
                by_head,
                image=cap.view,
                query=patch,
                title=f"The heads of layer {layer}",
                caption=f"{name}: from the {query} to each patch. {note} "
                "Each map is coloured from 0 to its own maximum.",
                theme=args.theme,
            ),
        }
        return pictures.Findings(figures, {"attention": chosen, "heads": by_head, "prefix": rows[:, :prefix]})

    settings = {
        "layer": layer,
        "head": head,
        "fusion": args.fusion if head is None else None,
        "query_token": token,
    }
    return pictures.each_picture(args, vit, found, look, **settings)
