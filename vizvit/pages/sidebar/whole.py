"""How much of the picture the model sees, and, where that is wanted, one that sees all of it."""

from __future__ import annotations

from vizvit.errors import ModelError
from vizvit.model.reach import Box, rectangle, seen_of
from vizvit.model.vit import VitModel
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.shared.store import once
from vizvit.pages.sidebar.model_choice import WEIGHTS, ModelKey, load_chosen

NEARLY_ALL = 0.97  # of a picture: who sees so much is not offered more


def seen_part(vit: VitModel, key: ModelKey, size: tuple[int, int]) -> Box:
    """What part of a picture of (width, height) pixels the model sees."""
    return once((key, "", ("seen", size)), lambda: seen_of(vit, size), lambda box: 256)


def reaching(progress, place, size: tuple[int, int], vit: VitModel, key: ModelKey) -> tuple[VitModel, ModelKey]:
    """The same model with a rectangle of as many patches that holds the whole picture, where that is wanted.

    progress: where loading is shown. place: where it is offered, for a model of no size of the person's own choice that
    cuts off much of the picture, of (width, height) pixels.
    """
    t, box = say("sidebar"), seen_part(vit, key, size)
    if key.size or (box[2] - box[0]) * (box[3] - box[1]) > NEARLY_ALL:
        return vit, key
    if not place.toggle(t["whole"], key="whole", help=t["whole_help"], persist_state="session"):
        return vit, key
    note = "" if key.weights in WEIGHTS else vit.weights  # a moment of training has a name
    keep = key.half, note, key.outputs
    try:
        return load_chosen(progress, key.name, key.weights, key.arch, rectangle(vit.grid, size), *keep, crop=False)
    except ModelError as error:
        place.caption(look.failure("whole", error))
        return vit, key
