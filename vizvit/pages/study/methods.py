"""The methods of explanation beside each other: deletion, insertion, pointing, and the two controls."""

from __future__ import annotations

import html

import streamlit as st

from vizvit.explain import METHODS
from vizvit.pages.explanation.areas import STYLE
from vizvit.pages.language import say
from vizvit.study import table


def show(summary: dict) -> None:
    """The table, the best method first; nothing where no method was judged."""
    head, *rows = table.cells(summary)
    if len(head) == 1 or not rows:
        return
    t, scores = say("studies"), summary["methods"]
    columns = [column for column in table.COLUMNS if any(column in found for found in scores.values())]
    st.subheader(t["methods"])
    titles = "".join(f"<th>{t[f'column_{column}']}</th>" for column in ("method", *columns))
    body = "".join(
        f"<tr><td>{_title(name)}</td>{''.join(f'<td>{_small(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in sorted(rows, key=lambda row: -merit(scores[row[0]]))
    )
    with st.container(key="study_methods"):
        st.html(STYLE)
        st.html(f"<table class='vz-areas'><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>")
    st.caption(" ".join(_notes(summary, columns)))


def merit(scores: dict) -> float:
    """What the table is sorted by: insertion minus deletion; of methods that only point, the share of hits."""
    if "insertion" in scores and "deletion" in scores:
        return scores["insertion"]["mean"] - scores["deletion"]["mean"]
    return scores["pointing"]["mean"] if "pointing" in scores else float("-inf")


def _title(name: str) -> str:
    t = say("explanations")
    method = METHODS.get(name)
    if method is None:
        return html.escape(name)
    control = f" <small>{say('studies')['control']}</small>" if method.control else ""
    return f"{html.escape(t[name] if method.control else t[f'method_{name}'])}{control}"


def _small(cell: str) -> str:
    value, sign, error = html.escape(cell).partition(" ± ")
    return f"{value}<small>{sign}{error}</small>" if sign else value


def _notes(summary: dict, columns: list[str]) -> list[str]:
    t, settings, (rows, cols) = say("studies"), summary["settings"], summary["grid"]
    notes = [t["sorted_areas" if "insertion" in columns else "sorted_pointing"]]
    if "insertion" in columns:
        fill = say("explanations")[f"fill_{settings['fill']}"]
        notes += [t["areas_note"].format(steps=settings["steps"] or rows * cols, fill=fill)]
    if "pointing" in columns:
        notes += [t["pointing_note"].format(count=summary["objects"])]
    return [*notes, t["error_note"]]
