"""What was studied: the pictures, the broken ones by name, the model, and the files to take along."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from vizvit.numbers import share, thousands
from vizvit.pages.shared import look
from vizvit.pages.shared.language import named_or_own, say
from vizvit.reading import kind_of
from vizvit.study import table
from vizvit.study.merge import PICTURES
from vizvit.study.report import REPORT

KINDS = {REPORT: "text/html", PICTURES: "application/vnd.apache.parquet"}


def show(summary: dict, folder: Path) -> None:
    t = say("studies")
    height, width = summary["input_size"]
    weights = look.plain(named_or_own(summary["weights"]))
    said = [
        t["measured"].format(
            measured=thousands(summary["measured"]), model=look.plain(summary["model"]), weights=weights
        )
    ]
    size = t["size_grey"] if summary.get("channels") == 1 else t["size"]
    said += [size.format(width=width, height=height)]
    if accuracy := summary["accuracy"]:
        top = {name: share(accuracy[name]) for name in ("top1", "top5")}
        said += [t["accuracy"].format(**top, count=thousands(int(accuracy["count"])))]
    if summary["objects"]:
        said += [t["objects"].format(count=thousands(summary["objects"]))]
    st.markdown(t["between"].join(said))
    _source(summary.get("source") or {})
    if missing := table.missing(summary, say):
        st.caption(" ".join(missing))
    if not summary["trained"]:
        st.warning(t["untrained"])
    if summary["broken"]:
        _broken(summary)
    with st.container(horizontal=True):
        for name, kind in KINDS.items():
            path = folder / name
            if kind_of(path) == "file":
                st.download_button(
                    name,
                    path.read_bytes,
                    name,
                    kind,
                    key=f"study-{name}",
                    on_click="ignore",
                    icon=":material/download:",
                )


def _source(source: dict) -> None:
    """Of which pictures, when, and how it is made again; a study by an older version does not say."""
    t, said = say("studies"), []
    if source.get("data"):
        text = t["from_some"] if source.get("limit") else t["from_all"]
        limit = source.get("limit")
        limit = thousands(limit) if isinstance(limit, int) else look.plain(str(limit))
        said.append(text.format(data=look.plain(str(source["data"])), limit=limit))
    if source.get("made"):
        said.append(t["made"].format(date=look.plain(str(source["made"]))))
    if said:
        st.caption(t["between"].join(said))
    if source.get("command"):
        with st.expander(t["command"]):
            st.code(str(source["command"]), language="bash", wrap_lines=True)


def _broken(summary: dict) -> None:
    t, found = say("studies"), summary["broken_named"]
    with st.expander(t["broken"].format(broken=thousands(summary["broken"]), pictures=thousands(summary["pictures"]))):
        st.markdown("\n".join(f"- {look.plain(one['name'])}: {look.plain(one['error'])}" for one in found))
        if summary["broken"] > len(found):
            st.caption(t["broken_more"].format(count=thousands(summary["broken"] - len(found))))
