"""The explorer: every head of every layer, from the patch under the pointer, computed in the browser.

    blob = explorer.encode(cap, vit.view(image), explorer.window(cap, explorer.wanted_layer(key)))
    selection = explorer.mount(blob, key=key, trained=vit.trained, caption="...")

The browser gets queries and keys and computes the softmax itself, so moving over patches and changing layer
or head cost no round trip. Only a settled choice comes back, as the component's state `selection`; and
`layer`, when a person goes to a layer that was not sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from vizvit.explorer.payload import BUDGET, encode, frame, read_header, window
from vizvit.texts import words

__all__ = ["BUDGET", "TEXTS", "asked", "encode", "feed", "mount", "script", "wanted_layer", "window"]

TEXTS = words("explorer")

_HERE = Path(__file__).parent
# In the order of the joined script; functions are hoisted, top-level constants come before their use.
_MODULES = (
    *("payload", "attention", "colour", "words", "feeds", "state", "view", "layout"),
    *("drawing", "atlas", "settle", "pointer", "keyboard", "controls", "main"),
)


def mount(
    blob: bytes,
    *,
    key: str,
    selection: Mapping | None = None,
    trained: bool = True,
    caption: str = "",
    texts: Mapping[str, str] | None = None,
    on_change: Callable[[], None] | None = None,
) -> dict:
    """Draw the explorer and return the settled choice: {"layer": int, "head": int or None, "token": int}.

    blob: from `encode`.
    key: the component's key; its settled choices are kept in the session state under it.
    selection: where to start (head None is the mean of heads; by default the last layer, mean, first token).
        On later runs the same value, or the one last returned, changes nothing; any other moves the explorer.
    trained: False puts "untrained weights" on the picture.
    caption: one line below: what is shown, which weights.
    texts: entries that replace those of `TEXTS`, for instance in another language.
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
        "texts": TEXTS | dict(texts or {}),
    }
    _component()(
        key=key,
        data=frame(session, blob),
        on_selection_change=on_change or _nothing,
        on_layer_change=_nothing,
        on_compare_layer_change=_nothing,
        on_ask_change=_nothing,
    )
    return current


def feed(key: str, name: str, header: Mapping, blob: bytes = b"") -> None:
    """Hand something more to the explorer at `key`, without sending its capture again.

    name: "compare", a second capture (blob from `encode`); or "answer", what the browser `asked` for.
    What is no longer fed in a run is taken away in the browser.
    """
    _feeder()(key=f"{key}-{name}", data=frame({"explorer": key, "name": name, **header}, blob))


def asked(key: str) -> dict | None:
    """What the person at `key` last asked of Python: {"number": int, "what": str, ...}; None for nothing yet."""
    state = st.session_state.get(key)
    return (state.get("ask") if state else None) or None


def wanted_layer(key: str, default: int | None = None, *, compare: bool = False) -> int | None:
    """The layer that the person at `key` asked for because it was not among those sent; else `default`.

    compare: of the second capture.
    """
    state = st.session_state.get(key)
    layer = state.get("compare_layer" if compare else "layer") if state else None
    return default if layer is None else int(layer)


def script() -> str:
    """All JavaScript modules as one: relative imports do not resolve in the blob that inline code becomes."""
    sources = ((_HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in _MODULES)
    joined = "\n".join(re.sub(r"^import .*;\n", "", source, flags=re.MULTILINE) for source in sources)
    return re.sub(r"^export (?!default)", "", joined, flags=re.MULTILINE)


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
    wanted = _fit(wanted, header) if wanted is not None else None

    if start is None:
        first = wanted or _fit({}, header)
        start = {"number": 1, "shape": shape, "wanted": wanted, "selection": first, "current": first}
    returned = current = start["current"]
    if chosen.get("start") == start["number"]:
        current = {name: chosen[name] for name in ("layer", "head", "token")}
    asked = wanted is not None and wanted not in (start["wanted"], returned, current)
    reshaped = start["shape"] != shape
    afresh = not chosen and current != start["selection"]  # back from another page, where the browser forgot it
    if asked or reshaped or afresh:
        if asked:
            current = wanted
        elif reshaped:
            current = _fit(current | {"token": 0}, header)
        start = start | {"number": start["number"] + 1, "shape": shape, "selection": current}
    st.session_state[memory] = start | {"wanted": wanted, "current": current}
    return start, current


def _fit(selection: Mapping, header: dict) -> dict:
    """A selection that exists in this capture; negative layers count from the end."""
    last = header["num_layers"] - 1
    layer = selection.get("layer", last)
    layer = layer + last + 1 if layer < 0 else layer
    head, token = selection.get("head"), selection.get("token", 0)
    return {
        "layer": int(min(max(layer, 0), last)),
        "head": int(head) if head is not None and 0 <= head < header["num_heads"] else None,
        "token": int(token) if 0 <= token < header["num_tokens"] else 0,
    }


def _component():
    """The registered component; made once for a process, when it is first mounted."""
    global _mount
    if _mount is None:
        _mount = st.components.v2.component(
            "vizvit_explorer",
            html='<div class="vizvit"></div>\n',
            css=(_HERE / "explorer.css").read_text(encoding="utf-8"),
            js=script(),
        )
    return _mount


def _feeder():
    global _feed
    if _feed is None:
        _feed = st.components.v2.component(
            "vizvit_explorer_feed", html="<span></span>\n", js=(_HERE / "feed.js").read_text(encoding="utf-8")
        )
    return _feed


_mount = _feed = None


def _nothing() -> None:
    """A state key needs a callback to exist."""
