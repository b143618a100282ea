"""`position`: how a model tells places apart, and what its patch embedding looks for."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from . import options, pictures
from .report import say, tell, weights_note

if TYPE_CHECKING:
    from ..analysis import PositionMap
    from ..model.vit import VitModel

EXAMPLES = """\
files, for the shipped model:
  vizvit-tiny-position-similarity.png   a tile a place: how alike it is to every other place
  vizvit-tiny-position-filters.png      principal components of the patch embedding's filters
  vizvit-tiny-position.npz              numbers:
    similarity  [rows, cols, rows, cols]  cosine similarity of position embeddings; for rotary and
                                          relative positions what stands in their place, as about says
    filters     [n, patch, patch, 3]      0 to 1, grey 0.5 is zero
    about       JSON text                 model, weights and the rest

examples:
  %(prog)s
  %(prog)s --model vit_base_patch16_224.augreg2_in21k_ft_in1k --n-filters 56
  %(prog)s --model beit_base_patch16_224.in22k_ft_in22k_in1k --format svg

After Dosovitskiy et al., An Image is Worth 16x16 Words (2021), figure 7."""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "position",
        help="position embeddings and patch-embedding filters of a model",
        description="Draw how a model tells places apart, and the filters of its patch embedding.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "picture",
        nargs="?",
        type=Path,
        metavar="PICTURE",
        help="for models without position embeddings, which are run once to see what they have instead "
        "(default: a grey picture; the numbers of timm's models do not depend on it)",
    )
    parser.add_argument(
        "--n-filters",
        type=options.count,
        default=28,
        metavar="N",
        help="how many principal components to draw (default: %(default)s)",
    )
    options.add_model(parser)
    options.add_output(parser)
    parser.set_defaults(run=position, command="position")


def position(args: argparse.Namespace) -> int:
    found = pictures.find([args.picture] if args.picture else [], args.out)
    if args.n_filters < 1:
        raise options.UsageError(f"At least one filter can be drawn; received --n-filters {args.n_filters}.")
    vit = options.load(args)

    from ..analysis import embedding_filters
    from ..figures import filters_figure
    from ..model.vit import POSITION_KINDS

    note, figures, arrays, facts = weights_note(vit), {}, {}, {}
    places = _places(vit, found[0].path if found else None)
    if places is None:
        say(f"{vit.name} has no notion of position that could be drawn; going on with its filters.")
    else:
        arrays["similarity"], facts["similarity"] = places.values, places.what
        figures["similarity"] = _similarity(places, note, args.theme)
    if vit.patch_kernels() is None:
        say(f"{vit.name} does not embed patches by one linear map, so it has no filters to draw.")
    else:
        tiles = arrays["filters"] = embedding_filters(vit, args.n_filters)
        size = vit.grid.patch_size
        figures["filters"] = filters_figure(
            tiles,
            title="Patch-embedding filters",
            caption=f"The first {len(tiles)} principal components of the {size}×{size} RGB filters of the "
            f"patch embedding. {note} Grey is zero; each is scaled by its own largest weight.",
            theme=args.theme,
        )
    if not figures:
        raise options.UsageError(f"{vit.name} has neither positions nor filters to draw. Choose another model.")
    stem = re.sub(r"[^\w.+-]+", "_", vit.name)
    written = pictures.Writer(args, found).save(
        stem,
        pictures.Findings(figures, arrays),
        pictures.about(vit, args.command, position=vit.position_kind, **facts),
    )
    tell(f"{vit.name}: {POSITION_KINDS[vit.position_kind].partition(':')[0]} -> {', '.join(map(str, written))}")
    return 0


def _places(vit: VitModel, picture: Path | None) -> PositionMap | None:
    from ..analysis import PositionMap, position_map, position_similarity
    from ..forward.capture import capture
    from ..pictures.load import load_image

    if vit.position_embedding() is not None and vit.position_kind != "rotary":
        what = f"cosine similarity of the {vit.position_kind} position embeddings"
        return PositionMap(position_similarity(vit), vit.position_kind, what, "cosine similarity")
    if picture is not None:
        image = load_image(picture)
    else:
        from PIL import Image

        image = Image.new("RGB", vit.input_size[::-1], "grey")
    return position_map(capture(vit, image))


def _similarity(places: PositionMap, note: str, theme: str):
    from ..figures import position_similarity_figure

    limits, scale = (-1.0, 1.0), "Colours from −1 to 1 in all tiles."
    if places.signed:
        peak = float(abs(places.values).max()) or 1.0
        limits, scale = (-peak, peak), "All tiles share one scale, symmetrical about zero."
    return position_similarity_figure(
        places.values,
        limits=limits,
        title="Every place against every place",
        caption=f"One tile a place, coloured by what lies between it and every other: {places.what}. {note} {scale}",
        label=places.unit,
        theme=theme,
    )
