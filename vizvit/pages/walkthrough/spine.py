"""The picture of the whole network that stands on top of the walk: each part with its shape, and what a layer adds."""

from __future__ import annotations

import cv2
import numpy as np

from vizvit import walk
from vizvit.numbers import number
from vizvit.pages.shared.classes import likeliest, told
from vizvit.pages.shared.language import kind_of, named_or_own, say
from vizvit.pages.shared.pixels import photo_url
from vizvit.pages.walkthrough.scene import Here
from vizvit.walk.stages import STAGES

_THUMBNAIL = 80  # pixels: twice what it is drawn at
_CLASSES = 3


def network(here: Here) -> dict[str, object]:
    """What `spine.js` draws: an outline of the model, and for each stage its facts in words."""
    t, numbers, found = say("walk"), here.numbers(), walk.outline(here.anatomy, here.place.token)
    kind = kind_of(here.vit)
    return {
        "outline": {
            "prefix": list(found.prefix),
            "added": found.added,
            "rotated": found.rotated,
            "biased": found.biased,
            "arrangement": found.arrangement,
            "stream": found.stream,
            "attention": found.attention,
            "mlp": found.mlp,
        },
        "parts": [_facts(here, stage.name, stage.of(kind).shape.format(**numbers), found) for stage in STAGES],
        "values": numbers["values"],
        "dim": numbers["dim"],
        "rows": numbers["rows"],
        "cols": numbers["cols"],
        "layers": numbers["layers"],
        "layer": here.place.layer,
        "layer_name": t["spine_layer"].format(**numbers),
        "residual": t["spine_residual"].format(**numbers),
        "read_out": named_or_own(found.read_out),
        "features": t["spine_features"].format(**numbers),
        "prediction": _prediction(here),
        "image": here.choice.result("thumbnail", lambda: _thumbnail(here.cap.view), len),
    }


def _facts(here: Here, stage: str, shape: str, found) -> list[str]:
    t = say("walk")
    added = {"heads": found.attention, "mlp": found.mlp}.get(stage)
    if stage == "tokens" and not found.prefix:
        shape = t["spine_none"]
    if added is None:
        return [shape]
    return [shape, t["spine_adds"].format(added=number(added), stream=number(found.stream))]


def _prediction(here: Here) -> list[dict[str, object]]:
    """The foremost outputs, each with the share of a whole bar; values have no bars. Empty without classes."""
    vit, predictions = here.vit, here.cap.predictions
    if not vit.labels:
        return []
    bars = vit.outputs != "value"
    return [
        {
            "name": f"{told(vit, predictions[i])} {vit.short_label(i)}",
            "share": float(predictions[i]) if bars else 0.0,
        }
        for i in likeliest(vit, predictions, _CLASSES)
    ]


def _thumbnail(view: np.ndarray) -> str:
    scale = _THUMBNAIL / min(view.shape[:2])
    return photo_url(cv2.resize(view, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
