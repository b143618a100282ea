"""What a person takes away: a number from the engine, the numbers of a view, a handout, a page of its own.

The browser asks (`explorer.asked`), Python answers once and feeds the same answer again on every later run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import numpy as np
import streamlit as st

from vizvit import explorer
from vizvit.analysis import patch_map, rollout_steps
from vizvit.errors import CaptureError
from vizvit.forward.capture import Capture
from vizvit.pages.explore import features, handouts
from vizvit.pages.explore.view_maps import head_values, query_of, view_map
from vizvit.pages.shared import language, look
from vizvit.pages.shared.language import say
from vizvit.pages.sidebar.choice import Choice

TYPES = {"npz": "application/zip", "handout": "application/pdf", "html": "text/html"}
ENDINGS = {"npz": "npz", "handout": "pdf", "html": "html"}


def answer(key: str, choice: Choice, cap: Capture, *, python: Sequence[str] = (), other: Capture | None = None) -> None:
    """Feed the explorer at `key` what was asked for last, made when it is asked for first.

    python: the lines that lead to the capture, for the page of its own. other: what it is compared with.
    """
    for name, channel in (("ask", "answer"), ("check", "check")):
        memory, asked = f"_{key}_{channel}", explorer.asked(key, name)
        if asked is None:  # also after a visit to another page, when the browser begins to count anew
            st.session_state.pop(memory, None)
            continue
        request, header, data = st.session_state.get(memory) or (None, {}, b"")
        if request != asked:
            header, data = _made(asked, choice, cap, python, other)
            st.session_state[memory] = (asked, header, data)
        explorer.feed(key, channel, {"number": asked["number"], "what": asked["what"], **header}, data)


def _made(
    asked: Mapping, choice: Choice, cap: Capture, python: Sequence[str], other: Capture | None
) -> tuple[dict, bytes]:
    t, what = say("keep"), asked["what"]
    try:
        if what == "check":
            return checked(cap, asked), b""
        view, pins = asked.get("view") or {}, asked.get("pins") or []
        if what == "npz":
            second = (other, asked["other"]) if other is not None and asked.get("other") else None
            data = npz(cap, view, choice, second)
        elif what == "handout":
            data = handouts.handout_pdf(cap, pins or [view], choice, other)
        elif what == "html":
            data = _html(cap, view, choice, python)
        else:
            return {"error": t["unknown"].format(what=what)}, b""
    except KeyError as error:
        return {"error": t["incomplete"].format(name=error)}, b""
    except (ValueError, TypeError, MemoryError) as error:
        return {"error": look.failure("file", error, written=str)}, b""
    return {"file": f"{_file_name(choice, view)}.{ENDINGS[what]}", "type": TYPES[what]}, data


# --- numbers


def checked(cap: Capture, asked: Mapping) -> dict:
    """The engine's attention of one head from a query to a key, and the greatest of that row."""
    head = asked["head"]
    if not 0 <= head < cap.num_heads:
        raise CaptureError(f"There is no head {head}: each layer has heads 0 to {cap.num_heads - 1}.")
    row = cap.attention_row(asked["layer"], asked["query"])[head]
    return {"value": float(row[cap.token_index(asked["key"])]), "row_maximum": float(row.max())}


def npz(cap: Capture, selection: Mapping, choice: Choice, other: tuple[Capture, Mapping] | None = None) -> bytes:
    """The numbers of a view as a .npz file.

    map [rows, cols] as shown; meta, JSON text. Of one layer: heads [head, rows, cols] and attention, [head, key] with
    the prefix tokens ([head, query] for "to"). Of a rollout: steps [layer, rows, cols].
    other: a second capture with its linked view, for other_map. Of features: see `features.arrays`.
    """
    if features.is_featured(selection):
        arrays = features.arrays(cap, selection, other)
        arrays["meta"] = np.array(json.dumps(about(cap, selection, choice), ensure_ascii=False))
        return look.npz(arrays)
    arrays = {"map": view_map(cap, selection)}
    if selection.get("rollout"):
        arrays["steps"] = rollout_steps(cap, head_fusion=selection.get("fuse", "mean"), **query_of(selection))
    else:
        arrays["attention"] = head_values(cap, selection)
        arrays["heads"] = patch_map(arrays["attention"], cap)
    if other is not None:
        arrays["other_map"] = view_map(*other)
    arrays["meta"] = np.array(json.dumps(about(cap, selection, choice), ensure_ascii=False))
    return look.npz(arrays)


def about(cap: Capture, selection: Mapping, choice: Choice) -> dict:
    """What the numbers of a view are, for a machine to read."""
    featured = features.is_featured(selection)
    rolled, token, grid = bool(selection.get("rollout")), selection.get("token", 0), cap.grid
    area = selection.get("area")
    return {
        **choice.vit.facts(),
        "picture": choice.image_name,
        "method": "rollout, residual 0.5" if rolled else selection.get("view", "attention"),
        "layer": f"0 to {cap.num_layers - 1}" if rolled else selection.get("layer", cap.num_layers - 1),
        "head": None if rolled or featured else selection.get("head"),
        "fusion": selection.get("fuse", "mean") if not featured and (rolled or selection.get("head") is None) else None,
        "query": {"area": list(area)} if area else {"token": token, "name": grid.name(token)},
        "direction": selection.get("direction", "from"),
        "scaling": f"raw values; shown scaled to {selection.get('scale', 'own')}, {selection.get('curve', 'linear')}",
        "versions": look.versions(),
    }


# --- the page of its own


def _html(cap: Capture, selection: Mapping, choice: Choice, python: Sequence[str]) -> bytes:
    from vizvit.explorer.standalone import build

    return build(
        cap,
        title=choice.image_name,
        caption=handouts.picture_line(choice),
        selection=selection,
        language=language.current(),
        trained=choice.vit.trained,
        python=python,
    ).encode()


def _file_name(choice: Choice, selection: Mapping) -> str:
    """A name for the file that tells views apart; letters, digits and hyphens of any script."""
    parts = [PurePath(choice.image_name.rpartition(": ")[2]).stem, choice.vit.name]
    if features.is_featured(selection):
        parts.append(selection["view"])
    parts.append("rollout" if selection.get("rollout") else f"layer-{selection.get('layer', 0)}")
    text = "-".join(parts)
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)[:80]
