"""The stages of the walk through a Vision Transformer, from pixels to prediction: the one list of them.

A new stage is an entry here, its function by hand in this folder, its drawing in `pages/walkthrough/NAME.py`, its
lesson in `assets/lessons` and its word in `texts`; for the page that runs the model itself also its function in
`explorer/js/byhand` and its drawing in `explorer/walk`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Stage:
    """name: of its word in the stage bar, and of the file with its drawing. by_hand: its function in this folder, as
    FILE.FUNCTION. lesson: its file in `assets/lessons`, in each language.

    shape: what runs, with the model's numbers in braces. uses: the controls of a place that it is drawn from.
    otherwise: the fields that are others, by what the model gives: "sigmoid", "value", or "features" without classes.
    """

    name: str
    by_hand: str
    lesson: str
    shape: str
    uses: tuple[str, ...] = ()
    otherwise: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def of(self, kind: str) -> Stage:
        """The stage as it is for a model that gives this."""
        return replace(self, **self.otherwise.get(kind, {}))


TOKEN = ("patch", "prefix", "layer")
HEAD = (*TOKEN, "head")
PAIR = ("prefix", "layer", "head")  # the patch is chosen on the drawing
STAGES = (
    Stage(
        "patches",
        "pixels.patches",
        "01-patches",
        "[{height}×{width}×{channels}] → [{patches}, {patch}×{patch}×{channels}]",
        ("cut",),
    ),
    Stage(
        "flatten",
        "pixels.flatten",
        "02-flatten",
        "[{patches}, {patch}×{patch}×{channels}] → [{patches}, {values}]",
        ("patch",),
    ),
    Stage("embedding", "pixels.embedding", "03-embedding", "[{patches}, {values}] → [{patches}, {dim}]", ("patch",)),
    Stage(
        "tokens",
        "sequence.prefix",
        "04-class-token",
        "[{patches}, {dim}] → [{prefix} + {patches}, {dim}] = [{tokens}, {dim}]",
    ),
    Stage(
        "position",
        "sequence.position",
        "05-position",
        "[{tokens}, {dim}] + [{tokens}, {dim}] → [{tokens}, {dim}]",
        ("patch", "prefix"),
    ),
    Stage("norm", "norms.layer_norm", "06-normalisation", "[{tokens}, {dim}] → [{tokens}, {dim}]", TOKEN),
    Stage("qkv", "attention.qkv", "07-qkv", "[{tokens}, {dim}] → 3 × [{heads}, {tokens}, {head_dim}]", PAIR),
    Stage(
        "scores",
        "attention.scores",
        "08-scores",
        "[{heads}, {tokens}, {head_dim}] · [{heads}, {head_dim}, {tokens}] → [{heads}, {tokens}, {tokens}]",
        PAIR,
    ),
    Stage(
        "sum",
        "attention.weighted_sum",
        "09-weighted-sum",
        "[{heads}, {tokens}, {tokens}] · [{heads}, {tokens}, {head_dim}] → [{heads}, {tokens}, {head_dim}]",
        HEAD,
    ),
    Stage(
        "heads",
        "attention.heads",
        "10-heads",
        "[{heads}, {tokens}, {head_dim}] → [{tokens}, {heads}·{head_dim}] → [{tokens}, {dim}]",
        TOKEN,
    ),
    Stage("mlp", "feed_forward.mlp", "11-mlp", "[{tokens}, {dim}] → [{tokens}, {hidden}] → [{tokens}, {dim}]", TOKEN),
    Stage(
        "depth", "streams.depth", "12-depth", "{layers} × ([{tokens}, {dim}] → [{tokens}, {dim}])", ("patch", "layer")
    ),
    Stage(
        "head",
        "logits.head",
        "13-head",
        "[{dim}] → [{classes}]",
        otherwise={
            "sigmoid": {"lesson": "13-labels"},
            "value": {"lesson": "13-values"},
            "features": {"by_hand": "logits.features", "lesson": "13-features", "shape": "[{tokens}, {dim}] → [{dim}]"},
        },
    ),
)
