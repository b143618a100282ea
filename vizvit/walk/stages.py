"""The stages of the walk through a Vision Transformer, from pixels to prediction: the one list of them.

A new stage is an entry here, its function by hand in this folder, its drawing in `pages/walkthrough`, its lesson in
`assets/lessons` and its word in `texts`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """name: of its word in the stage bar and of its drawing. lesson: its file in `assets/lessons`, in each language.

    shape: what runs, with the model's numbers in braces. uses: the controls of a place that it is drawn from.
    """

    name: str
    lesson: str
    shape: str
    uses: tuple[str, ...] = ()


TOKEN = ("patch", "prefix", "layer")
HEAD = (*TOKEN, "head")
STAGES = (
    Stage("patches", "01-patches", "[{height}×{width}×{channels}] → [{patches}, {patch}×{patch}×{channels}]", ("cut",)),
    Stage("flatten", "02-flatten", "[{patches}, {patch}×{patch}×{channels}] → [{patches}, {values}]", ("patch",)),
    Stage("embedding", "03-embedding", "[{patches}, {values}] → [{patches}, {dim}]", ("patch",)),
    Stage("tokens", "04-class-token", "[{patches}, {dim}] → [{prefix} + {patches}, {dim}] = [{tokens}, {dim}]"),
    Stage("position", "05-position", "[{tokens}, {dim}] + [{tokens}, {dim}] → [{tokens}, {dim}]", ("patch", "prefix")),
    Stage("norm", "06-normalisation", "[{tokens}, {dim}] → [{tokens}, {dim}]", TOKEN),
    Stage("qkv", "07-qkv", "[{tokens}, {dim}] → 3 × [{heads}, {tokens}, {head_dim}]", HEAD),
    Stage(
        "scores",
        "08-scores",
        "[{heads}, {tokens}, {head_dim}] · [{heads}, {head_dim}, {tokens}] → [{heads}, {tokens}, {tokens}]",
        HEAD,
    ),
    Stage(
        "sum",
        "09-weighted-sum",
        "[{heads}, {tokens}, {tokens}] · [{heads}, {tokens}, {head_dim}] → [{heads}, {tokens}, {head_dim}]",
        HEAD,
    ),
    Stage(
        "heads",
        "10-heads",
        "[{heads}, {tokens}, {head_dim}] → [{tokens}, {heads}·{head_dim}] → [{tokens}, {dim}]",
        TOKEN,
    ),
    Stage("mlp", "11-mlp", "[{tokens}, {dim}] → [{tokens}, {hidden}] → [{tokens}, {dim}]", TOKEN),
    Stage("depth", "12-depth", "{layers} × ([{tokens}, {dim}] → [{tokens}, {dim}])", ("patch", "layer")),
    Stage("head", "13-head", "[{dim}] → [{classes}]"),
)
