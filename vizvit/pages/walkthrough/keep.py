"""A stage to take away: the numbers of its computation by hand, and a figure of them.

All that is made later, when it is asked for, is made without Streamlit.
"""

from __future__ import annotations

import json
from dataclasses import fields
from inspect import signature
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vizvit import walk
from vizvit.analysis import patch_map
from vizvit.figures.named import named_figure
from vizvit.pages.shared import look
from vizvit.pages.shared.language import kind_of
from vizvit.pages.walkthrough.scene import Here
from vizvit.walk.lessons import lesson
from vizvit.walk.stages import STAGES, Stage


def downloads(here: Here) -> None:
    stage = STAGES[here.place.stage - 1].of(kind_of(here.vit))
    look.downloads(f"walk-{stage.name}", lambda: figure(here, stage), lambda: arrays(here, stage))


def arrays(here: Here, stage: Stage) -> dict[str, np.ndarray]:
    """What `walk` computed of the stage, by its names there, and meta, JSON text."""
    place = here.place
    about = {
        **here.vit.facts(),
        "picture": here.choice.image_name,
        "stage": stage.name,
        "layer": place.layer,
        "head": place.head,
        "query": {"token": place.token, "name": here.grid.name(place.token)},
        "versions": look.versions(),
    }
    made = _computed(here, stage)
    kept = {field.name: value for field in fields(made) if (value := getattr(made, field.name)) is not None}
    kept["meta"] = json.dumps(about, ensure_ascii=False)
    return {name: np.asarray(value) for name, value in kept.items()}


def figure(here: Here, stage: Stage) -> Figure:
    """In English, as all figures are."""
    made, maps, values = _computed(here, stage), {}, {}
    for field in fields(made):
        value = getattr(made, field.name)
        if not isinstance(value, np.ndarray) or value.dtype.kind == "i":
            continue
        if value.ndim > 2 and value.shape[-1] == 3 and value.dtype != np.uint8:  # colours from 0 to 1
            value = (255 * value).astype(np.uint8)
        if stage.name in ("scores", "sum") and value.shape == (here.grid.num_tokens,):
            value = patch_map(value, here.cap)
        if value.shape == (here.grid.rows, here.grid.cols):
            maps[field.name] = value
        elif value.ndim <= 2 or value.dtype == np.uint8:
            values[field.name] = value
    place = here.place
    return named_figure(
        maps,
        values,
        image=here.cap.view,
        query=here.patch,
        title=lesson(stage.lesson, "en").title,
        caption=f"Query: {here.grid.name(place.token)}; layer {place.layer}, head {place.head}. "
        f"{look.weights_note(here.vit, 'en')}.",
    )


def _computed(here: Here, stage: Stage) -> Any:
    """The stage by hand, at this place."""
    by_hand, place = getattr(walk, stage.by_hand.rpartition(".")[2]), here.place
    row, col = place.patch
    at = {"token": place.token, "head": place.head, "row": row, "col": col}
    return by_hand(here.anatomy, **{name: at[name] for name in signature(by_hand).parameters if name in at})
