"""The explorer as a Streamlit component: what goes to the browser and the settled choice that comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import streamlit as st

from vizvit.explorer.assets import script, stylesheet
from vizvit.explorer.payload import frame, read_header
from vizvit.explorer.selection import fit
from vizvit.texts import words


def mount(
    blob: bytes,
    *,
    key: str,
    selection: Mapping | None = None,
    trained: bool = True,
    caption: str = "",
    title: str = "",
    name: str = "",
    wander: bool = False,
    private: bool = False,
    python: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
    on_change: Callable[[], None] | None = None,
) -> dict:
    """Draw the explorer and return the settled choice, a dict as `selection.fit` describes it.

    blob: from `encode`.
    key: the component's key; its settled choices are kept in the session state under it.
    selection: where to start (by default the last layer, mean of heads, first token); what it leaves out is as at the
        start of a first visit.
        On later runs the same value, or the one last returned, changes nothing; any other moves the explorer.
    trained: False puts "untrained weights" on the picture.
    caption: one line below: what is shown, which weights.
    title: a few words above the picture where two are compared.
    name: what files kept of this picture are called.
    wander: until somebody points or types, the query tries telling patches by itself.
    private: the picture is not in the page's address, which is said when a link is copied.
    python: lines of code that leave `vit`, `image` and `cap` defined, for "copy as Python".
    texts: entries that replace those of `explorer.TEXTS`, for instance in another language.
    on_change: called before the rerun that a settled choice causes.
    """
    header = read_header(blob)
    start, current = _choose(header, selection, key)
    session = {
        "key": key,
        "start": start["number"],
        "selection": start["selection"],
        "trained": bool(trained),
        "caption": caption,
        "title": title,
        "name": name,
        "wander": wander,
        "private": private,
        "python": list(python),
        "texts": words("explorer") | dict(texts or {}),
    }
    _component()(
        key=key,
        data=frame(session, blob),
        on_selection_change=on_change or _nothing,
        on_layer_change=_nothing,
        on_compare_layer_change=_nothing,
        on_features_change=_nothing,
        on_compare_features_change=_nothing,
        on_ask_change=_nothing,
        on_check_change=_nothing,
    )
    return current


def feed(key: str, name: str, header: Mapping, blob: bytes = b"") -> None:
    """Hand something more to the explorer at `key`, without sending its capture again.

    name: "compare", a second capture (blob from `encode`); "features" and "compare_features", of either (blob from
    `encode_features`); or "answer" and "check", what the browser `asked` for.
    What is no longer fed in a run is taken away in the browser.
    """
    _feeder()(key=f"{key}-{name}", data=frame({"explorer": key, "name": name, **header}, blob))


def asked(key: str, name: str = "ask") -> dict | None:
    """What the person at `key` last asked of Python: {"number": int, "what": str, ...}; None for nothing yet.

    name: "ask" for a file, "check" for the model's own value of one attention weight.
    """
    state = st.session_state.get(key)
    return (state.get(name) if state else None) or None


def wanted_layer(key: str, default: int | None = None, *, compare: bool = False) -> int | None:
    """The layer that the person at `key` asked for because it was not among those sent; else `default`.

    compare: of the second capture.
    """
    state = st.session_state.get(key)
    layer = state.get("compare_layer" if compare else "layer") if state else None
    return default if layer is None else int(layer)


def wanted_vectors(key: str, capture: str, *, compare: bool = False) -> int | None:
    """The layer whose token vectors the person at `key` asked for because they were not sent yet; None for none.

    capture: its fingerprint; what was asked of another one no longer counts.
    """
    state = st.session_state.get(key)
    asked = (state.get("compare_features" if compare else "features") if state else None) or {}
    return asked["layer"] if asked.get("capture") == capture else None


def _choose(header: dict, wanted: Mapping | None, key: str) -> tuple[dict, dict]:
    """The numbered start that the browser shall obey, and the choice that holds now.

    The browser stamps each choice with the number of the start it began from; one that carries an older
    number was made before the page moved the explorer, or on another grid, and no longer counts.
    """
    memory = f"_{key}_start"
    start = st.session_state.get(memory)
    state = st.session_state.get(key)
    chosen = (state.get("selection") if state else None) or {}
    shape = [header[name] for name in ("num_layers", "num_heads", "rows", "cols", "prefix_names")]
    wanted = fit(wanted, header) if wanted is not None else None

    if start is None:
        first = wanted or fit({}, header)
        start = {"number": 1, "shape": shape, "wanted": wanted, "selection": first, "current": first}
    returned = current = start["current"]
    if chosen.get("start") == start["number"]:
        current = fit(chosen, header) if start["shape"] == shape else start["current"] | chosen
    asked = wanted is not None and wanted not in (start["wanted"], returned, current)
    reshaped = start["shape"] != shape
    afresh = not chosen and current != start["selection"]  # back from another page, where the browser forgot it
    if asked or reshaped or afresh:
        if asked:
            current = wanted
        elif reshaped:
            current = fit(current | {"token": 0, "area": None, "key": None}, header)
        start = start | {"number": start["number"] + 1, "shape": shape, "selection": current}
    st.session_state[memory] = start | {"wanted": wanted, "current": current}
    return start, current


@cache
def _component() -> Callable:
    """The registered component; made once for a process, when it is first mounted."""
    return st.components.v2.component(
        "vizvit_explorer", html='<div class="vizvit"></div>\n', css=stylesheet(), js=script()
    )


@cache
def _feeder() -> Callable:
    listening = (Path(__file__).parent / "feed.js").read_text(encoding="utf-8")
    return st.components.v2.component("vizvit_explorer_feed", html="<span></span>\n", js=listening)


def _nothing() -> None:
    """A state key needs a callback to exist."""
