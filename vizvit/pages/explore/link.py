"""The explorer's view in the address: what a link holds, and what it holds when it says nothing."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizvit.explorer.selection import start
from vizvit.grid import PatchGrid
from vizvit.pages.shared.address import note_all
from vizvit.reading import whole

NAMES = ("view", "direction", "fuse", "steps", "scale", "curve", "colours", "blend")
SWITCHES = ("rollout", "smooth", "grid_lines", "true_pixels")


def view_from_address(grid: PatchGrid) -> dict | None:
    """The view that a link names; None where it names none. What it says wrongly is left out."""
    params = st.query_params
    found: dict[str, Any] = {}
    for name in ("layer", "head", "key"):
        if (number := whole(params.get(name, ""))) is not None:
            found[name] = number
    found |= _query(params.get("query", ""), grid)
    found |= {name: params[name] for name in NAMES if name in params}
    found |= {name: params[name] == "1" for name in SWITCHES if params.get(name) in ("0", "1")}
    if "open" in params:
        found["open"] = params["open"].split(".")
    if (percent := whole(params.get("opacity", ""), 0, 100)) is not None:
        found["opacity"] = percent / 100
    return found or None


def write_view(selection: dict, grid: PatchGrid) -> None:
    """Keep what differs from where one starts in the address."""
    note_all(view_words(selection, grid))


def view_words(selection: dict, grid: PatchGrid) -> dict[str, str]:
    """What the address holds of a whole selection, by name; what is as where one starts is empty."""
    first = start()
    head = "" if selection["head"] is None else str(selection["head"])
    values = {"layer": str(selection["layer"]), "head": head, "query": _name(selection, grid)}
    values |= {name: selection[name] if selection[name] != first[name] else "" for name in NAMES}
    values |= {name: str(int(selection[name])) if selection[name] != first[name] else "" for name in SWITCHES}
    values["key"] = "" if selection["key"] is None else str(selection["key"])
    values["open"] = ".".join(selection["open"])
    opacity = round(100 * selection["opacity"])
    values["opacity"] = str(opacity) if opacity != round(100 * first["opacity"]) else ""
    return values


def _name(selection: dict, grid: PatchGrid) -> str:
    """ "class", "3,2" for a patch, "1,1-3,4" for a rectangle."""
    if selection["area"]:
        top, left, bottom, right = selection["area"]
        return f"{top},{left}-{bottom},{right}"
    token = selection["token"]
    prefix = token < grid.num_prefix_tokens
    return grid.prefix_names[token] if prefix else ",".join(map(str, grid.patch(token)))


def _query(text: str, grid: PatchGrid) -> dict:
    if text in grid.prefix_names:
        return {"token": grid.prefix_names.index(text)}
    corners = [tuple(map(whole, corner.split(",")[:3])) for corner in text.split("-")[:3]]
    if any(len(corner) != 2 or None in corner for corner in corners):
        return {}
    try:
        tokens = [grid.token(row, col) for row, col in corners]
    except IndexError:
        return {}
    if len(corners) == 1:
        return {"token": tokens[0]}
    return {"token": tokens[0], "area": [*corners[0], *corners[1]]} if len(corners) == 2 else {}
