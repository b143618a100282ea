"""The explorer's views on a handout: their maps, limits and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vizvit.analysis import patch_map
from vizvit.capture import Capture
from vizvit.figures import figure_bytes, limits
from vizvit.handout import MOST, Panel, handout
from vizvit.pages import look
from vizvit.pages.choice import Choice
from vizvit.pages.language import current, say
from vizvit.pages.naming import token_name
from vizvit.pages.views import head_values, view_map

WORDS = {
    "title": "Attention in a Vision Transformer",
    "picture": "{picture} as {weights} sees it.",
    "grid": "{rows} × {cols} patches of {patch} × {patch} pixels; {layers} layers of {heads} heads.",
    "untrained": "The weights are untrained: the maps show how the network is built, not what it learned.",
    "notes": "Notes",
    "layer": "Layer {layer}, {head}: {query}.",
    "head": "head {head}",
    "fused": "{fuse} of {heads} heads",
    "rollout": "Rollout over layers 0 to {last}, {fuse} over heads: {query}.",
    "from": "from the {query} to each patch",
    "to": "from each patch to the {query}",
    "area": "area of rows {top} to {bottom}, columns {left} to {right}",
    "scale_own": "Scaled to its own maximum",
    "scale_shared": "One scale for all heads of this layer",
    "scale_absolute": "Scaled from 0 to 1",
    "scale_percentile": "Scaled from its 1st to its 99th percentile",
    "log": "{scale}, logarithmic",
    "smooth": "{scale}, smoothed between patch centres",
    "caption": "{what} {scale}. {weights}.",
    "attention": "attention",
    "flow": "share of the flow",
}


def handout_pdf(cap: Capture, selections: Sequence[Mapping], choice: Choice) -> bytes:
    """One A4 page, PDF, of one to six views; of more, the last six."""
    panels = [panel(cap, selection, choice) for selection in selections[-MOST:]]
    grid = cap.grid
    lines = [
        picture_line(choice),
        WORDS["grid"].format(
            rows=grid.rows, cols=grid.cols, patch=grid.patch_size, layers=cap.num_layers, heads=cap.num_heads
        ),
    ]
    if not choice.vit.trained:
        lines.append(WORDS["untrained"])
    page = handout(cap.view, panels, title=WORDS["title"], lines=lines, notes_title=WORDS["notes"], language=current())
    return figure_bytes(page, "pdf")


def picture_line(choice: Choice) -> str:
    return WORDS["picture"].format(picture=choice.image_name, weights=look.weights_note(choice.vit))


def panel(cap: Capture, selection: Mapping, choice: Choice) -> Panel:
    """A view as the explorer shows it, with its caption."""
    heat = view_map(cap, selection)
    low, high = view_limits(cap, selection, heat)
    return Panel(
        heat,
        caption(cap, selection, choice),
        outlined=_outlined(cap, selection),
        low=low,
        high=high,
        log=selection.get("curve") == "log",
        colormap=selection.get("colours") or "viridis",
        opacity=float(selection.get("opacity", 0.6)),
        smooth=bool(selection.get("smooth")),
        label=WORDS["flow" if selection.get("rollout") else "attention"],
    )


def view_limits(cap: Capture, selection: Mapping, heat: np.ndarray) -> tuple[float, float]:
    """What the colours of a view run between. A scale that is shared runs over this map and all heads of its layer."""
    mode, log = scale_of(selection), selection.get("curve") == "log"
    if mode != "shared":
        return limits(heat, mode, log=log)
    return limits(heat, log=log, others=[patch_map(head_values(cap, selection), cap)])


def scale_of(selection: Mapping) -> str:
    """A rollout has no heads to share a scale with."""
    mode = selection.get("scale", "own")
    return "own" if mode == "shared" and selection.get("rollout") else mode


def caption(cap: Capture, selection: Mapping, choice: Choice) -> str:
    """What a view shows: layer, head, query and direction; how it is scaled; of which weights."""
    fuse = say("look")[selection.get("fuse", "mean")]
    area, head = selection.get("area"), selection.get("head")
    if area:
        named = WORDS["area"].format(**dict(zip(("top", "left", "bottom", "right"), area, strict=True)))
    else:
        named = token_name(cap, selection.get("token", 0))
    query = WORDS[selection.get("direction", "from")].format(query=named)
    if selection.get("rollout"):
        what = WORDS["rollout"].format(last=cap.num_layers - 1, fuse=fuse, query=query)
    else:
        one = WORDS["head"].format(head=head)
        fused = WORDS["fused"].format(fuse=fuse, heads=cap.num_heads)
        what = WORDS["layer"].format(layer=selection.get("layer"), head=fused if head is None else one, query=query)
    scale = WORDS[f"scale_{scale_of(selection)}"]
    if selection.get("curve") == "log":
        scale = WORDS["log"].format(scale=scale)
    if selection.get("smooth"):
        scale = WORDS["smooth"].format(scale=scale)
    return WORDS["caption"].format(what=what, scale=scale, weights=look.weights_note(choice.vit))


def _outlined(cap: Capture, selection: Mapping) -> tuple[int, int, int, int] | None:
    if selection.get("area"):
        return tuple(selection["area"])
    token = selection.get("token", 0)
    return None if token < cap.grid.num_prefix_tokens else cap.grid.patch(token) * 2
