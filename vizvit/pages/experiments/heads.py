"""Heads and layers switched off in a matrix of all of them."""

from __future__ import annotations

import streamlit as st

from vizvit.analysis.fusion import head_maps
from vizvit.figures import ATTENTION_CMAP
from vizvit.figures.raster import to_own_maximum
from vizvit.forward.capture import Capture
from vizvit.interventions import KnockOutHeads, KnockOutLayers
from vizvit.pages.experiments import cells, settings
from vizvit.pages.experiments.change import Change
from vizvit.pages.shared.language import say
from vizvit.pages.shared.names import query_name
from vizvit.pages.shared.pixels import colours, mosaic
from vizvit.pages.sidebar.choice import Choice

KEY = "experiment_heads"
TILE, GAP = 72, 2  # pixels of a map, and of white around it


def choose(choice: Choice, cap: Capture) -> Change | None:
    t = say("experiments")
    rows, cols = cap.num_heads, cap.num_layers  # layers from left to right, as in the explorer
    off = cells.toggle(
        choice.result(("experiment", "heads"), lambda: matrix(cap), len),
        rows,
        cols,
        words={name: t[f"heads_{name}"] for name in ("cell", "on", "label", "label_on", "hint")},
        alt=t["heads_alt"].format(layers=cols, heads=rows),
        key=KEY,
        labels=[str(layer) for layer in range(cols)],
        widest=max(360, 30 * cols),
    )
    layers = {col for row, col in off if row == cells.LABEL}
    heads = {(col, row) for row, col in off if row != cells.LABEL and col not in layers}
    with st.container(horizontal=True, vertical_alignment="center"):
        cells.back(KEY, rows, cols, t["all_back"])
        st.markdown(listed(heads, layers) if off else t["heads_all_on"], width="content")
    st.caption(t["heads_caption"].format(query=query_name(cap, pooled=False)))
    settings.write({"heads": cells.written(off, cols)})
    changes = (
        *((KnockOutLayers(frozenset(layers)),) if layers else ()),
        *((KnockOutHeads(frozenset(heads)),) if heads else ()),
    )
    return Change(changes) if changes else None


def listed(heads: set[tuple[int, int]], layers: set[int]) -> str:
    """What is off, a layer at a time, in words."""
    t, parts = say("experiments"), []
    for layer in sorted(layers | {layer for layer, _ in heads}):
        own = sorted(head for at, head in heads if at == layer)
        named = t["off_heads"].format(layer=layer, heads=", ".join(map(str, own)))
        parts.append(t["off_layer"].format(layer=layer) if layer in layers else named)
    return t["off"].format(parts="; ".join(parts))


def matrix(cap: Capture) -> bytes:
    """A PNG of every head's map from the query: heads downwards, layers to the right, each to its own maximum."""
    shades = colours(to_own_maximum(head_maps(cap)), ATTENTION_CMAP, 0, 1)
    return mosaic(shades, (TILE - 2 * GAP, TILE - 2 * GAP), GAP, by_column=True)
