"""What a notebook shows of a model: a small table of what it is."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .vit import VitModel

LABELS = 4  # that are named


def card(vit: VitModel) -> str:
    """The model's facts as an HTML table."""
    (height, width), grid = vit.grid.image_size, vit.grid
    prefix = ", ".join(grid.prefix_names) or "none"
    named = ", ".join(label.partition(",")[0] for label in vit.labels[:LABELS]) + (
        ", …" if len(vit.labels) > LABELS else ""
    )
    rows = {
        "architecture": f"{vit.architecture}: {vit.num_layers} layers of {vit.num_heads} heads",
        "weights": f"{vit.weights}, {vit.precision} on {vit.device}",
        "parameters": f"{vit.num_parameters:,}",
        "input": f"{height} × {width} pixels",
        "grid": f"{grid.rows} × {grid.cols} patches of {grid.patch_size} × {grid.patch_size}; prefix tokens: {prefix}",
        "labels": f"{len(vit.labels):,}: {', '.join(named)}" if vit.labels else "none: it gives features",
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
    (height, width), classes = vit.grid.image_size, len(vit.labels)
    return (
        f"VitModel({vit.name}: {vit.num_layers} layers, {vit.num_heads} heads, {vit.grid.rows}x{vit.grid.cols} patches "
        f"of {height}x{width} pixels, {f'{classes} classes' if classes else 'no classes'}, {vit.weights}, {vit.device})"
    )
