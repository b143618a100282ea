"""Values kept in the page's address, so that a link reopens the same view."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

# Streamlit makes a step of the browser's history of every change of the address, which a step back would only undo
# until the next run writes it again: "back" did nothing, once for each change. Here it leaves the page.
_ONE_STEP_A_PAGE = """
<p class="vz-silent"></p>
<script>
  if (!history.oneStepAPage) {
    history.oneStepAPage = true
    const push = history.pushState
    history.pushState = function (state, title, url) {
      const stays = url != null && new URL(url, location).pathname === location.pathname
      return stays ? history.replaceState(state, title, url) : push.call(history, state, title, url)
    }
  }
</script>
"""


def one_step_a_page() -> None:
    """Make a page one step of the browser's history, whatever its address says meanwhile."""
    st.html(_ONE_STEP_A_PAGE, unsafe_allow_javascript=True)


def note_in_address(name: str, value: str) -> None:
    """Keep a value in the address, an empty one out of it; what is there already is not sent again."""
    note_all({name: value})


def note_all(values: Mapping[str, str]) -> None:
    """As `note_in_address`, all at once."""
    before = st.query_params.to_dict()
    after = {name: value for name, value in (before | dict(values)).items() if value or name not in values}
    if after != before:
        st.query_params.from_dict(after)
