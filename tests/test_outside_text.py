"""Text from a link, a file or a model is shown as it is: never a picture, a link, a heading or a formula."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from vizvit.pages.shared import look

EVIL = "![i](http://evil.example/i.png) [Sign in](http://evil.example) <img src=x> $x^2$ :tada: :material/login:"
EVIL += " :red[r]"
PLACES = ("explore.page", "walkthrough.page", "rollout", "explanations.page", "positions", "heads")
PLACES += ("studies.page", "experiments.page")
NAMES = (
    *("image", "model", "weights", "arch", "height", "width", "training", "lang", "compare", "query", "layer", "head"),
    *("key", "open", "opacity", "direction", "fuse", "scale", "curve", "colours", "rollout", "smooth", "stage", "view"),
    *("class", "other", "method", "maps", "fill", "steps", "study", "measure", "find", "top", "like", "positions"),
    *("seed", "temperature", "scaling", "mask", "blocks"),
)
MARKDOWN = ("markdown", "error", "warning", "info", "success", "caption", "title", "header", "subheader")


@pytest.mark.parametrize(
    "text", [EVIL, "www.evil.example", "me@evil.example", "# big", "a -> b", "1. x", "    y", "&lt;"]
)
def test_nothing_of_it_is_markdown(text):
    shown = look.plain(text)
    bare = shown.replace("\\", "").replace("\u2060", "")
    assert bare.split() == text.split()  # what a reader sees
    for sign in ("![", "](", "http://", ":tada", ":material/", ":red[", "www.", "me@e", "->"):
        assert sign not in shown
    assert not re.search(r"(?<!\\)[<#$]", shown)
    assert not shown.startswith((" ", "1."))


def page_at(place: str) -> None:
    import importlib

    import streamlit as st

    from vizvit.pages.sidebar.choice import choose

    st.session_state.choice = choose()
    importlib.import_module(f"vizvit.pages.{place}").page()


@pytest.mark.parametrize("place", PLACES)
def test_every_parameter_of_every_page(place):
    at = AppTest.from_function(page_at, default_timeout=120, args=(place,))
    for name in NAMES:
        at.query_params[name] = EVIL
    at.run()
    assert not at.exception, at.exception
    assert at.error, "the sidebar says that there is no such model"
    for kind in MARKDOWN:
        for element in getattr(at, kind):
            assert "http://evil" not in element.value, (kind, element.value)
    for kind in ("button", "expander"):
        for element in getattr(at, kind):
            assert "http://evil" not in (element.label or ""), (kind, element.label)
