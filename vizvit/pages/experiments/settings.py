"""Settings of an experiment that a link holds: read from the address once a session, written to it while shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from vizvit import reading
from vizvit.pages.shared.address import note_in_address

CELLS = ("swap", "heads", "unseen", "masked")  # what is switched on, on a board
NAMES = ("positions", "seed", "temperature", "scaling", "mask", "blocks", "blind", "layers", *CELLS)


def setting(name: str, default: Any, read: Callable[[str], Any]) -> str:
    """The session's key of a setting, filled from the address or else with the default.

    read: the value of what stands in the address, None for nonsense.
    """
    key = f"experiment_{name}"
    if key not in st.session_state:
        asked = st.query_params.get(name)
        value = None if asked is None else read(asked)
        st.session_state[key] = default if value is None else value
    return key


def write(shown: dict[str, str]) -> None:
    """Put these settings in the address and take the others out; an empty one is the default."""
    for name in NAMES:
        note_in_address(name, shown.get(name, ""))


def one_of(options: tuple) -> Callable[[str], Any]:
    """For `setting`: the option that the text names."""
    return {str(option): option for option in options}.get


def whole(low: int, high: int) -> Callable[[str], int | None]:
    """For `setting`: a whole number within the limits, inclusive."""
    return lambda text: reading.whole(text, low, high)


def seed(label: str, help: str | None = None) -> tuple[int, dict[str, str]]:
    """A seed to choose, and how the address holds it; one for all experiments."""
    key = setting("seed", 0, whole(0, 9999))
    value = int(st.number_input(label, 0, 9999, step=1, key=key, help=help, persist_state="session", width=160))
    return value, {"seed": str(value or "")}
