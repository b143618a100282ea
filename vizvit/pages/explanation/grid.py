"""The maps beside each other, each with what it shows and what it does not."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from vizvit.capture import Capture
from vizvit.errors import CaptureError, ModelError
from vizvit.explain import METHODS
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.explanation import painting
from vizvit.pages.explanation.classes import class_name
from vizvit.pages.explanation.panels import Panel, heat_of, is_heavy, title_of
from vizvit.pages.explanation.settings import Wanted
from vizvit.pages.language import say
from vizvit.pages.naming import read_out_name
from vizvit.texts import words

_STYLE = """
<style>
  .vz-note { border-left: 3px solid var(--st-primary-color, #d81b60); padding: .1rem 0 .1rem .9rem; max-width: 60rem;
             margin: .2rem 0 .4rem; }
  .vz-map { margin: .5rem 0 0; line-height: 1.3; }
  .vz-map b { display: block; font-size: 1.08rem; }
  .vz-map span { display: block; font-size: .82rem; opacity: .8; min-height: 1.3em; }
  .vz-map span.own { color: var(--st-primary-color, #d81b60); opacity: 1; }
  .st-key-explanations .vz-bar { gap: .45rem; font-size: .82rem; }
  .st-key-explanations [data-testid="stCaptionContainer"] p { line-height: 1.45; }
  :has(> [class*="st-key-explanations_cancel"]) > [class*="st-key-explanations_ask"] { display: none; }
  .st-key-explanation_strip [data-testid="stImageContainer"] { margin: 0 .35rem .35rem 0; }
  @media (max-width: 640px) {
    .st-key-explanation_maps [data-testid="stHorizontalBlock"] { gap: .8rem; }
    .st-key-explanation_maps [data-testid="stColumn"] { min-width: calc(50% - .4rem); flex: 1 1 calc(50% - .4rem); }
    .st-key-explanation_maps .vz-bar { gap: .3rem; font-size: .72rem; }
  }
</style>
"""


def style() -> None:
    st.html(_STYLE)


def show(choice: Choice, cap: Capture, wanted: Wanted, panels: list[Panel]) -> dict[Panel, np.ndarray]:
    """Draw the picture and the maps; returns those that there are."""
    t = say("explanations")
    st.subheader(_headline(choice, wanted))
    heats: dict[Panel, np.ndarray] = {}
    with st.container(key="explanation_maps"):
        across = 3 if len(panels) == 5 else 4
        cells = [cell for _ in range(-(-(len(panels) + 1) // across)) for cell in st.columns(across, gap="medium")]
        with cells[0]:
            _picture(choice, cap, wanted)
        places = [cell.container() for cell in cells[1 : len(panels) + 1]]
        for panel, place in zip(panels, places, strict=True):
            with place:
                _heading(choice, panel, wanted)
                heat = _computed(choice, cap, panel)
            if heat is None:
                continue
            heats[panel] = heat
            if not wanted.alike:
                _draw(choice, cap, wanted, panel, place, heat, painting.most(heat))
        if wanted.alike and heats:
            scaled = _alike(wanted, heats)
            top = max(map(painting.most, scaled.values()))
            for panel, place in zip(panels, places, strict=True):
                if panel in scaled:
                    _draw(choice, cap, wanted, panel, place, scaled[panel], top)
    said = [t[f"scaled_{_scale(wanted)}"]]
    said += [t["scaled_signed"]] if any(panel.signed for panel in heats) else []
    said += [t["gradient_of"]] if any(panel.specific for panel in heats) else []
    st.caption(" ".join([*said, t["of_model"].format(weights=look.weights_note(choice.vit))]))
    look.downloads("explanations", lambda: _figure(choice, cap, wanted, heats), lambda: _arrays(cap, wanted, heats))
    return heats


def _headline(choice: Choice, wanted: Wanted) -> str:
    t, vit = say("explanations"), choice.vit
    if wanted.target is None:
        return t["headline_none"]
    names = {"this": class_name(vit, wanted.target), "method": t[f"method_{wanted.method}"]}
    if wanted.other is not None:
        names["that"] = class_name(vit, wanted.other)
        return t["headline_contrast"].format(**names)
    return t[f"headline_{wanted.view}"].format(**names) if wanted.view != "contrast" else names["this"]


def _picture(choice: Choice, cap: Capture, wanted: Wanted) -> None:
    t = say("explanations")
    tag = "<span></span>" if wanted.view == "methods" else ""
    st.html(f'<p class="vz-map"><b>{t["seen"]}</b>{tag}</p>')
    pixels = painting.painted(cap.view, None, 1, False)
    st.image(look.png(pixels), width="stretch", alt=t["seen_alt"].format(picture=choice.image_name))
    height, width = cap.view.shape[:2]
    grid = cap.grid
    st.caption(
        t["seen_caption"].format(width=width, height=height, rows=grid.rows, cols=grid.cols, size=grid.patch_size)
    )


def _heading(choice: Choice, panel: Panel, wanted: Wanted) -> None:
    t = say("explanations")
    tag = ""
    if wanted.view == "methods":
        tag = f'<span class="own">{t["specific"]}</span>' if panel.specific else f"<span>{t['unspecific']}</span>"
    title = html.escape(title_of(choice.vit, panel, wanted))
    st.html(f'<p class="vz-map"><b>{title}</b>{tag}</p>')


def _computed(choice: Choice, cap: Capture, panel: Panel) -> np.ndarray | None:
    """The map; where there is none, why, in its place."""
    t, asked = say("explanations"), st.session_state.setdefault("explanations_heavy", set())
    if is_heavy(choice.vit, panel) and choice.key not in asked:
        st.caption(t["heavy"])
        st.button(t["compute"], key=f"explanation_heavy_{panel.name}", on_click=asked.add, args=(choice.key,))
        return None
    try:
        return heat_of(choice, cap, panel)
    except (CaptureError, ModelError) as error:
        st.info(t["failed"].format(error=error))
        return None


def _draw(choice: Choice, cap: Capture, wanted: Wanted, panel: Panel, place, heat: np.ndarray, top: float) -> None:
    t = say("explanations")
    title = title_of(choice.vit, panel, wanted)
    with place:
        pixels = look.png(painting.painted(cap.view, heat, top, panel.signed))
        st.image(pixels, width="stretch", alt=t["alt"].format(title=title, method=t[f"method_{panel.method}"]))
        unit = t["share"] if _scale(wanted) == "shares" else ""
        look.colour_bar(-top if panel.signed else 0, top, unit, painting.colours_of(panel.signed))
        if panel.other is not None:
            names = {"this": class_name(choice.vit, panel.target), "that": class_name(choice.vit, panel.other)}
            st.caption(t["contrast_note"].format(**names))
        elif wanted.view == "methods":
            note = t[f"note_{panel.method}"].format(query=read_out_name(cap), heads=cap.num_heads)
            st.caption(note, help=METHODS[panel.method].source)
        else:
            st.caption(t["class_note"].format(share=look.share(float(cap.probabilities[panel.target]))))


def _scale(wanted: Wanted) -> str:
    """Methods differ in their units: alike, they are compared by shares."""
    if not wanted.alike:
        return "own"
    return "shares" if wanted.view == "methods" else "alike"


def _alike(wanted: Wanted, heats: dict[Panel, np.ndarray]) -> dict[Panel, np.ndarray]:
    if _scale(wanted) != "shares":
        return heats
    return {panel: painting.shares(heat) for panel, heat in heats.items()}


def _figure(choice: Choice, cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray]):
    t = words("explanations")
    scaled = _alike(wanted, heats) if wanted.alike else heats
    top = max(map(painting.most, scaled.values()), default=1.0)
    maps = {
        title_of(choice.vit, panel, wanted, "en"): (heat, top if wanted.alike else painting.most(heat), panel.signed)
        for panel, heat in scaled.items()
    }
    of = "" if wanted.target is None else class_name(choice.vit, wanted.target)
    method = "" if wanted.view == "methods" else t[f"method_{wanted.method}"]
    title = t["figure_title"].format(name=": ".join(filter(None, (method, of))) or t["headline_none"])
    caption = f"{t[f'scaled_{_scale(wanted)}']} {look.weights_note(choice.vit, 'en')}."
    return painting.figure(cap.view, maps, title=title, caption=caption)


def _arrays(cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray]) -> dict[str, np.ndarray]:
    """Raw maps by name, with the class that they are of."""
    maps = {panel.name: heat for panel, heat in heats.items()}
    return maps | {
        "view": cap.view,
        "probabilities": cap.probabilities,
        "target": np.array(-1 if wanted.target is None else wanted.target),
    }
