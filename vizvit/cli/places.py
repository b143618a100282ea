"""Where to look in a model, as commands are told: a layer, a head, a token; checked once the model is known."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .options import Query, UsageError, from_the_end

if TYPE_CHECKING:
    from ..model.vit import VitModel


def add_layer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--layer", type=from_the_end, default=-1, help="from 0, or from the end: -1 is the last (default)"
    )


def layer_of(vit: VitModel, layer: int, option: str = "--layer") -> int:
    """The layer counted from 0."""
    last = vit.num_layers - 1
    if not -vit.num_layers <= layer <= last:
        raise UsageError(
            f"{vit.name} has layers 0 to {last} (or -1 for the last, and so on); received {option} {layer}."
        )
    return layer % vit.num_layers


def head_of(vit: VitModel, head: int | None) -> int | None:
    if head is not None and head >= vit.num_heads:
        raise UsageError(f"{vit.name} has heads 0 to {vit.num_heads - 1}; received --head {head}.")
    return head


def token_of(vit: VitModel, query: Query | None) -> int | None:
    """The query's index in the sequence; without a query the class token's, or None where there is none."""
    names, grid = vit.grid.prefix_names, vit.grid
    if query is None:
        return names.index("class") if "class" in names else None
    if isinstance(query, tuple):
        try:
            return grid.token(*query[1:])
        except IndexError as error:
            raise UsageError(f"{error} Received --query {query[1]},{query[2]}.") from error
    if query not in names:
        have = f"its prefix tokens are {', '.join(names)}" if names else "it has no prefix tokens"
        raise UsageError(
            f'{vit.name} has no token "{query}": {have}. Or give --query a patch as ROW,COL, '
            f"rows 0 to {grid.rows - 1} and columns 0 to {grid.cols - 1}."
        )
    return names.index(query)


def patch_of(vit: VitModel, token: int | None) -> tuple[int, int] | None:
    """(row, col) of a query that is a patch, to be outlined."""
    if token is None or token < vit.grid.num_prefix_tokens:
        return None
    return vit.grid.patch(token)
