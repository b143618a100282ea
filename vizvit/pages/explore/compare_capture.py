"""The second picture of a comparison: loading and running what `compare` has planned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from vizvit import explorer
from vizvit.errors import CaptureError, ModelError
from vizvit.forward.capture import Capture, capture, capture_view
from vizvit.model.reach import WHOLE, seen_of
from vizvit.model.vit import VitModel
from vizvit.pages.explore.boxes import Box
from vizvit.pages.explore.compare_controls import Plan
from vizvit.pages.shared import look
from vizvit.pages.shared.language import named_or_own, say
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.sidebar.model_choice import load_chosen
from vizvit.pictures import perturb


@dataclass(frozen=True)
class Comparison:
    """A second capture with what the explorer says of it.

    choice: its picture and model, and the keys under which sessions share what comes of them.
    linked: how a place in the first picture becomes one in this: {"kind": "place" | "flip" | "crop", "box"}.
    """

    cap: Capture
    choice: Choice
    title: str
    caption: str
    linked: dict

    @property
    def trained(self) -> bool:
        return self.choice.vit.trained

    def feed(self, key: str, layer: int) -> None:
        """Hand it to the explorer at `key`. layer: the one to begin with."""
        layers = explorer.window(self.cap, explorer.wanted_layer(key, layer, compare=True))
        blob = self.choice.result(("explorer", layers), lambda: explorer.encode(self.cap, self.cap.view, layers), len)
        header = {"title": self.title, "caption": self.caption, "trained": self.trained, "linked": self.linked}
        explorer.feed(key, "compare", header, blob)


def load(place, plan: Plan | None, choice: Choice, cap: Capture) -> Comparison | None:
    """The comparison that is planned; None for nothing planned, or, with the reason in `place`, for one that fails."""
    if plan is None:
        return None
    try:
        return _MAKERS[plan.kind](place, plan, choice, cap)
    except (ModelError, CaptureError) as error:
        place.error(look.failure("capture", error))
        return None


def _picture(place, plan: Plan, choice: Choice, cap: Capture) -> Comparison:
    other = replace(choice, image=plan.image, image_name=plan.image_name, image_key=plan.image_key)
    second = other.captured(lambda: capture(other.vit, other.image))
    return Comparison(second, other, plan.image_name, _caption(other), _linked("place"))


def _model(place, plan: Plan, choice: Choice, cap: Capture) -> Comparison:
    if plan.kind == "training":
        own = choice.model_key
        keep = own.arch, own.size, own.half, plan.note, own.outputs
        vit, key = load_chosen(place, own.name, plan.weights, *keep, crop=own.crop)
    else:
        vit, key = load_chosen(place, plan.model, plan.weights, note=plan.note)
    other = replace(choice, vit=vit, model_key=key)
    second = other.captured(lambda: capture(vit, other.image))
    title = f"{vit.name}, {named_or_own(vit.weights)}" if plan.kind == "model" else named_or_own(vit.weights)
    box = seen_from(choice.vit, vit, choice.image)
    linked = _linked("place") if np.abs(np.subtract(box, WHOLE)).max() < 0.005 else _linked("crop", box)
    return Comparison(second, other, title, _caption(other), linked)


def _changed(place, plan: Plan, choice: Choice, cap: Capture) -> Comparison:
    box = plan.box or WHOLE
    change = {
        "flip": lambda: perturb.flip(cap.view),
        "crop": lambda: perturb.crop(cap.view, box),
        "cover": lambda: perturb.occlude(cap.view, box),
    }[plan.kind]
    other = replace(choice, image_key=f"{choice.image_key} {plan.kind} {box}")
    second = other.captured(lambda: capture_view(choice.vit, change()))
    linked = _linked("flip") if plan.kind == "flip" else _linked("place")
    if plan.kind == "crop":
        height, width = cap.view.shape[:2]
        left, top, right, bottom = perturb.pixels(cap.view, box)
        linked = _linked("crop", (left / width, top / height, right / width, bottom / height))
    t = say("comparing")
    words = t[plan.kind]
    caption = t["changed"].format(caption=_caption(choice), change=words)
    return Comparison(second, other, words, caption, linked)


_MAKERS = {
    "picture": _picture,
    "model": _model,
    "training": _model,
    **dict.fromkeys(("flip", "crop", "cover"), _changed),
}


def _caption(choice: Choice) -> str:
    return say("comparing")["caption"].format(picture=choice.image_name, weights=look.weights_note(choice.vit))


def _linked(kind: str, box: Box = WHOLE) -> dict:
    return {"kind": kind, "box": [round(float(edge), 6) for edge in box]}


def seen_from(first: VitModel, second: VitModel, image: Image.Image) -> Box:
    """What the second model sees of a picture, as a box in what the first sees; beyond 0..1 where it sees more."""
    if first is second:
        return WHOLE
    size = image.size
    one, two = seen_of(first, size), seen_of(second, size)
    width, height = one[2] - one[0], one[3] - one[1]
    left, top, right, bottom = ((two[i] - one[i % 2]) / (width, height)[i % 2] for i in range(4))
    return left, top, right, bottom
