"""The second picture of a comparison: loading and running what `compare` has planned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from vizvit import explorer
from vizvit.errors import CaptureError, ModelError
from vizvit.forward.capture import Capture, capture, capture_view
from vizvit.model.vit import VitModel
from vizvit.pages.explore.boxes import Box
from vizvit.pages.explore.compare_controls import Plan
from vizvit.pages.shared import look
from vizvit.pages.shared.language import named_or_own, say
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.sidebar.model_choice import load_chosen
from vizvit.pictures import perturb

WHOLE = (0.0, 0.0, 1.0, 1.0)


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
        vit, key = load_chosen(place, own.name, plan.weights, own.arch, own.size, own.half, plan.note, own.outputs)
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
        linked = _linked("crop", np.divide(perturb.pixels(cap.view, box), (width, height, width, height)))
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
    one, two = seen(first, size), seen(second, size)
    width, height = one[2] - one[0], one[3] - one[1]
    return tuple((two[i] - one[i % 2]) / (width, height)[i % 2] for i in range(4))


def seen(vit: VitModel, size: tuple[int, int]) -> Box:
    """What part of a picture of (width, height) pixels a model sees, read off the view of a ramp in each direction."""
    scale = min(1, 1024 / max(size))
    width, height = (max(2, round(side * scale)) for side in size)
    across, down = (np.rint((np.arange(side) + 0.5) * 255 / side).astype(np.uint8) for side in (width, height))
    ramps = np.broadcast_to(across, (height, width)), np.broadcast_to(down[:, None], (height, width))
    views = [vit.view(Image.fromarray(np.ascontiguousarray(ramp)))[..., 0] / 255.0 for ramp in ramps]
    edges = []
    for values in (views[0].mean(0), views[1].mean(1)):
        at = (np.arange(len(values)) + 0.5) / len(values)
        inner = (at > 0.1) & (at < 0.9) if len(at) > 8 else slice(None)  # resizing bends a ramp at its ends
        slope, start = np.polyfit(at[inner], values[inner], 1)
        edges.append((start, start + slope))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom
