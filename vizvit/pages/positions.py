"""Positions: what the model knows of where a patch is, and what its patch embedding looks for."""

from __future__ import annotations

import cv2
import matplotlib
import numpy as np
import streamlit as st

from vizvit.analysis import PositionMap, embedding_filters, position_map
from vizvit.errors import ModelError
from vizvit.figures import SIGNED_CMAP, SIMILARITY_CMAP, filters_figure, position_similarity_figure
from vizvit.model import POSITION_KINDS, VitModel
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.picker import pick


def page() -> None:
    choice: Choice = st.session_state.choice
    st.title("Positions")
    kind = POSITION_KINDS[choice.vit.position_kind]
    look.lead(f"Attention itself does not know where a patch lies. {choice.vit.name} has {kind}.")
    found = choice.result("positions", lambda: position_map(choice.capture()), lambda m: m.values.nbytes if m else 0)
    if found is None:
        st.info(
            "This model has no notion of position that could be drawn: shuffled patches would give it the same tokens."
        )
    else:
        _similarity(choice, found)
    _filters(choice.vit)


@st.fragment
def _similarity(choice: Choice, found: PositionMap) -> None:
    grid, note = choice.vit.grid, look.weights_note(choice.vit)
    low, high = limits(found)
    colormap = SIGNED_CMAP if found.signed else SIMILARITY_CMAP
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.subheader("Every place against every place")
        row, col = pick(
            mosaic(found.values, colormap, (low, high)),
            grid.rows,
            grid.cols,
            start=(grid.rows // 2, grid.cols // 2),
            words="Tile of row {row}, column {col}: click to enlarge",
            alt=f"{grid.rows} by {grid.cols} tiles, each the {found.unit} of one place with all others. "
            "Arrow keys choose a tile.",
            key="position_tile",
        )
        st.caption(f"Tile (row, column): {found.what}. {note}. All tiles share one scale.")
    with right:
        st.subheader(f"Row {row}, column {col}")
        tile = found.values[row, col]
        st.image(enlarged(tile, colormap, (low, high), (row, col)), width="stretch", alt="The chosen tile, enlarged")
        look.colour_bar(low, high, found.unit, colormap)
        st.caption(
            f"{found.what[0].upper()}{found.what[1:]}: from the outlined place to each other. {note}. "
            "The scale is that of all tiles."
        )
        look.downloads(
            "positions",
            lambda: position_similarity_figure(
                found.values,
                selected=(row, col),
                limits=limits(found),
                colormap=colormap,
                label=found.unit,
                caption=f"{found.what}. {note}. All tiles share one scale.",
            ),
            lambda: {"similarity": found.values},
        )


def _filters(vit: VitModel) -> None:
    st.subheader("Embedding filters")
    try:
        filters = embedding_filters(vit, min(28, 3 * vit.grid.patch_size**2))
    except ModelError as error:
        st.info(str(error))
        return
    with st.container(horizontal=True, gap="small"):
        for index, tile in enumerate(filters):
            shown = cv2.resize((255 * tile).astype(np.uint8), (72, 72), interpolation=cv2.INTER_NEAREST)
            st.image(look.png(shown), width=72, alt=f"Principal component {index + 1} of the patch-embedding filters")
    caption = (
        f"The first {len(filters)} principal components of the {vit.grid.patch_size}×{vit.grid.patch_size} RGB filters "
        f"of the patch embedding. {look.weights_note(vit)}. Grey is zero; each scaled by its own largest weight."
    )
    st.caption(caption)
    look.downloads("filters", lambda: filters_figure(filters, caption=caption), lambda: {"filters": filters})


def limits(found: PositionMap) -> tuple[float, float]:
    """The scale of all tiles: the data's own range; for signed values symmetrical about zero."""
    if found.signed:
        peak = float(np.abs(found.values).max()) or 1.0
        return -peak, peak
    return float(found.values.min()), float(found.values.max())


def mosaic(values: np.ndarray, colormap: str, scale: tuple[float, float], side: int = 900) -> bytes:
    """A PNG with the tile of each place at its place, a gap between tiles."""
    rows, cols = values.shape[:2]
    low, high = scale
    index = (255 * np.clip((values - low) / max(high - low, 1e-12), 0, 1)).astype(np.uint8)
    zoom = max(1, side // (max(rows, cols) * (max(rows, cols) + 1)))
    shades = matplotlib.colormaps[colormap](np.arange(256), bytes=True)[:, :3]
    tile = np.full((rows, cols, rows * zoom + 2, cols * zoom + 2, 3), 255, np.uint8)
    tile[:, :, 1:-1, 1:-1] = shades[index.repeat(zoom, 2).repeat(zoom, 3)]
    return look.png(np.ascontiguousarray(tile.transpose(0, 2, 1, 3, 4).reshape(rows * tile.shape[2], -1, 3)))


def enlarged(tile: np.ndarray, colormap: str, scale: tuple[float, float], place: tuple[int, int]) -> bytes:
    low, high = scale
    shades = matplotlib.colormaps[colormap](np.clip((tile - low) / max(high - low, 1e-12), 0, 1), bytes=True)[..., :3]
    zoom = max(1, 640 // max(tile.shape))
    large = cv2.resize(shades, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
    row, col = place
    return look.png(look.outline(large, (col * zoom, row * zoom, (col + 1) * zoom, (row + 1) * zoom)))
