"""`features`: what the token vectors say: which patches are alike, their components as colours, their norms."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..numbers import number, share
from . import options, pictures, places
from .report import weights_note

if TYPE_CHECKING:
    from ..analysis import ArtefactTokens
    from ..forward.capture import Capture

EXAMPLES = """\
files, for cat.jpg:
  cat-features-similarity.png   how like the query's vector each patch's is, over the picture
  cat-features-components.png   the first three principal components of the patches as red, green, blue
  cat-features-by-layer.png     the same of every layer
  cat-features-norms.png        the patches' norms, artefact tokens outlined, and the histogram
  cat-features.npz              numbers, raw (not rescaled):
    similarity     [rows, cols]            cosine of the query with each patch
    components     [layer, rows, cols, 3]  coordinates along the components, of every layer
    shares         [layer, 3]              of the layer's variance, 0 to 1
    norms          [layer + 1, token]      L2 norms: the first block's input, then after each block
    artefacts      [rows, cols]            true for the patches of the high-norm population
    artefact_share [layer]                 their share of the patches after each block
    probabilities  [class]                 what the model predicts, where it has a classifier
    about          JSON text               model, weights, layer, query, threshold rule and the rest

examples:
  %(prog)s cat.jpg --query 7,9
  %(prog)s photos/ --layer 5 --model vit_small_patch14_reg4_dinov2.lvd142m --format pdf

Artefact tokens: Darcet et al., Vision Transformers Need Registers (2024)."""


def add(commands: options.Commands) -> None:
    parser = commands.add_parser(
        "features",
        help="similarity, components and norms of the token vectors",
        description="Draw what the token vectors after a block say: similarity to a query, components, norms.",
        epilog=EXAMPLES,
    )
    options.add_pictures(parser)
    places.add_layer(parser)
    parser.add_argument(
        "--query",
        type=options.query,
        metavar="ROW,COL|cls|NAME",
        help="whose vector the patches are compared with: a patch counted from 0, the class token, or another prefix "
        "token by name (default: the patch in the middle)",
    )
    options.add_model(parser)
    options.add_output(parser)
    parser.set_defaults(run=features, command="features")


def features(args: argparse.Namespace) -> int:
    found = pictures.find(args.pictures, args.out)
    vit = options.load(args)
    grid, layer = vit.grid, places.layer_of(vit, args.layer)
    token = places.token_of(vit, args.query or ("patch", (grid.rows - 1) // 2, (grid.cols - 1) // 2))
    patch = places.patch_of(vit, token)

    from ..analysis import artefact_tokens, describe_query, patch_map, patch_similarity, token_norms
    from ..analysis.features import artefact_shares, component_chain
    from ..figures.features import components_figure, norms_figure, similarity_figure

    note, theme, after = weights_note(vit), args.theme, f"after block {layer}"

    def look(cap: Capture, name: str) -> pictures.Findings:
        similarity, (components, shares) = patch_similarity(cap, token, layer), component_chain(cap)
        norms, artefacts = token_norms(cap), artefact_tokens(cap, layer)
        steady = "order and signs held steady from layer to layer"
        colours = f"{name}: red, green and blue are the components of the patches' vectors"
        percentiles = "from the 1st to the 99th percentile"
        figures = {
            "similarity": similarity_figure(
                cap.view,
                similarity,
                query=patch,
                title=f"Similarity in layer {layer}",
                caption=f"{name}: cosine of the {describe_query(cap, token)}'s vector with each patch's {after}. "
                f"{note} Colours {percentiles}.",
                theme=theme,
            ),
            "components": components_figure(
                components[layer : layer + 1],
                titles=[f"layer {layer}"],
                title=f"Components of layer {layer}",
                caption=f"{colours} {after}, {', '.join(share(float(part)) for part in shares[layer])} of their "
                f"variance, each {percentiles}; {steady}. {note}",
                theme=theme,
            ),
            "by-layer": components_figure(
                components,
                title="Components by layer",
                caption=f"{colours} after each block, each {percentiles}; {steady}. {note}",
                theme=theme,
            ),
            "norms": norms_figure(
                patch_map(norms[layer + 1], cap),
                mask=artefacts.mask,
                threshold=artefacts.threshold,
                title=f"Token norms in layer {layer}",
                caption=f"{name}: L2 norm of each patch's vector {after}, colours {percentiles}. "
                f"{_population(artefacts)} {note}",
                theme=theme,
            ),
        }
        arrays = {"similarity": similarity, "components": components, "shares": shares, "norms": norms}
        arrays |= {"artefacts": artefacts.mask, "artefact_share": artefact_shares([cap])[0]}
        return pictures.Findings(figures, arrays)

    return pictures.each_picture(args, vit, found, look, layer=layer, query_token=token)


def _population(artefacts: ArtefactTokens) -> str:
    if artefacts.threshold is None:
        return "No artefact tokens: no mode of high norms stands apart."
    number_of = int(artefacts.mask.sum())
    of = "1 patch" if number_of == 1 else f"{number_of} patches"
    return f"Outlined, {of}, {share(artefacts.share)}: a population of its own above {number(artefacts.threshold)}."
