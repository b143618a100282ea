"""What a notebook shows of a model: a small table of what it is."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .vit import VitModel

LABELS = 4  # that are named
MEANING = {
    "softmax": "one class: probabilities that add up to 1",
    "sigmoid": "several labels at once: a probability for each",
    "value": "values in units of their own, no probabilities",
}


def card(vit: VitModel) -> str:
    """The model's facts as an HTML table."""
    (height, width), grid = vit.grid.image_size, vit.grid
    prefix = ", ".join(grid.prefix_names) or "none"
    named = [label.partition(",")[0] for label in vit.labels[:LABELS]] + ["…"] * (len(vit.labels) > LABELS)
    rows = {
        "architecture": f"{vit.architecture}: {vit.num_layers} layers of {vit.num_heads} heads",
        "weights": f"{vit.weights}, {vit.precision} on {vit.device}",
        "parameters": f"{vit.num_parameters:,}",
        "input": f"{height} × {width} pixels",
        "grid": f"{grid.rows} × {grid.cols} patches of {grid.patch_size} × {grid.patch_size}; prefix tokens: {prefix}",
        "labels": f"{len(vit.labels):,}: {', '.join(named)}" if vit.labels else "none: it gives features",
        "outputs": MEANING[vit.outputs] if vit.labels else "a feature vector",
        "read from": vit.read_out,
        "preprocessing": " → ".join(vit.preprocessing),
    }
    cells = "".join(
        f'<tr><th style="text-align: left; vertical-align: top">{name}</th>'
        f'<td style="text-align: left">{html.escape(text)}</td></tr>'
        for name, text in rows.items()
    )
    title = f"<caption><b>{html.escape(vit.name)}</b></caption>"
    return f'<table style="max-width: 60em">{title}<tbody>{cells}</tbody></table>'


def line(vit: VitModel) -> str:
    """The same in one line."""
    (height, width), count = vit.grid.image_size, len(vit.labels)
    kinds = {"softmax": "classes", "sigmoid": "labels", "value": "value" if count == 1 else "values"}
    gives = f"{count} {kinds[vit.outputs]}" if count else "no classes"
    return (
        f"VitModel({vit.name}: {vit.num_layers} layers, {vit.num_heads} heads, {vit.grid.rows}x{vit.grid.cols} patches "
        f"of {height}x{width} pixels, {gives}, {vit.weights}, {vit.device})"
    )
