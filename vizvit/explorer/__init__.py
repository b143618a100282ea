"""The explorer: every head of every layer, from the patch under the pointer, computed in the browser.

    blob = explorer.encode(cap, vit.view(image), explorer.window(cap, explorer.wanted_layer(key)))
    selection = explorer.mount(blob, key=key, trained=vit.trained, caption="...")

The browser gets queries and keys and computes the softmax itself, so moving over patches and changing layer
or head cost no round trip. Only a settled choice comes back, as the component's state `selection`; and
`layer`, when a person goes to a layer that was not sent.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vizvit.explorer.assets import script, stylesheet
from vizvit.explorer.payload import BUDGET, encode, window
from vizvit.texts import words

if TYPE_CHECKING:
    from vizvit.explorer.component import asked, feed, mount, wanted_layer, wanted_vectors

__all__ = [
    "BUDGET",
    "TEXTS",
    "asked",
    "encode",
    "feed",
    "mount",
    "script",
    "stylesheet",
    "wanted_layer",
    "wanted_vectors",
    "window",
]

TEXTS = words("explorer")

# What needs Streamlit is imported when it is first used: a file to keep is written without it.
_OF_THE_COMPONENT = {"_choose", "asked", "feed", "mount", "st", "wanted_layer", "wanted_vectors"}


def __getattr__(name: str) -> Any:
    if name not in _OF_THE_COMPONENT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("vizvit.explorer.component"), name)
