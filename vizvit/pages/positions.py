"""Positions: what the model knows of where a patch is, and what its patch embedding looks for."""

from __future__ import annotations

from html import escape

import numpy as np
import streamlit as st

from vizvit.analysis import PositionMap, embedding_filters, position_map
from vizvit.errors import ModelError
from vizvit.figures import SIGNED_CMAP, SIMILARITY_CMAP, filters_figure, position_similarity_figure
from vizvit.model.vit import POSITION_KINDS
from vizvit.pages.shared import language, look
from vizvit.pages.shared.language import named, say
from vizvit.pages.shared.picker import pick
from vizvit.pages.shared.pixels import colours, mosaic, outline, png, stretched
from vizvit.pages.sidebar.choice import Choice
from vizvit.texts import words


def page() -> None:
    choice: Choice = st.session_state.choice
    t = say("positions")
    st.title(t["title"])
    look.lead(t["lead"].format(model=escape(choice.vit.name), kind=named(POSITION_KINDS[choice.vit.position_kind])))
    found = choice.result("positions", lambda: position_map(choice.capture()), lambda m: m.values.nbytes if m else 0)
    if found is None:
        st.info(t["none"])
    else:
        _similarity(choice, found)
    _filters(choice)


@st.fragment
def _similarity(choice: Choice, found: PositionMap) -> None:
    t = say("positions")
    grid, weights = choice.vit.grid, look.plain(look.weights_note(choice.vit))
    what, unit = named(found.what), named(found.unit)
    low, high = limits(found)
    colormap = SIGNED_CMAP if found.signed else SIMILARITY_CMAP
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.subheader(t["every"])
        row, col = pick(
            choice.result("position tiles", lambda: tiles(found.values, colormap, (low, high)), len),
            grid.rows,
            grid.cols,
            start=(grid.rows // 2, grid.cols // 2),
            words=t["tile"],
            alt=t["tiles_alt"].format(rows=grid.rows, cols=grid.cols, unit=unit),
            key="position_tile",
        )
        st.caption(t["tiles_caption"].format(what=what, weights=weights))
    with right:
        st.subheader(t["place"].format(row=row, col=col))
        chosen = tile(found.values[row, col], colormap, (low, high), (row, col))
        look.show(chosen, width="stretch", alt=t["place_alt"])
        st.html(look.colour_bar(low, high, unit, colormap))
        st.caption(t["place_caption"].format(what=what[0].upper() + what[1:], weights=weights))
        look.downloads(
            "positions",
            lambda: position_similarity_figure(
                found.values,
                selected=(row, col),
                limits=limits(found),
                colormap=colormap,
                label=found.unit,
                caption=words("positions")["figure_caption"].format(
                    what=found.what, weights=look.weights_note(choice.vit, "en")
                ),
            ),
            lambda: {"similarity": found.values},
        )


def _filters(choice: Choice) -> None:
    t, vit = say("positions"), choice.vit
    st.subheader(t["filters"])
    try:
        filters = choice.result("filters", lambda: embedding_filters(vit, None))
    except ModelError as error:
        st.info(look.failure("filters", error))
        return
    with st.container(horizontal=True, gap="small"):
        for number, kernel in enumerate((255 * filters).astype(np.uint8), 1):
            look.show(png(stretched(kernel, (72, 72))), width=72, alt=t["filter_alt"].format(number=number))
    caption, spoken = (
        words("positions", lang)["filters_caption"].format(
            count=len(filters), patch=vit.grid.patch_size, weights=look.weights_note(vit, lang)
        )
        for lang in ("en", language.current())
    )
    st.caption(look.plain(spoken))
    look.downloads("filters", lambda: filters_figure(filters, caption=caption), lambda: {"filters": filters})


def limits(found: PositionMap) -> tuple[float, float]:
    """The scale of all tiles: the data's own range; for signed values symmetrical about zero."""
    if found.signed:
        peak = float(np.abs(found.values).max()) or 1.0
        return -peak, peak
    return float(found.values.min()), float(found.values.max())


def tiles(values: np.ndarray, colormap: str, scale: tuple[float, float], side: int = 900) -> bytes:
    """A PNG with the tile of each place at its place. values: [rows, cols, rows, cols]."""
    rows, cols = values.shape[:2]
    zoom = max(1, side // (max(rows, cols) * (max(rows, cols) + 1)))
    return mosaic(colours(values, colormap, *scale), (rows * zoom, cols * zoom), 1)


def tile(values: np.ndarray, colormap: str, scale: tuple[float, float], place: tuple[int, int]) -> bytes:
    """A PNG of one tile [rows, cols], enlarged, with its own place outlined."""
    (rows, cols), (row, col) = values.shape, place
    zoom = max(1, 640 // max(rows, cols))
    large = stretched(colours(values, colormap, *scale), (rows * zoom, cols * zoom))
    return png(outline(large, (col * zoom, row * zoom, (col + 1) * zoom, (row + 1) * zoom)))
