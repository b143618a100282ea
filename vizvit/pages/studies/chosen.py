"""Whether the model in the sidebar is the study's own; where it is not, said, with the way to choose it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vizvit.model.loading import lasting
from vizvit.model.snapshots import snapshots
from vizvit.pages.shared import look
from vizvit.pages.shared.language import named_or_own, say
from vizvit.pages.sidebar.choice import DEFAULTS, Choice
from vizvit.study.opened import app_words


def is_chosen(choice: Choice, summary: dict) -> bool:
    """Whether the sidebar has the study's model: the same source, weights and input."""
    facts = choice.vit.facts()
    if any(facts[name] != summary[name] for name in ("architecture", "input_size", "grid")):
        return False
    words = app_words(summary)
    if not summary.get("opened") or words is None:
        return (choice.vit.name, choice.vit.weights) == (summary["model"], summary["weights"])
    key = choice.model_key
    return (lasting(key.name), str(key.weights)) == (words["model"], _weights(words))


def note(choice: Choice, summary: dict) -> None:
    """Say that another model is chosen, and offer the study's own."""
    if is_chosen(choice, summary):
        return
    t, facts, words = say("studies"), choice.vit.facts(), app_words(summary)
    names = summary["model"], facts["model"]
    if names[0] == names[1] and words:  # two folders may have the same name
        names = words["model"], lasting(choice.model_key.name)
    said = {"model": _spelled(names[0], summary), "chosen": _spelled(names[1], facts)}
    if words:
        st.info(t["other_model"].format(**said))
        st.button(t["choose"].format(model=look.plain(summary["model"])), on_click=choose, args=(summary,))
    else:
        st.info(f"{t['other_model'].format(**said)} {t['choose_yourself']}")


def can_choose(summary: dict) -> bool:
    return app_words(summary) is not None


def choose(summary: dict) -> None:
    """As the sidebar's own boxes do it; for callbacks."""
    state, words = st.session_state, app_words(summary)
    for name in ("model", "weights", "arch", "height", "width", "outputs"):
        state[name] = words.get(name, DEFAULTS[name])
    state.model_box = state.model
    moments = snapshots(state.model)
    if moments:
        state.training = int(words.get("training", len(moments) - 1))


def _spelled(name: str, facts: dict) -> str:
    height, width = facts["input_size"]
    return say("studies")["model"].format(
        model=look.plain(name), weights=look.plain(named_or_own(facts["weights"])), width=width, height=height
    )


def _weights(words: dict[str, str]) -> str:
    """What `load_model` takes for them, as the sidebar hands it on."""
    if "training" in words:
        return str(Path(snapshots(words["model"])[int(words["training"])].weights))
    return words.get("weights", DEFAULTS["weights"])
