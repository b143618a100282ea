"""The maps beside each other, each with what it shows and what it does not."""

from __future__ import annotations

import html
from collections.abc import Callable

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from vizvit.errors import CaptureError, ModelError
from vizvit.explanations import METHODS
from vizvit.forward.capture import Capture
from vizvit.model.vit import VitModel
from vizvit.numbers import number, percent_of, thousands
from vizvit.pages.explanations import painting
from vizvit.pages.explanations.asking import Work, asked_for, button, is_heavy, under_way
from vizvit.pages.explanations.panels import Panel, explained, heat_of, is_there, title_of
from vizvit.pages.explanations.settings import Wanted, set_against
from vizvit.pages.shared import language, look
from vizvit.pages.shared.classes import class_name, likeliest, told
from vizvit.pages.shared.language import say, say_of
from vizvit.pages.shared.names import read_out_name
from vizvit.pages.shared.pixels import png
from vizvit.pages.sidebar.choice import Choice
from vizvit.pictures.samples import shown_on

_STYLE = """
<style>
  .vz-note { border-left: 3px solid ACCENT; padding: .1rem 0 .1rem .9rem; max-width: 60rem; margin: .2rem 0 .4rem; }
  .vz-map { margin: .5rem 0 0; line-height: 1.3; }
  .vz-map b { display: block; font-size: 1.08rem; }
  .vz-map.long b { min-height: 2.6em; align-content: end; }
  .vz-map span { display: block; font-size: .82rem; opacity: .8; min-height: 1.3em; }
  .vz-map span.own { color: ACCENT; opacity: 1; }
  .st-key-explanations .vz-bar { gap: .45rem; font-size: .82rem; }
  .st-key-explanations [data-testid="stCaptionContainer"] p { line-height: 1.45; }
  :has(> [class*="st-key-explanations_cancel"]) > [class*="st-key-explanations_ask"] { display: none; }
  .st-key-explanation_wrong button p { color: ACCENT; text-decoration: underline; text-underline-offset: .25em; }
  .st-key-explanation_checked [data-testid="stImageContainer"] { margin: 0 .35rem .35rem 0; }
  @media (max-width: 640px) {
    .st-key-explanation_settings,
    .st-key-explanation_settings [data-testid="stHorizontalBlock"] { gap: .55rem !important; }
    .st-key-explanation_settings [role="radiogroup"] { flex-wrap: wrap; overflow: visible; mask: none !important; }
    .st-key-explanation_settings [role="radiogroup"] button { max-width: 100%; }
    .st-key-explanation_row [data-testid="stWidgetLabel"] { display: none; }
    .st-key-explanation_row [data-testid="stColumn"]:nth-child(2):not(:last-child) { min-width: 8rem; flex: 1 1 8rem; }
    .st-key-explanation_row [data-testid="stColumn"]:nth-child(3) { min-width: fit-content; flex: 0 0 auto; }
    .st-key-explanation_wrong { gap: 0 !important; }
    .st-key-explanation_maps [data-testid="stHorizontalBlock"] { gap: .8rem; }
    .st-key-explanation_maps [data-testid="stColumn"] { min-width: calc(50% - .4rem); flex: 1 1 calc(50% - .4rem); }
    .st-key-explanation_maps .vz-bar { gap: .3rem; font-size: .72rem; }
  }
</style>
"""
LONG = 22  # letters of a title from which it may take two lines, so that all get the room


def style() -> None:
    st.html(_STYLE.replace("ACCENT", look.accent()))


