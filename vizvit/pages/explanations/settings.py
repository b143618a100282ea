"""What is asked of the page: the class, which maps beside each other, and on which scale."""

from __future__ import annotations

import html
from dataclasses import dataclass

import streamlit as st

from vizvit.explanations import METHODS
from vizvit.forward.capture import Capture
from vizvit.model.vit import VitModel
from vizvit.pages.explanations.classes import choose_class
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.classes import likeliest, told
from vizvit.pages.shared.language import say_of, worded
from vizvit.pages.sidebar.choice import Choice

VIEWS = ("methods", "classes", "contrast")
SCALES = ("own", "alike")
SHOWN = tuple(name for name, method in METHODS.items() if not method.control)
SPECIFIC = tuple(name for name in SHOWN if METHODS[name].needs_target)
FIRST = "relevance"


@dataclass(frozen=True)
class Wanted:
    """view: one of VIEWS. target: the class that is explained; other: the one it is set against; None without a
    classifier. best: the likeliest classes. method: of the views that show one. alike: all maps on one scale."""

    view: str
    target: int | None
    other: int | None
    best: tuple[int, ...]
    method: str
    alike: bool

    @property
    def shown(self) -> tuple[int, ...]:
        """The classes that one method is shown for."""
        return self.best if self.target in self.best else (*self.best, self.target)


def choose(choice: Choice, cap: Capture) -> Wanted:
    """Draw the controls; a model without classifier, or with one class alone, has fewer."""
    with st.container(key="explanation_settings"):
        return _chosen(choice, cap)


def _chosen(choice: Choice, cap: Capture) -> Wanted:
    vit, view, method, target, other = choice.vit, "methods", FIRST, None, None
    t, best = say_of("explanations", vit), likeliest(vit, cap.predictions)
    if not best:
        _note(t["no_classes"].format(model=vit.name))
    elif len(vit.labels) == 1:
        target = best[0]
        _note(t["one_class"].format(model=vit.name, name=vit.short_label(0), share=told(vit, cap.predictions[0])))
    else:
        before = st.session_state.get("explanations_class_before")
        target = choose_class(choice, cap.predictions, name="class", title=t["class"], best=best, default=best[0])
        st.session_state.explanations_class_before = target
        if st.session_state.get("explanations_other") == target:  # the two change places
            st.session_state.explanations_other = before
    if not vit.trained:
        _note(t["untrained"])
    several = len(vit.labels) > 1
    columns = _columns(several)
    if several:
        view = _segmented(columns[0], "view", views_of(vit), t)
        if view != "methods":
            method = _method(columns[1], t)
    alike = _segmented(columns[-1], "scale", SCALES, t) == "alike"
    note_in_address("method", "" if view == "methods" or method == FIRST else method)
    if view == "contrast":
        others = [index for index in likeliest(vit, cap.predictions, 6) if index != target][:5]
        other = choose_class(
            choice,
            cap.predictions,
            name="other",
            title=t["other"],
            best=others,
            default=others[0],
            without=target,
        )
    else:
        note_in_address("other", "")
    return Wanted(view, target, other, tuple(best), method, alike)


def views_of(vit: VitModel) -> tuple[str, ...]:
    """Values do not compete: none is set against another."""
    return VIEWS[:2] if vit.outputs == "value" else VIEWS


def set_against(choice: Choice, target: int, other: int) -> None:
    """For a button: why the one class and not the other."""
    state = st.session_state
    for name, index in (("class", target), ("other", other)):
        state[f"explanations_{name}"], state[f"explanations_{name}_of"] = index, choice.key
    state.explanations_view = "contrast"


def _columns(classes: bool) -> list:
    """Places for the controls: none that stays empty, which a phone would show as a gap."""
    first = st.session_state.get("explanations_view") or st.query_params.get("view", VIEWS[0])
    widths = ([4, 3, 3] if first in VIEWS[1:] else [7, 3]) if classes else 1
    with st.container(key="explanation_row"):
        return st.columns(widths, gap="medium")


def _note(text: str) -> None:
    st.html(f'<p class="vz-note">{html.escape(text)}</p>')


def _segmented(place, name: str, options: tuple[str, ...], t: dict[str, str]) -> str:
    """A choice among words, kept in the address."""
    key = worded(f"explanations_{name}")
    _begin(key, name, options, options[0])
    chosen = place.segmented_control(
        t[name],
        options,
        format_func=lambda option: t[f"{name}_{option}"],
        key=key,
        required=True,
        persist_state="session",
    )
    note_in_address(name if name == "view" else "maps", "" if chosen == options[0] else chosen)
    return chosen


def _method(place, t: dict[str, str]) -> str:
    key = worded("explanations_method")
    _begin(key, "method", SPECIFIC, FIRST)
    return place.selectbox(
        t["method"],
        SPECIFIC,
        format_func=lambda name: t[f"method_{name}"],
        key=key,
        help=t["method_help"],
        persist_state="session",
    )


def _begin(key: str, name: str, options: tuple[str, ...], default: str) -> None:
    """What a link asks for, or else the default, once a session."""
    if st.session_state.get(key) not in options:
        asked = st.query_params.get("maps" if name == "scale" else name)
        st.session_state[key] = asked if asked in options else default
