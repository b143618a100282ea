"""The prediction: the last norm, the classifier, the softmax, and which dimensions decide (ViT paper, eq. 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..forward.anatomy import Anatomy
from .formulas import Absent, apart, array, softmax, weight
from .read_out import has_classifier, read


@dataclass(frozen=True, eq=False)
class Head:
    """From the last stream to the classes.

    read_out: "class token", "class and distillation tokens", "mean of patches", "pooling head" or a pooling's name.
    pooled [D]: the vector that is read, before the last norm where this comes after the pooling or the read-out is one
    token; normed [D]: what the classifier reads.
    logits, probabilities [classes]; winner, runner_up: indices of classes (`vit.label(i)` names them).
    contributions [D]: normed_d · (W[winner, d] - W[runner_up, d]); halved for a distilled model, whose logits are the
    mean of two classifiers; distilled_contributions [D]: the distillation token's half, or None; bias_contribution: of
    the biases. All of them add up to logits[winner] - logits[runner_up].
    """

    read_out: str
    pooled: np.ndarray
    normed: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    winner: int
    runner_up: int
    contributions: np.ndarray
    distilled_contributions: np.ndarray | None
    bias_contribution: float
    difference: float


def head(a: Anatomy) -> Head:
    """Raises Absent for a model without a classifier, or with a pooling that is not known."""
    if not has_classifier(a) or len(a.vit.labels) < 2:
        raise Absent("absent_classifier", model=a.vit.name, dim=a.streams.shape[-1])
    last = a.streams[-1].double()
    reading = read(a, last)
    one_token = a.head.pooling in ("class token", "class and distillation tokens")
    pooled = last[0] if one_token and a.head.fc_norm is None else reading.pooled
    winner, runner_up = reading.logits.topk(2).indices.tolist()
    classifiers = [a.head.linear] if a.head.distilled is None else [a.head.linear, a.head.distilled]
    read_vectors = [reading.features] if reading.distilled is None else [reading.features, reading.distilled]
    rows = [weight(part.weight[[winner, runner_up]], last) for part in classifiers]
    shares = [x * (w[0] - w[1]) / len(rows) for x, w in zip(read_vectors, rows, strict=True)]
    biases = [float(part.bias[winner] - part.bias[runner_up]) for part in classifiers if part.bias is not None]
    model = a.final
    return Head(
        read_out=a.head.pooling,
        pooled=array(pooled),
        normed=array(reading.features),
        logits=array(reading.logits),
        probabilities=array(softmax(reading.logits)),
        winner=winner,
        runner_up=runner_up,
        contributions=array(shares[0]),
        distilled_contributions=array(shares[1]) if len(shares) > 1 else None,
        bias_contribution=sum(biases) / len(rows),
        difference=apart((reading.features, model.features), (reading.logits, model.logits)),
    )
