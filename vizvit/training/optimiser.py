"""The optimiser of a recipe, with timm's factory."""

from __future__ import annotations

import torch
from timm.optim import create_optimizer_v2
from torch import nn

from .recipe import Recipe

TOWARDS = 1e-3  # peak rate of the layer that leads to the teacher's tokens


def optimizer_of(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    return create_optimizer_v2(
        network,
        opt=recipe.opt,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        layer_decay=recipe.layer_decay if recipe.layer_decay < 1 else None,
        **_options(recipe),
    )


def _options(recipe: Recipe) -> dict:
    if "muon" in recipe.opt:  # its rule is for matrices between tokens; embeddings and classifier take AdamW's
        fallback = {"fallback_list": ("head.*", "pos_embed", "cls_token"), "fallback_no_weight_decay": True}
        return {"momentum": 0.95, "betas": (0.9, recipe.beta2), **fallback}
    return {"betas": (0.9, recipe.beta2)} if "adam" in recipe.opt else {}
