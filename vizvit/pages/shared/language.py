"""The language of this session: what a link asks for, else the person's choice, else the browser's, else English."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from vizvit.texts import LANGUAGES, of_library, words, words_of_model

if TYPE_CHECKING:
    from vizvit.model.vit import VitModel


def current() -> str:
    """The language to write in now: "en" or "ja"."""
    state = st.session_state
    if state.get("language") not in LANGUAGES:
        asked = st.query_params.get("lang")
        state.language = asked if asked in LANGUAGES else _of_browser()
    return state.language


def say(section: str) -> dict[str, str]:
    """A section's words in the current language, as {key: template}."""
    return words(section, current())


def kind_of(vit: VitModel) -> str:
    """What a model gives: "softmax", "sigmoid", "value", or "features" where it has no classes."""
    return vit.outputs if vit.labels else "features"


def say_of(section: str, vit: VitModel, language: str | None = None) -> dict[str, str]:
    """A section's words as they are of this model."""
    return words_of_model(section, language or current(), vit.outputs, kind_of(vit))


def named(text: str, language: str | None = None) -> str:
    """What the library calls something (a token, a kind of position), in the current language."""
    return of_library(text, language or current())


def named_or_own(text: str, language: str | None = None) -> str:
    """As `named`, of what a person may have named (weights), or another library (a pooling of timm's)."""
    return of_library(text, language or current(), own=True)


def in_address() -> str:
    """What a link must say of the language: nothing where the browser would choose the same."""
    return "" if current() == _of_browser() else current()


def switch() -> None:
    """Where the language is chosen; each is called by its own name, so that it is found from any other."""
    st.session_state.setdefault("language_box", current())
    st.segmented_control(
        say("sidebar")["language"],
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key="language_box",
        required=True,
        label_visibility="collapsed",
        on_change=_use_language,
    )


def worded(key: str) -> str:
    """The key of a choice whose options are worded: the browser names what is chosen by its words, which a change of
    language would make unknown; the session says it again by value."""
    st.session_state.setdefault("worded", set()).add(key)
    return key


def tell_browser() -> None:
    """Name the language on the document, for fonts, line breaks and screen readers, and put the words of the current
    language over those that Streamlit's widgets write in English."""
    t = say("widgets")
    parts = {
        '[data-testid="stFileUploaderDropzone"] button p': t["upload"],
        '[data-testid="stFileUploaderDropzoneInstructions"] span': t["upload_limit"],
        '[data-testid="stCameraInput"]:has(video) [data-testid="stCameraInputButton"]': t["take_photo"],
        '[data-testid="stCameraInput"]:has(img) [data-testid="stCameraInputButton"]': t["clear_photo"],
    }
    rules = "".join(
        f'{part} {{ font-size: 0 }} {part}::after {{ content: "{text}"; font-size: .875rem }}'
        for part, text in parts.items()
    )
    st.html(f"<style>{rules}</style>")
    script = f'<script>document.documentElement.lang = "{current()}"</script>'
    st.html(f'<p class="vz-silent"></p>{script}', unsafe_allow_javascript=True)


def _use_language() -> None:
    state = st.session_state
    state.language = state.language_box
    for key in state.get("worded", ()):
        if key in state:
            state[key] = state[key]


def _of_browser() -> str:
    preferred = (st.context.locale or "").split("-")[0].lower()
    return preferred if preferred in LANGUAGES else "en"