def show(
    choice: Choice, cap: Capture, wanted: Wanted, panels: list[Panel]
) -> tuple[dict[Panel, np.ndarray], Work | None]:
    """Draw the picture and the maps; returns those that there are, and the work that makes the others."""
    st.subheader(_headline(choice, wanted, language.current(), look.plain))
    _when_wrong(choice, cap, wanted)
    if wanted.view != "methods":
        st.caption(_note(cap, wanted.method), help=METHODS[wanted.method].source)
    heats: dict[Panel, np.ndarray] = {}
    slow = _Slow(choice, panels)
    with st.container(key="explanation_maps"):
        across = 3 if len(panels) == 5 else 4
        cells = [cell for _ in range(-(-(len(panels) + 1) // across)) for cell in st.columns(across, gap="medium")]
        long = any(len(title_of(choice.vit, panel, wanted)) > LONG for panel in panels)
        with cells[0]:
            _picture(choice, cap, wanted, long)
        places = [cell.container() for cell in cells[1 : len(panels) + 1]]
        for panel, place in zip(panels, places, strict=True):
            with place:
                _heading(choice, panel, wanted, long)
                heat = None if slow.holds(panel) else _computed(choice, cap, panel)
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
    weights = look.plain(look.weights_note(choice.vit))
    st.caption(" ".join([*_said(choice.vit, wanted, heats), say("explanations")["of_model"].format(weights=weights)]))
    look.downloads("explanations", lambda: _figure(choice, cap, wanted, heats), lambda: _arrays(cap, wanted, heats))
    return heats, slow.work(cap)


class _Slow:
    """The maps that take long: one button asks for all of them, in the place of the first."""

    def __init__(self, choice: Choice, panels: list[Panel]):
        self.choice = choice
        self.heavy = [panel for panel in panels if is_heavy(choice.vit, panel.method)]
        pairs = dict.fromkeys((panel.method, target) for panel in self.heavy for target in panel.targets)
        self.missing = [pair for pair in pairs if not is_there(choice, *pair)]
        self.keys = [(*choice.key, pair) for pair in self.missing]
        self.asked = bool(self.missing) and asked_for("heavy", self.keys).issuperset(self.keys)
        self.passes = sum(METHODS[method].passes for method, _ in self.missing)
        self.line: DeltaGenerator | None = None
        self.status: DeltaGenerator | None = None

    def holds(self, panel: Panel) -> bool:
        """Whether a map is not there yet; draws what stands in its place."""
        t = say("explanations")
        if not any((panel.method, target) in self.missing for target in panel.targets):
            return False
        if self.status is not None:
            st.caption(t["not_yet"])
            return True
        self.status = st.empty()
        if self.asked:
            self.line = under_way(self.status, "heavy", self.keys)
        else:
            with self.status.container():
                st.caption(t["heavy"].format(count=thousands(self.passes)))
                button("heavy", t["compute"])
        return True

    def work(self, cap: Capture) -> Work | None:
        return Work("heavy", lambda: self._make(cap)) if self.asked else None

    def _make(self, cap: Capture) -> None:
        t, before, total = say("explanations"), 0, self.passes
        for method, target in self.missing:

            def tell(done: int, _: int, before: int = before) -> None:
                done += before
                said = t["heavy_progress"].format(done=thousands(done), total=thousands(total))
                self.line.progress(done / total, said)

            explained(self.choice, cap, method, target, tell)
            before += METHODS[method].passes
        st.rerun()  # the maps below and their curves are those of all maps that there are


def _headline(choice: Choice, wanted: Wanted, lang: str, written: Callable[[str], str]) -> str:
    """written: how a class's name is, as it is or for Markdown."""
    vit, t = choice.vit, say_of("explanations", choice.vit, lang)
    if wanted.target is None:
        return t["headline_none"]
    names = {"this": written(class_name(vit, wanted.target)), "method": t[f"method_{wanted.method}"]}
    if wanted.other is not None:
        names["that"] = written(class_name(vit, wanted.other))
        return t["headline_contrast"].format(**names)
    return t[f"headline_{wanted.view}"].format(**names)


def _note(cap: Capture, method: str, lang: str | None = None) -> str:
    """What a method shows and what it does not."""
    t = say_of("explanations", cap.vit, lang)
    if method == "attention" and cap.has_pooling_head:
        return t["note_attention_pooled"].format(heads=cap.num_heads)
    return t[f"note_{method}"].format(query=read_out_name(cap, lang), heads=cap.num_heads)


def _when_wrong(choice: Choice, cap: Capture, wanted: Wanted) -> None:
    """Where it is known what the picture shows and the model says something else: that, and a way to ask why."""
    t, vit, names = say("explanations"), choice.vit, shown_on(choice.image_key)
    if vit.outputs != "softmax":  # of several labels more than one may be right
        return
    right = [index for index in range(len(vit.labels)) if vit.short_label(index).casefold() in names]
    if not right or not vit.trained or (said := likeliest(vit, cap.predictions, 1)[0]) in right:
        return
    true = max(right, key=lambda index: cap.predictions[index])
    words_of = {"this": look.plain(class_name(vit, said)), "that": look.plain(class_name(vit, true))}
    given = told(vit, cap.predictions[true])
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="explanation_wrong"):
        st.markdown(t["wrong"].format(share=given, **words_of), width="content")
        if (wanted.target, wanted.other) != (said, true):
            st.button(
                t["why_wrong"].format(**words_of),
                key="explanation_why_wrong",
                type="tertiary",
                on_click=set_against,
                args=(choice, said, true),
            )


def _said(vit: VitModel, wanted: Wanted, heats: dict[Panel, np.ndarray], lang: str | None = None) -> list[str]:
    """What holds of all maps: their scale, and of what the gradients are."""
    t = say_of("explanations", vit, lang)
    said = [t[f"scaled_{_scale(wanted)}"]]
    said += [t["scaled_signed"]] if any(panel.signed for panel in heats) else []
    return said + ([t["gradient_of"]] if any(panel.specific for panel in heats) else [])


def _picture(choice: Choice, cap: Capture, wanted: Wanted, long: bool) -> None:
    t = say("explanations")
    st.html(_title(t["seen"], "<span></span>" if wanted.view == "methods" else "", long))
    pixels = painting.painted(cap.view, None, 1, False)
    look.show(png(pixels), width="stretch", alt=t["seen_alt"].format(picture=choice.image_name))
    height, width = cap.view.shape[:2]
    grid = cap.grid
    st.caption(
        t["seen_caption"].format(width=width, height=height, rows=grid.rows, cols=grid.cols, size=grid.patch_size)
    )


def _heading(choice: Choice, panel: Panel, wanted: Wanted, long: bool) -> None:
    t = say_of("explanations", choice.vit)
    tag = ""
    if wanted.view == "methods":
        unspecific = t["unspecific"] if choice.vit.labels else ""
        tag = f'<span class="own">{t["specific"]}</span>' if panel.specific else f"<span>{unspecific}</span>"
    st.html(_title(title_of(choice.vit, panel, wanted), tag, long))


def _title(title: str, tag: str, long: bool) -> str:
    return f'<p class="vz-map{" long" if long else ""}"><b>{html.escape(title)}</b>{tag}</p>'


def _computed(choice: Choice, cap: Capture, panel: Panel) -> np.ndarray | None:
    """The map; where there is none, why, in its place."""
    try:
        return heat_of(choice, cap, panel)
    except (CaptureError, ModelError) as error:
        st.info(look.failure("map", error))
        return None


def _draw(choice: Choice, cap: Capture, wanted: Wanted, panel: Panel, place, heat: np.ndarray, top: float) -> None:
    t = say_of("explanations", choice.vit)
    title = title_of(choice.vit, panel, wanted)
    with place:
        pixels = png(painting.painted(cap.view, heat, top, panel.signed))
        look.show(pixels, width="stretch", alt=t["alt"].format(title=title, method=t[f"method_{panel.method}"]))
        unit = t["share"] if _scale(wanted) == "shares" else ""
        write = percent_of if unit else number
        st.html(look.colour_bar(-top if panel.signed else 0, top, unit, painting.colours_of(panel.signed), write))
        if panel.other is not None:
            this, that = (look.plain(class_name(choice.vit, index)) for index in panel.targets)
            note = t["contrast_note_signed"] if METHODS[panel.method].signed else t["contrast_note"]
            st.caption(note.format(this=this, that=that))
        elif wanted.view == "methods":
            st.caption(_note(cap, panel.method), help=METHODS[panel.method].source)
        else:
            st.caption(t["class_note"].format(share=told(choice.vit, cap.predictions[panel.target])))


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
    scaled = _alike(wanted, heats) if wanted.alike else heats
    top = max(map(painting.most, scaled.values()), default=1.0)
    maps = [
        painting.Painting(
            title_of(choice.vit, panel, wanted, "en"), heat, top if wanted.alike else painting.most(heat), panel.signed
        )
        for panel, heat in scaled.items()
    ]
    said = [] if wanted.view == "methods" else [_note(cap, wanted.method, "en")]
    said += [*_said(choice.vit, wanted, heats, "en"), f"{look.weights_note(choice.vit, 'en')}."]
    return painting.figure(cap.view, maps, title=_headline(choice, wanted, "en", str), caption=" ".join(said))


def _arrays(cap: Capture, wanted: Wanted, heats: dict[Panel, np.ndarray]) -> dict[str, np.ndarray]:
    """Raw maps by name, with the class that they are of."""
    maps = {panel.name: heat for panel, heat in heats.items()}
    return (
        maps
        | look.predicted(cap)
        | {
            "view": cap.view,
            "target": np.array(-1 if wanted.target is None else wanted.target),
        }
    )
