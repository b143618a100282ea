"""The explorer's views on a handout: their maps, limits and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vizvit.analysis import patch_map, standing_out
from vizvit.explorer.selection import OPACITY
from vizvit.figures import figure_bytes, limits
from vizvit.figures.handout import MOST, Panel, handout
from vizvit.forward.capture import Capture
from vizvit.numbers import share, thousands
from vizvit.pages.explore import features
from vizvit.pages.explore.view_maps import head_values, view_map
from vizvit.pages.shared import look
from vizvit.pages.shared.language import current, say
from vizvit.pages.shared.names import token_name
from vizvit.pages.sidebar.choice import Choice


def handout_pdf(cap: Capture, selections: Sequence[Mapping], choice: Choice, other: Capture | None = None) -> bytes:
    """One A4 page, PDF, of one to six views; of more, the last six. other: what the picture is compared with."""
    t = say("handouts")
    panels = [panel(cap, selection, choice, other) for selection in selections[-MOST:]]
    grid = cap.grid
    lines = [
        picture_line(choice),
        t["grid"].format(
            rows=grid.rows, cols=grid.cols, patch=grid.patch_size, layers=cap.num_layers, heads=cap.num_heads
        ),
    ]
    if not choice.vit.trained:
        lines.append(t["untrained"])
    page = handout(cap.view, panels, title=t["title"], lines=lines, notes_title=t["notes"], language=current())
    return figure_bytes(page, "pdf")


def picture_line(choice: Choice) -> str:
    return say("handouts")["picture"].format(picture=choice.image_name, weights=look.weights_note(choice.vit))


def panel(cap: Capture, selection: Mapping, choice: Choice, other: Capture | None = None) -> Panel:
    """A view as the explorer shows it, with its caption. other: what the picture is compared with."""
    if features.is_featured(selection):
        return features.panel(cap, selection, choice, other)
    heat = view_map(cap, selection)
    outstanding = standing_out(heat) if selection.get("rollout") else None
    low, high = view_limits(cap, selection, heat)
    return Panel(
        heat,
        caption(cap, selection, choice) + _standing(heat, outstanding),
        outlined=_outlined(cap, selection),
        low=low,
        high=high,
        log=selection.get("curve") == "log",
        colormap=selection.get("colours") or "viridis",
        opacity=float(selection.get("opacity", OPACITY)),
        blend=selection.get("blend") or "fade",
        smooth=bool(selection.get("smooth")),
        label=say("handouts")["flow" if selection.get("rollout") else "attention"],
        marked=outstanding,
        edge="white",
    )


def _standing(heat: np.ndarray, outstanding: np.ndarray | None) -> str:
    """What the patches that stand out of a rollout have together; nothing where there are none."""
    if outstanding is None or not outstanding.any():
        return ""
    part, count = share(float(heat[outstanding].sum() / heat.sum())), thousands(int(outstanding.sum()))
    return say("handouts")["standing"].format(count=count, patches=thousands(heat.size), share=part)


def view_limits(cap: Capture, selection: Mapping, heat: np.ndarray) -> tuple[float, float]:
    """What the colours of a view run between. A scale that is shared runs over this map and all heads of its layer."""
    mode, log = scale_of(selection), selection.get("curve") == "log"
    if mode != "shared":
        return limits(heat, mode, log=log)
    return limits(heat, log=log, others=[patch_map(head_values(cap, selection), cap)])


def scale_of(selection: Mapping) -> str:
    """A rollout has no heads to share a scale with; a picture by itself none to be apart from."""
    mode = selection.get("scale", "own")
    return "own" if mode == "apart" or (mode == "shared" and selection.get("rollout")) else mode


def caption(cap: Capture, selection: Mapping, choice: Choice) -> str:
    """What a view shows: layer, head, query and direction; how it is scaled; of which weights."""
    t = say("handouts")
    fuse = say("look")[selection.get("fuse", "mean")]
    area, head = selection.get("area"), selection.get("head")
    if area:
        named = t["area"].format(**dict(zip(("top", "left", "bottom", "right"), area, strict=True)))
    else:
        named = token_name(cap, selection.get("token", 0))
    query = t[selection.get("direction", "from")].format(query=named)
    if selection.get("rollout"):
        what = t["rollout"].format(last=cap.num_layers - 1, fuse=fuse, query=query)
    else:
        one = t["head"].format(head=head)
        fused = t["fused"].format(fuse=fuse, heads=cap.num_heads)
        what = t["layer"].format(layer=selection.get("layer"), head=fused if head is None else one, query=query)
    scale = t[f"scale_{scale_of(selection)}"]
    if selection.get("curve") == "log":
        scale = t["log"].format(scale=scale)
    if selection.get("smooth"):
        scale = t["smooth"].format(scale=scale)
    return t["caption"].format(what=what, scale=scale, weights=look.weights_note(choice.vit))


def _outlined(cap: Capture, selection: Mapping) -> tuple[int, int, int, int] | None:
    if selection.get("area"):
        return tuple(selection["area"])
    token = selection.get("token", 0)
    return None if token < cap.grid.num_prefix_tokens else cap.grid.patch(token) * 2
