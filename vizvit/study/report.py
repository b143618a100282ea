"""A study as one HTML file: tables and figures inside it, so that it opens anywhere, with nothing fetched."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from string import Template

from matplotlib.figure import Figure

from ..figures import figure_bytes
from . import table
from .figures import WORDS
from .measures import MEASURES
from .sweep import explorer_link

REPORT = "report.html"
APP = "http://localhost:8501/"  # where Streamlit serves the app unless told otherwise


def report(summary: dict, drawn: dict[str, Figure], app: str = APP) -> str:
    """The whole page. summary: as `read_summary` gives it; drawn: figures by measure; app: what links lead to."""
    images = {measure: base64.b64encode(figure_bytes(figure, "svg")).decode() for measure, figure in drawn.items()}
    template = Template(Path(__file__).with_name("report.html").read_text("utf-8"))
    return template.substitute(
        title=html.escape(f"{summary['model']}: a study of {summary['measured']} pictures"),
        version=html.escape(summary["vizvit"]),
        facts=_table(_facts(summary)),
        methods=_methods(summary),
        figures="\n".join(
            f'<figure id="{measure}"><img alt="{html.escape(WORDS[measure][0])} of each head, by layer" '
            f'src="data:image/svg+xml;base64,{image}"></figure>'
            for measure, image in images.items()
        ),
        heads=_heads(summary, app),
        broken=_broken(summary),
    )


def _facts(summary: dict) -> list[list[str]]:
    (height, width), (rows, cols) = summary["input_size"], summary["grid"]
    facts = [
        ["model", summary["model"]],
        ["weights", summary["weights"] + ("" if summary["trained"] else ": what it shows is not learned")],
        ["input", f"{height} × {width} px, {rows} × {cols} patches, {summary['precision']}"],
        ["pictures", f"{summary['measured']} measured, {summary['broken']} could not be read"],
    ]
    accuracy = summary["accuracy"]
    if accuracy:
        of = f"of {accuracy['count']} with a label"
        facts.append(["accuracy", f"top-1 {100 * accuracy['top1']:.1f} %, top-5 {100 * accuracy['top5']:.1f} % {of}"])
    if summary["objects"]:
        facts.append(["objects", f"{summary['objects']} pictures have a box that fills less than half of them"])
    return facts


def _methods(summary: dict) -> str:
    head, *rows = table.cells(summary)
    if len(head) == 1 or not rows:
        return ""
    return f"<h2>Methods</h2>\n{_table(rows, head)}\n<p>{html.escape(table.note(summary))}</p>"


def _heads(summary: dict, app: str) -> str:
    """Every head's means, with the link that opens it in the explorer."""
    measures = [measure for measure in MEASURES if measure in summary["heads"]]
    head = ["layer, head", *(WORDS[measure][1] for measure in measures)]
    lines = []
    for layer in range(summary["layers"]):
        for number in range(summary["heads_per_layer"]):
            link = html.escape(app + explorer_link(summary, layer, number))
            cells = [f'<td><a href="{link}">{layer}, {number}</a></td>']
            for measure in measures:
                found = summary["heads"][measure]
                mean, spread = (found[name][layer][number] for name in ("mean", "spread"))
                cells.append(f"<td>{mean:.3g}{'' if spread is None else f' ± {spread:.2g}'}</td>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table class=numbers>{_row(head, 'th')}{''.join(lines)}</table>"


def _broken(summary: dict) -> str:
    if not summary["broken"]:
        return ""
    rows = [[found["name"], found["error"]] for found in summary["broken_named"]]
    more = summary["broken"] - len(rows)
    rest = f"<p>{more} more are named in pictures.parquet.</p>" if more else ""
    return f"<h2>Pictures that could not be read</h2>\n{_table(rows)}{rest}"


def _table(rows: list[list[str]], head: list[str] | None = None) -> str:
    kind = "numbers" if head else "facts"
    return f"<table class={kind}>{_row(head, 'th') if head else ''}{''.join(_row(row) for row in rows)}</table>"


def _row(cells: list[str], tag: str = "td") -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
