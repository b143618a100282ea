"""The line above the explorer: what to do, what the model says of the picture, and where a lesson begins."""

from __future__ import annotations

from html import escape

import streamlit as st

from vizvit.forward.capture import Capture
from vizvit.model.vit import VitModel
from vizvit.pages.shared.classes import class_name, likeliest, told
from vizvit.pages.shared.language import say

_STYLE = """
<style>
  @media (min-width: 641px) { .block-container { padding-left: 2rem; padding-right: 2rem; } }
  .stMain [data-testid="stVerticalBlock"]:has(> * > .st-key-explore_greeting) { gap: .5rem; }
  .st-key-explore_top { gap: .2rem 1.4rem !important; min-height: 2rem; }
  .vz-invite { margin: 0; font-size: 1.15rem; font-weight: 600; line-height: 1.3; }
  .vz-invite:lang(ja) { word-break: auto-phrase; font-size: 1.05rem; }
  .vz-says { margin: 0; font-size: .95rem; line-height: 1.3; font-variant-numeric: tabular-nums; opacity: .85; }
  .st-key-explore_top [data-testid="stElementContainer"]:has([data-testid="stPageLink"]) { margin-left: auto; }
  @media (min-width: 1000px) {
    .st-key-explore_top { flex-wrap: nowrap !important; }
    .st-key-explore_top [data-testid="stElementContainer"]:has(.vz-says) { flex: 0 1 auto; min-width: 0; }
    .st-key-explore_top [data-testid="stElementContainer"]:not(:has(.vz-says)) { flex: none; }
    .vz-says { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  }
  .st-key-explore_top [data-testid="stPageLink"] p { font-size: .95rem; text-decoration: underline;
                                                     text-underline-offset: .25em; }
  @media (max-width: 640px) {
    .stMain :has(> :is(.st-key-explore_greeting, .st-key-explore_compare)),
    [data-testid="stElementContainer"]:has(.vz-phone) { order: 1; }
    [data-testid="stElementContainer"]:has(.vz-invite) { display: none; }
    .st-key-explore_top [data-testid="stElementContainer"]:has([data-testid="stPageLink"]) { margin-left: 0; }
  }
</style>
"""
CLASSES = 3
LEAST = 0.05  # of a class that is named after the first


def greet(place, vit: VitModel, cap: Capture) -> None:
    """On a phone it stands below the explorer, whose own hint invites there."""
    t = say("explore")
    with place, st.container(horizontal=True, vertical_alignment="center", key="explore_top"):
        st.html(f'{_STYLE}<p class="vz-invite">{t["invite"]}</p>', width="content")
        st.html(f'<p class="vz-says">{said(vit, cap)}</p>', width="content")
        walk = st.session_state.get("pages", {}).get("walkthrough")
        if walk:  # not where a page stands alone
            st.page_link(walk, label=t["walk"], icon=":material/arrow_forward:")


def said(vit: VitModel, cap: Capture) -> str:
    """HTML: the likeliest classes with their probabilities, or the first values; or why there are none."""
    t, predictions = say("explore"), cap.predictions
    if not len(predictions):
        return t["no_classes"]
    first, *others = likeliest(vit, predictions, CLASSES)
    named = [f"<b>{escape(class_name(vit, first))}</b> {told(vit, predictions[first])}"]
    more = [one for one in others if vit.outputs == "value" or predictions[one] >= LEAST]
    text = " · ".join([*named, *(f"{escape(class_name(vit, one))} {told(vit, predictions[one])}" for one in more)])
    return text if vit.trained else f"{text} ({t['chance']})"
