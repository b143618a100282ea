"""What the pages have in common to look at: style, captions and colour bars, the prediction, downloads."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import streamlit as st
from matplotlib.figure import Figure

from vizvit._version import __version__
from vizvit.figures import ACCENT, ATTENTION_CMAP, figure_bytes
from vizvit.forward.capture import Capture
from vizvit.model.vit import VitModel
from vizvit.numbers import number
from vizvit.pages.shared import language
from vizvit.pages.shared.classes import bars, likeliest
from vizvit.pages.shared.language import say
from vizvit.pages.shared.pixels import colours, png_url
from vizvit.texts import words

PER_CENT = "format(100 * datum.value, '.3~g') + ' %'"  # how the axis of a chart writes shares
ACCENT_DARK = "#ff5c93"  # the accent on dark paper

_STYLE = """
<style>
  h1 { font-size: 2rem !important; padding-bottom: .3rem !important; }
  h3 { font-size: 1.25rem !important; }
  .block-container { padding-top: 4.2rem; padding-bottom: 3rem; max-width: 1760px; }
  [data-testid="stSidebarHeader"] { margin-bottom: 0; padding-bottom: 0; }
  [data-testid="stSidebarUserContent"] { padding-top: 0; }
  [data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"] { gap: .6rem; }
  [data-testid="stSidebar"] [data-testid="stFileUploaderDropzone"] { padding: .35rem .6rem; min-height: 0;
                                                                     flex-direction: row; align-items: center; }
  [data-testid="stSidebar"] [data-testid="stImage"] img { max-height: 11rem; object-fit: contain; }
  [data-testid="stImage"] { column-gap: .6rem; }
  [data-testid="stImage"] img { border-radius: 4px; }
  .vz-lead { font-size: 1.05rem; opacity: .8; margin: 0 0 .6rem; max-width: 60rem; }
  .vz-phone { display: none; font-size: .95rem; opacity: .8; margin: 0; }
  @media (min-width: 641px) { [data-testid="stElementContainer"]:has(.vz-phone) { display: none; } }
  @media (max-width: 640px) {
    .vz-phone { display: block; } .block-container { padding-top: 4rem; } h1 { font-size: 1.75rem !important; }
  }
  [data-testid="stElementContainer"]:has(.vz-silent) { display: none; }
  [data-testid="stMain"] { scrollbar-gutter: stable; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-loading):not(:has([data-testid="stElementContainer"] > :not(.stEmpty)))
    { display: none; }
  .block-container > div > [data-testid="stElementContainer"]:has(> .stSpinner) {
    position: fixed; top: .8rem; right: 1rem; left: auto; width: fit-content !important; z-index: 999991;
    padding: .3rem .8rem; border-radius: 99px; background: var(--st-secondary-background-color, #f5f5f3); }
  :is(h1, .vz-lead, .vz-phone, [data-testid="stCaptionContainer"] p):lang(ja) { word-break: auto-phrase; }
  .st-key-language_box button { border: 0; background: none !important; color: inherit !important; min-height: 1.6rem;
                                padding: 0 .8rem 0 0; opacity: .65; }
  .st-key-language_box button p { font-size: .8rem; }
  .st-key-language_box button[aria-checked="true"] { opacity: 1; text-decoration: underline;
                                                     text-underline-offset: .3em; }
  .vz-bar { display: flex; flex-wrap: wrap; align-items: center; gap: .1rem .6rem; font-size: .85rem; opacity: .9;
            font-variant-numeric: tabular-nums; margin-top: -.4rem; }
  .vz-bar i { flex: 1 1 3rem; max-width: 16rem; height: .6rem; border-radius: 2px; }
  .vz-prob { display: grid; grid-template-columns: minmax(7rem, 1.2fr) 2fr 3.6rem; gap: .35rem .7rem;
             align-items: center; font-size: .95rem; font-variant-numeric: tabular-nums; }
  .vz-prob b { height: .8rem; border-radius: 2px; display: block; min-width: 2px; 
                background: var(--st-primary-color, #d81b60); }
  .vz-prob.values { grid-template-columns: minmax(7rem, max-content) 0 1fr; }
  .vz-prob span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
</style>
"""


def style() -> None:
    st.html(_STYLE)


def theme() -> str:
    """ "light" or "dark", as the person's browser shows the app."""
    return "dark" if st.context.theme.type == "dark" else "light"


def accent() -> str:
    """The colour of what is chosen, as it shows on the theme's paper."""
    return ACCENT if theme() == "light" else ACCENT_DARK


def quiet_mark() -> str:
    """The colour of the marks in a chart beside the chosen one."""
    return "#31688e" if theme() == "light" else "#6fb7d6"


def phone_hint() -> None:
    """On a narrow screen the sidebar is folded away: say where picture, model and pages are."""
    st.html(f'<p class="vz-phone">{say("app")["phone"]}</p>')


def lead(text: str) -> None:
    st.html(f'<p class="vz-lead">{text}</p>')


def show(png: bytes | Sequence[bytes], **options) -> None:
    """`st.image` of a PNG or several as they are, in the page itself.

    Streamlit would make a JPEG of it, whose colours are no longer those of the scale below, and a file that is gone
    when the same run draws another picture in its place while the browser still asks for it.
    """
    st.image(png_url(png) if isinstance(png, bytes) else [png_url(one) for one in png], **options)


def colour_bar(
    low: float,
    high: float,
    label: str,
    colormap: str = ATTENTION_CMAP,
    write: Callable[[float], str] = number,
) -> str:
    """HTML: a map's colours between the values that they stand for, as `write` writes them."""
    stops = colours(np.linspace(0, 1, 17), colormap, 0, 1)
    gradient = ", ".join(f"rgb({r} {g} {b})" for r, g, b in stops)
    return (
        f'<div class="vz-bar"><span>{write(low)}</span><i style="background: linear-gradient(90deg, {gradient})"></i>'
        f"<span>{write(high)}</span><span>{label}</span></div>"
    )


def plain(text: str) -> str:
    """Text from outside as it is, for where Streamlit reads Markdown: a file may be called *a* or $b$, and a link may
    name a model ![a](http://b).

    Streamlit makes emoji, icons, arrows and addresses of what is left when the escapes are gone: an invisible word
    joiner (U+2060) keeps those apart.
    """
    apart = r":(?=[\w+/-])|@|www(?=\.)|[<>~=-](?=[->=])"
    text = re.sub(apart, lambda found: f"{found[0]}\u2060", " ".join(text.split()))
    return re.sub(r"([\\`*_{}\[\]<>()#+.!|~$:&^=-])", r"\\\1", text)


def failure(what: str, error: Exception, written: Callable[[str], str] = plain, **named: str) -> str:
    """What a page says where the library raised an error: of what, a key of the words' section [failed], and why.

    written: the error as it has to be where the sentence stands, in Markdown by default.
    """
    said = {"error": str(error)} | named
    return say("failed")[what].format(**{key: written(text) for key, text in said.items()})


def weights_note(vit: VitModel, lang: str | None = None) -> str:
    """Of which model and weights a picture speaks, for its caption; in the current language or in `lang`."""
    lang = lang or language.current()
    height, width = vit.grid.image_size
    weights = language.named_or_own(vit.weights, lang)
    t = words("look", lang)
    template = t["weights_grey"] if vit.channels == 1 else t["weights"]
    return template.format(model=vit.name, weights=weights, width=width, height=height)


def prediction(cap: Capture, count: int = 5) -> None:
    """The likeliest classes with their probabilities as bars, or the first values; without any, why."""
    vit, t = cap.vit, language.say_of("look", cap.vit)
    if not len(cap.predictions):
        st.caption(t["no_classifier"].format(model=plain(vit.name)))
        st.caption(t["features"].format(dim=len(cap.features), length=number(float(np.linalg.norm(cap.features)))))
        return
    st.html(bars(vit, cap.predictions, likeliest(vit, cap.predictions, count)))
    about_outputs(vit)


def predicted(cap: Capture) -> dict[str, np.ndarray]:
    """What the model gives, for a file of numbers, by what it is."""
    if not cap.vit.labels:
        return {"features": cap.features}
    return {"values" if cap.vit.outputs == "value" else "probabilities": cap.predictions}


def about_outputs(vit: VitModel) -> None:
    """Below predictions: what their numbers are, where they do not share out one whole; and whether learned."""
    t = language.say_of("look", vit)
    said = [t[f"meaning_{vit.outputs}"]] if vit.outputs != "softmax" else []
    if said := [*said, *([t["chance"]] if not vit.trained else [])]:
        st.caption(" ".join(said))


def downloads(
    name: str, draw: Callable[[], Figure] | None = None, arrays: Callable[[], dict[str, np.ndarray]] | None = None
) -> None:
    """Buttons for the figure as PNG, SVG and PDF and for its numbers as .npz; each made when it is asked for.

    Figures speak English in every language: matplotlib's own fonts have no other letters.
    """
    t = say("look")
    with st.popover(t["download"], icon=":material/download:"):
        if draw is not None:
            for kind in ("png", "svg", "pdf"):
                st.download_button(
                    t["figure"].format(kind=kind.upper()),
                    partial(_drawn, draw, kind),
                    file_name=f"{name}.{kind}",
                    key=f"{name}-{kind}",
                    on_click="ignore",
                    width="stretch",
                )
        if arrays is not None:
            st.download_button(
                t["numbers"],
                lambda: npz(arrays()),
                file_name=f"{name}.npz",
                key=f"{name}-npz",
                on_click="ignore",
                width="stretch",
            )


def _drawn(draw: Callable[[], Figure], kind: str) -> bytes:
    return figure_bytes(draw(), kind)


def versions() -> dict[str, str]:
    """Of what numbers were made with, to stand beside them in a file."""
    return {"vizvit": __version__, **{name: version(name) for name in ("torch", "timm", "numpy")}}


def npz(arrays: dict[str, Any]) -> bytes:
    """Arrays as a .npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
