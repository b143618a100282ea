"""A study as one HTML file: tables and figures inside it, so that it opens anywhere, with nothing fetched."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from string import Template

from matplotlib.figure import Figure

from ..figures import figure_bytes
from ..numbers import decimals, mean_and_spread, share, thousands
from ..texts import words
from . import table
from .figures import ARTEFACTS, WORDS, artefacts_caption, artefacts_figure, caption, figure
from .measures import MEASURES
from .opened import app_words
from .summary import weights_note
from .sweep import explorer_link
from .written import mean_text, places_of

REPORT = "report.html"
APP = "http://localhost:8501/"  # where Streamlit serves the app unless told otherwise
say = partial(words, language="en")


def report(summary: dict, drawn: Iterable[str], app: str = APP) -> str:
    """The whole page. summary: as `read_summary` gives it; drawn: measures to draw; app: what links lead to."""
    template = Template(Path(__file__).with_name("report.html").read_text("utf-8"))
    return template.substitute(
        title=html.escape(f"{summary['model']}: a study of {thousands(summary['measured'])} pictures"),
        version=html.escape(summary["vizvit"]),
        facts=_facts(summary),
        methods=_methods(summary),
        figures="\n".join(_figure(summary, measure) for measure in drawn),
        artefacts=_artefacts(summary),
        heads=_heads(summary, app),
        broken=_broken(summary),
    )


def facts(summary: dict) -> list[tuple[str, str]]:
    """What was studied, as (name, value): the model, the pictures and where they come from, when and how well."""
    (height, width), (rows, cols) = summary["input_size"], summary["grid"]
    source, accuracy = summary.get("source") or {}, summary["accuracy"]
    grey = ", pictures seen in grey" if summary.get("channels") == 1 else ""
    told = [
        ("model", summary["model"]),
        ("weights", summary["weights"] + ("" if summary["trained"] else ": what it shows is not learned")),
        ("input", f"{height} × {width} px, {rows} × {cols} patches, {summary['precision']}{grey}"),
        ("pictures", f"{thousands(summary['measured'])} measured, {thousands(summary['broken'])} left out"),
    ]
    if source.get("data"):
        limit = f"limit {source['limit']}, spread evenly over the set" if source.get("limit") else "without a limit"
        told.append(("from", f"{source['data']}, {limit}"))
    if accuracy:
        of = f"of {thousands(int(accuracy['count']))} with a label"
        told.append(("accuracy", f"top-1 {share(accuracy['top1'])}, top-5 {share(accuracy['top5'])} {of}"))
    if value := summary.get("value"):
        places = decimals([value["mean"]])
        told.append(("value", f"{mean_and_spread(value['mean'], value['spread'], places)}, in the model's own units"))
    if summary["objects"]:
        told.append(
            ("objects", f"{thousands(summary['objects'])} pictures have a box that fills less than half of them")
        )
    boxes = summary.get("boxes") or {}
    if missing := table.missing(summary, say):
        told.append(("missing", " ".join(missing)))
    if boxes.get("bad"):
        told.append(
            ("boxes", f"{thousands(boxes['bad'])} of {thousands(boxes['count'])} cannot be used and are left out")
        )
    if source.get("made"):
        told.append(("made", source["made"]))
    return told


def _facts(summary: dict) -> str:
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in facts(summary))
    command = (summary.get("source") or {}).get("command")
    again = f"<dt>command</dt><dd><code>{html.escape(command)}</code></dd>" if command else ""
    return f"<dl>{rows}{again}</dl>"


def _methods(summary: dict) -> str:
    head, rows = table.headings(summary, say), table.best_first(summary)
    if len(head) == 1 or not rows:
        return ""
    lines = []
    for name, *cells in rows:
        title, control = table.title(name, say)
        mark = f" <small>{html.escape(control)}</small>" if control else ""
        lines.append([f"{html.escape(title)}{mark}", *map(html.escape, cells)])
    of = f"{weights_note(summary)}, {thousands(summary['measured'])} pictures."
    said = html.escape(" ".join([of, *table.notes(summary, say)]))
    return f"<h2>{say('studies')['methods']}</h2>\n{_numbers('Methods', head, lines)}\n<p>{said}</p>"


def _figure(summary: dict, measure: str) -> str:
    title = WORDS[measure][0]
    drawn = partial(figure, summary, measure)
    return _drawing(measure, title, f"{title} of each head, by layer", drawn, caption(summary, measure))


def _artefacts(summary: dict) -> str:
    """The share of artefact tokens by layer, drawn and as a table; empty for a study that did not measure it."""
    found = summary.get("artefact_share")
    if not found or not found["count"]:
        return ""
    title, drawn = ARTEFACTS[0], partial(artefacts_figure, summary)
    said = _drawing("artefact_share", title, f"{title} by layer", drawn, artefacts_caption(summary))
    places = decimals(100 * mean for mean in found["mean"])
    rows = [
        [str(layer), f"{mean_and_spread(100 * mean, None if spread is None else 100 * spread, places)} %"]
        for layer, (mean, spread) in enumerate(zip(found["mean"], found["spread"], strict=True))
    ]
    return f"<h2>Artefact tokens by layer</h2>\n{said}\n{_numbers(title, ['layer', ARTEFACTS[1]], rows)}"


def _drawing(name: str, title: str, shown: str, draw: Callable[..., Figure], said: str) -> str:
    """The drawing for light and for dark screens; what it shows stands below it as text, which wraps on a phone."""
    light, dark = (base64.b64encode(figure_bytes(draw(theme=theme), "svg")).decode() for theme in ("light", "dark"))
    data = "data:image/svg+xml;base64,"
    return (
        f'<figure id="{name}"><h3>{html.escape(title)}</h3>'
        f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(title)}"><picture>'
        f'<source media="(prefers-color-scheme: dark)" srcset="{data}{dark}">'
        f'<img alt="{html.escape(shown)}" src="{data}{light}"></picture></div>'
        f"<figcaption>{html.escape(said)}</figcaption></figure>"
    )


def _heads(summary: dict, app: str) -> str:
    """Every head's means, with the link that opens it in the explorer."""
    measures = [measure for measure in MEASURES if measure in summary["heads"]]
    places = {
        measure: places_of(measure, (mean for row in summary["heads"][measure]["mean"] for mean in row))
        for measure in measures
    }
    opened, lines = app_words(summary), []
    for layer in range(summary["layers"]):
        for number in range(summary["heads_per_layer"]):
            name, link = f"{layer}, {number}", explorer_link(opened, layer, number)
            cells = [f'<a href="{html.escape(app + link)}">{name}</a>' if link else name]
            for measure in measures:
                found = summary["heads"][measure]
                mean, spread = (found[part][layer][number] for part in ("mean", "spread"))
                cells.append(mean_text(measure, mean, spread, places[measure]))
            lines.append(cells)
    return _numbers("All heads", ["layer, head", *(WORDS[measure][1] for measure in measures)], lines)


def _broken(summary: dict) -> str:
    if not summary["broken"]:
        return ""
    named = summary["broken_named"]
    rows = "".join(f"<dt>{html.escape(one['name'])}</dt><dd>{html.escape(one['error'])}</dd>" for one in named)
    more = summary["broken"] - len(named)
    rest = f"<p>{more} more are named in pictures.parquet.</p>" if more else ""
    said = "<p>Left out of all means and counts, each for its reason.</p>"
    return f"<h2>Pictures that were left out</h2>\n{said}\n<dl>{rows}</dl>{rest}"


def _numbers(name: str, head: list[str], rows: list[list[str]]) -> str:
    """A table that scrolls by itself where the screen is narrow. rows: HTML; head: text."""
    titles = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(name)}">'
        f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )
