"""Any Vision Transformer of timm, taught other classes."""

from __future__ import annotations

from pathlib import Path

import torch

from ..errors import ModelError
from ..model.vit import VitModel
from .begin import Decoding, decode_data, fitted, left_off, ready
from .budget import Budget
from .machine import Machine
from .recipe import Recipe
from .run import Run, Watch
from .sources import Source

# Small steps, smaller still in the early layers, which hold what is worth keeping.
MOST = 64  # pictures of a step
WHOLE = {
    "lr": 5e-4,
    "layer_decay": 0.75,
    "beta2": 0.999,
    "warmup": 0.1,
    "mix": 0.0,
    "crop": 0.5,
    "colour": 0.2,
    "ema": 0.998,
}
HEAD_ONLY = WHOLE | {"lr": 3e-3, "layer_decay": 1.0, "weight_decay": 0.0}


def begin_finetuning(
    vit: VitModel,
    train: Source,
    val: Source | None,
    out: Path,
    budget: Budget,
    machine: Machine,
    *,
    given: dict | None = None,
    head_only: bool = False,
    hold_out: float = 0.1,
    resume: bool | None = None,
    facts: dict | None = None,
    watch: Watch = lambda event: None,
    decoding: Decoding = lambda what: lambda done, total: None,
) -> Run:
    """A run that starts from the weights of `vit`, whose module it changes, with a new classifier.

    given: values of the `Recipe` other than the network's sizes. head_only: all but the classifier stays as it is.
    hold_out: the share of the data that is held out where there is no val. The rest is as in `begin`.
    """
    height, width = vit.input_size
    if height != width:
        raise ModelError(f"{vit.name} takes {width}×{height} pixels, but only square pictures can be trained on.")
    module = vit.module
    if not hasattr(module, "reset_classifier"):
        raise ModelError(f"{vit.name} has no classifier that could be replaced. Choose another model.")
    sizes = {"image_size": height, "patch": vit.grid.patch_size, "depth": vit.num_layers, "heads": vit.num_heads}
    sizes |= {"dim": module.embed_dim, "head_only": head_only}
    state = left_off(out, resume, budget)
    defaults = (HEAD_ONLY if head_only else WHOLE) if state is None else {}
    recipe = Recipe.made(defaults | (given or {}) | sizes, state and state["recipe"])

    pixels, checked = decode_data(train, val, height, out, watch, decoding)
    if checked is None and hold_out:
        pixels, checked = pixels.split(hold_out, recipe.seed)
    recipe = fitted(recipe, len(pixels), MOST)
    labels = train.classes or tuple(f"class {index}" for index in range(int(train.labels.max()) + 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        module.reset_classifier(len(labels))
    module.requires_grad_(not head_only)
    module.get_classifier().requires_grad_(True)
    return ready(
        state,
        module,
        recipe,
        budget,
        pixels,
        checked,
        labels,
        out,
        machine,
        mean=vit.mean,
        std=vit.std,
        facts=(facts or {}) | {"finetuned": vit.name},
        watch=watch,
    )
