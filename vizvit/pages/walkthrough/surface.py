"""Where a stage is drawn: the page, or a file of its own (`export.py`). A stage has no other way out."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, Protocol

import streamlit as st

from vizvit.explorer.walk.parts import Part
from vizvit.pages.shared.language import worded


class Surface(Protocol):
    """fixed: nobody can move on to another patch, layer or head."""

    fixed: bool

    def live(self, part: Part, key: str, data: Any, **changes: Callable[[], None]) -> None:
        """Put a part here. key: its own within the stage. data: JSON, or the bytes of a frame.

        changes: what to do, as on_NAME_change, when its script sends a NAME.
        """

    def beside(self, small: Callable[[], None], large: Callable[[], None]) -> None:
        """Draw one beside the other, or above it where there is no room."""

    def choose(self, key: str, label: str, options: Mapping[Hashable, str], draw: Callable[[Any], None]) -> None:
        """Draw what one of the options gives, by default the first. options: their names."""


class OnPage:
    fixed = False

    def live(self, part: Part, key: str, data: Any, **changes: Callable[[], None]) -> None:
        _component(part)(key=key, data=data, **changes)

    def beside(self, small: Callable[[], None], large: Callable[[], None]) -> None:
        left, right = st.columns([3, 5], gap="small")
        with left:
            small()
        with right:
            large()

    def choose(self, key: str, label: str, options: Mapping[Hashable, str], draw: Callable[[Any], None]) -> None:
        @st.fragment
        def chosen() -> None:
            names = list(options)
            draw(
                st.segmented_control(
                    label,
                    names,
                    format_func=options.__getitem__,
                    default=names[0],
                    required=True,
                    key=worded(key),
                    persist_state="session",
                )
            )

        chosen()


@cache
def _component(part: Part) -> Callable[..., Any]:
    return st.components.v2.component(f"vizvit_walk_{part.name}", html=part.html, css=part.css, js=part.js)
