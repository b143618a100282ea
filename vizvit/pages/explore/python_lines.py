"""The lines of Python that lead to what a page shows: the same model and picture, without the page."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

from vizvit.model.snapshots import snapshots
from vizvit.pages.explore.compare_controls import Plan
from vizvit.pages.shared.language import say
from vizvit.pages.shared.photo import photo_key
from vizvit.pages.sidebar.choice import Choice
from vizvit.pages.sidebar.model_choice import ModelKey
from vizvit.pictures.samples import SAMPLES

# Photographs that scikit-image has a function for; the others are read from its folder.
_FUNCTIONS = {"cat": "chelsea", "astronaut": "astronaut", "coffee": "coffee", "rocket": "rocket"}


def source_lines(choice: Choice, plan: Plan | None = None) -> list[str]:
    """Lines that leave `vit`, `image` and `cap` defined, and `other`, the second capture, where there is a plan.

    They run as they are for samples; for a person's own picture where its file lies in the working directory.
    """
    kind = plan.kind if plan else ""
    images = [_image("image", choice.image_key, choice.image_name)]
    if kind == "picture":
        images.append(_image("image2", plan.image_key, plan.image_name))
    models = [_model("vit", choice.model_key)]
    if kind == "model":
        models.append(_model("vit2", ModelKey(plan.model, plan.weights)))
    elif kind == "training":
        models.append(_model("vit2", replace(choice.model_key, weights=plan.weights)))
    other = {
        "": [],
        "picture": ["other = vizvit.capture(vit, image2)"],
        "model": ["other = vizvit.capture(vit2, image)"],
        "training": ["other = vizvit.capture(vit2, image)"],
        "flip": ["other = vizvit.capture_view(vit, perturb.flip(cap.view))"],
        "crop": [f"other = vizvit.capture_view(vit, perturb.crop(cap.view, {plan and plan.box}))"],
        "cover": [f"other = vizvit.capture_view(vit, perturb.occlude(cap.view, {plan and plan.box}))"],
    }[kind]

    body = [*models, *images, "cap = vizvit.capture(vit, image)", *other]
    used = "\n".join(body)
    imports = ["import vizvit"]
    if "perturb." in used:
        imports = ["import vizvit", "from vizvit import perturb"]
    if "snapshots(" in used:
        imports.append("from vizvit.snapshots import snapshots")
    others = ["import skimage"] if "skimage." in used else []
    others += ["from skimage import data"] if "data." in used.replace("skimage.data_dir", "") else []
    return [*others, *imports, "", *body]


def _image(variable: str, key: str, title: str) -> str:
    sample = _samples().get(key)
    if sample is None:
        return f"{variable} = vizvit.load_image({_text(title)})  # {say('explore')['file']}"
    if sample in _FUNCTIONS:
        return f"{variable} = vizvit.load_image(data.{_FUNCTIONS[sample]}())"
    return f'{variable} = vizvit.load_image(f"{{skimage.data_dir}}/{SAMPLES[sample].filename}")'


def _model(variable: str, key: ModelKey) -> str:
    options = [_text(key.name)]
    if key.weights != "pretrained":
        options.append(f"weights={_weights(key.name, key.weights)}")
    if key.arch:
        options.append(f"arch={_text(key.arch)}")
    if key.size:
        options.append(f"image_size={tuple(key.size)}")
    if key.outputs:
        options.append(f"outputs={_text(key.outputs)}")
    if not key.crop:
        options.append("crop=False")
    if key.half:
        options.append("half=True")
    return f"{variable} = vizvit.load_model({', '.join(options)})"


def _weights(name: str, weights: str) -> str:
    """A snapshot by its number: where the files of a model lie differs from machine to machine."""
    if weights == "random":
        return _text(weights)
    for index, moment in enumerate(snapshots(name)):
        if moment.weights == weights:
            return f"snapshots({_text(name)})[{index}].weights"
    return _text(str(Path(weights)))


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


@cache
def _samples() -> dict[str, str]:
    """The name of each sample by the SHA-256 of its file."""
    return {photo_key(sample.read()): name for name, sample in SAMPLES.items()}
