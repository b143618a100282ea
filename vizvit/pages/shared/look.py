"""What the pages have in common to look at: style, pictures with their captions and colour bars, downloads."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape

import cv2
import matplotlib
import numpy as np
import streamlit as st
from matplotlib.figure import Figure

from vizvit.figures import ACCENT, ATTENTION_CMAP, figure_bytes, overlay
from vizvit.figures.numbers import number
from vizvit.model.vit import VitModel
from vizvit.pages.shared import language
from vizvit.pages.shared.language import say
from vizvit.texts import words

ACCENT_DARK = "#ff5c93"  # the accent on dark paper

_STYLE = """
<style>
  h1 { font-size: 2rem !important; padding-bottom: .3rem !important; }
  h3 { font-size: 1.25rem !important; }
  .block-container { padding-top: 4.2rem; padding-bottom: 3rem; max-width: 1760px; }
  [data-testid="stSidebarUserContent"] { padding-top: 0.5rem; }
  [data-testid="stImage"] img { border-radius: 4px; }
  .vz-lead { font-size: 1.05rem; opacity: .8; margin: 0 0 .6rem; max-width: 60rem; }
  .vz-phone { display: none; font-size: .95rem; opacity: .8; margin: 0; }
  @media (min-width: 641px) { [data-testid="stElementContainer"]:has(.vz-phone) { display: none; } }
  @media (max-width: 640px) {
    .vz-phone { display: block; } .block-container { padding-top: 3.6rem; } h1 { font-size: 1.75rem !important; }
  }
  [data-testid="stElementContainer"]:has(.vz-silent) { display: none; }
  :is(h1, .vz-lead, .vz-phone, [data-testid="stCaptionContainer"] p):lang(ja) { word-break: auto-phrase; }
  .st-key-language_box button { border: 0; background: none !important; color: inherit !important; min-height: 1.6rem;
                                padding: 0 .8rem 0 0; opacity: .65; }
  .st-key-language_box button p { font-size: .8rem; }
  .st-key-language_box button[aria-checked="true"] { opacity: 1; text-decoration: underline;
                                                     text-underline-offset: .3em; }
  .vz-bar { display: flex; align-items: center; gap: .6rem; font-size: .85rem; opacity: .9;
            font-variant-numeric: tabular-nums; margin-top: -.4rem; }
  .vz-bar i { flex: 1; max-width: 16rem; height: .6rem; border-radius: 2px; }
  .vz-prob { display: grid; grid-template-columns: minmax(7rem, 1.2fr) 2fr 3.6rem; gap: .35rem .7rem;
             align-items: center; font-size: .95rem; font-variant-numeric: tabular-nums; }
  .vz-prob b { height: .8rem; border-radius: 2px; display: block; min-width: 2px; 
                background: var(--st-primary-color, #d81b60); }
  .vz-prob span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
</style>
"""


def style() -> None:
    st.html(_STYLE)


def still_wanted() -> Callable[[], None]:
    """A function that leaves the run when the person has moved on: any st call raises then."""
    slots = []

    def wait() -> None:
        if not slots:
            slots.append(st.empty())
        slots[0].caption(say("sidebar")["waiting"])

    return wait


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


def picture(
    view: np.ndarray,
    heat: np.ndarray | None = None,
    *,
    box: tuple[int, int, int, int] | None = None,
    smooth: bool = False,
    opacity: float = 0.65,
    side: int = 640,
) -> bytes:
    """A PNG of the model's view, enlarged by a whole factor, with a map over it and the query patch outlined.

    view: uint8 [H, W, 3]; heat: [rows, cols] raw; box: (left, top, right, bottom) in the view's pixels.
    """
    factor = max(1, round(side / max(view.shape[:2])))
    large = cv2.resize(view, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    if heat is not None:
        large = overlay(large, heat, smooth=smooth, opacity=opacity)
    if box is not None:
        large = outline(large, tuple(factor * edge for edge in box))
    return png(large)


def outline(rgb: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The query patch's outline: the accent colour with a white edge, visible on any picture."""
    left, top, right, bottom = box
    thick = max(2, max(rgb.shape) // 160)
    marked = np.ascontiguousarray(rgb)
    for colour, width in (((255, 255, 255), thick + 2), (_rgb(ACCENT), thick)):
        cv2.rectangle(marked, (left, top), (right - 1, bottom - 1), colour, width)
    return marked


def png(rgb: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def colour_bar(low: float, high: float, label: str, colormap: str = ATTENTION_CMAP) -> None:
    """The map's colours with their real values."""
    stops = matplotlib.colormaps[colormap](np.linspace(0, 1, 17), bytes=True)[:, :3]
    gradient = ", ".join(f"rgb({r} {g} {b})" for r, g, b in stops)
    st.html(
        f'<div class="vz-bar"><span>{number(low)}</span><i style="background: linear-gradient(90deg, {gradient})"></i>'
        f"<span>{number(high)}</span><span>{label}</span></div>"
    )


def plain(text: str) -> str:
    """A person's text for a Markdown caption, as it is: a file may be called *a* or $b$."""
    return re.sub(r"([\\`*_{}\[\]<>()#+.!|~$:-])", r"\\\1", text)


def share(value: float) -> str:
    """A share in per cent, with as many digits as it takes to tell it from nothing."""
    return f"{100 * value:.1f} %" if value >= 0.001 else f"{100 * value:.2g} %"


def weights_note(vit: VitModel, lang: str | None = None) -> str:
    """Of which model and weights a picture speaks, for its caption; in the current language or in `lang`."""
    lang = lang or language.current()
    height, width = vit.grid.image_size
    weights = language.named(vit.weights, lang)
    return words("look", lang)["weights"].format(model=vit.name, weights=weights, width=width, height=height)


def prediction(vit: VitModel, probabilities: np.ndarray, count: int = 5) -> None:
    """The likeliest classes with their probabilities as bars."""
    t = say("look")
    if not len(probabilities):
        st.caption(t["no_classifier"].format(model=vit.name))
        return
    best = np.argsort(probabilities)[::-1][:count]
    rows = "".join(
        f"<span title='{escape(vit.label(i))}'>{escape(vit.label(i).split(', ')[0])}</span>"
        f"<b style='width: {100 * probabilities[i]:.2f}%'></b><span>{share(probabilities[i])}</span>"
        for i in best
    )
    st.html(f'<div class="vz-prob">{rows}</div>')
    if not vit.trained:
        st.caption(t["chance"])


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
                    lambda kind=kind: figure_bytes(draw(), kind),
                    file_name=f"{name}.{kind}",
                    key=f"{name}-{kind}",
                    on_click="ignore",
                    width="stretch",
                )
        if arrays is not None:
            st.download_button(
                t["numbers"],
                lambda: _npz(arrays()),
                file_name=f"{name}.npz",
                key=f"{name}-npz",
                on_click="ignore",
                width="stretch",
            )


def _npz(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _rgb(colour: str) -> tuple[int, int, int]:
    return tuple(round(255 * part) for part in matplotlib.colors.to_rgb(colour))
