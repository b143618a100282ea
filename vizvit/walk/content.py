"""The walk's words and names for a page that draws it by itself: one model, one language, numbers left to the page."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..forward.anatomy import numbers_of
from ..model.vit import POSITION_KINDS, VitModel
from ..texts import of_library, words, words_of_model
from .lessons import Lesson, lesson
from .stages import STAGES
from .tour import Tour
from .written import article

# The place that one is at while the page is looked at: a letter of private use for each, which the page replaces.
LIVE = {"layer": "\ue010", "head": "\ue011", "row": "\ue012", "col": "\ue013"}
SIZES = ("dim", "heads", "head_dim", "hidden")  # of a description that a page draws from
_AS_NUMBER = re.compile("<mi>([\ue010-\ue013])</mi>")


def content(
    vit: VitModel, model: Mapping, language: str, *, tour: Tour | None = None, place: Mapping[str, int] | None = None
) -> dict:
    """Plain values, for JSON.

    model: the description, as `vizvit.model.plain.plain` gives it. tour: a teacher's lesson, whose stages alone are
    walked at first. place: "layer", "head", "token" to begin at, as far as they are known.
    """
    kind, look = vit.outputs if vit.labels else "features", words("look", language)
    t = words_of_model("walk", language, vit.outputs, kind)
    numbers = numbers_of(vit, **{name: model[name] for name in SIZES})
    prefix = [of_library(name, language) for name in vit.grid.prefix_names]
    stages = [stage.of(kind) for stage in STAGES]
    height, width = vit.grid.image_size
    return {
        "kind": kind,
        "texts": t,
        "numbers": numbers,
        "stages": [
            {
                "name": stage.name,
                "uses": stage.uses,
                "shape": stage.shape.format(**numbers),
                **_lesson(lesson(stage.lesson, language).fill(**numbers, **LIVE), t),
            }
            for stage in stages
        ],
        "live": LIVE,
        "prefix": prefix,
        "prefix_queries": [look["token"].format(name=name) for name in prefix],
        "patch_query": look["patch"],
        "read_out": of_library(vit.read_out, language, own=True),
        "position": of_library(POSITION_KINDS[vit.position_kind], language),
        "note": look["weights"].format(model=vit.name, weights="{weights}", width=width, height=height),
        "tour": {"stages": tour.stages, "notes": dict(tour.notes)} if tour else None,
        "place": dict(place or {}),
    }


def _lesson(filled: Lesson, t: Mapping[str, str]) -> dict[str, str]:
    """Formulas become MathML, in which a number that is yet to come is one, too."""
    return {"title": filled.title, "text": _AS_NUMBER.sub(r"<mn>\1</mn>", article(filled, t))}
