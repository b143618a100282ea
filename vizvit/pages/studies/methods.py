"""The methods of explanation beside each other: deletion, insertion, pointing, and the two controls."""

from __future__ import annotations

import html

import streamlit as st

from vizvit.pages.shared.language import say
from vizvit.pages.shared.tables import STYLE
from vizvit.study import table


def show(summary: dict) -> None:
    """The table, the best method first; nothing where no method was judged."""
    columns, rows = table.headings(summary, say), table.best_first(summary)
    if len(columns) == 1 or not rows:
        return
    st.subheader(say("studies")["methods"])
    titles = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(
        f"<tr><td>{_title(name)}</td>{''.join(f'<td>{_small(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in rows
    )
    with st.container(key="study_methods"):
        st.html(STYLE)
        st.html(f"<table class='vz-areas'><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>")
    st.caption(" ".join(table.notes(summary, say)))


def _title(name: str) -> str:
    title, control = table.title(name, say)
    return html.escape(title) + (f" <small>{control}</small>" if control else "")


def _small(cell: str) -> str:
    value, sign, error = html.escape(cell).partition(" ± ")
    return f"{value}<small>{sign}{error}</small>" if sign else value
