"""The walk's parts that live in the browser: each a component with a script of its own and the theme's colours."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from vizvit.explorer.assets import joined

_HERE = Path(__file__).parent


@cache
def component(name: str, html: str, script: str, style: str) -> Callable[..., Any]:
    """script, style: files of this folder."""
    css = "".join((_HERE / file).read_text("utf-8") for file in ("theme.css", style))
    return st.components.v2.component(name, html=html, css=css, js=joined(_HERE / script))
