"""The prediction: the last norm, the classifier, the softmax, and which dimensions decide (ViT paper, eq. 4).

Of a model without a classifier, what it ends in: the vector that it gives of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..forward.anatomy import Anatomy
from ..model.outputs import leading
from .formulas import Absent, apart, array, predicted, weight
from .read_out import Reading, has_classifier, read


@dataclass(frozen=True, eq=False)
class Head:
    """From the last stream to the classes.

    read_out: "class token", "class and distillation tokens", "mean of patches", "pooling head" or a pooling's name.
    pooled [D]: the vector that is read, before the last norm where this comes after the pooling or the read-out is one
    token; normed [D]: what the classifier reads.
    logits, predictions, probabilities [output]: as in a Capture; winner, runner_up: indices of classes (`vit.label(i)`
    names them). runner_up is None where outputs do not compete: of labels at once, of values, of a single class. Of
    values, the first stands as the winner.
    contributions [D]: normed_d · (W[winner, d] - W[runner_up, d]); halved for a distilled model, whose logits are the
    mean of two classifiers; distilled_contributions [D]: the distillation token's half, or None; bias_contribution: of
    the biases. All of them add up to `lead`, logits[winner] - logits[runner_up]; without a runner-up they are those of
    the winner's logit alone.
    """

    read_out: str
    pooled: np.ndarray
    normed: np.ndarray
    logits: np.ndarray
    predictions: np.ndarray
    probabilities: np.ndarray
    winner: int
    runner_up: int | None
    lead: float
    contributions: np.ndarray
    distilled_contributions: np.ndarray | None
    bias_contribution: float
    difference: float


def head(a: Anatomy) -> Head:
    """Raises Absent for a model without a classifier, or with a pooling that is not known."""
    if not has_classifier(a):
        raise Absent("absent_classifier", model=a.vit.name, dim=a.streams.shape[-1])
    last = a.streams[-1].double()
    reading, kind = read(a, last), a.vit.outputs
    logits, winner = reading.logits, int(leading(kind, reading.logits))
    competing = kind == "softmax" and len(logits) > 1
    runner_up = int(logits.topk(2).indices[1]) if competing else None
    classifiers = [a.head.linear] if a.head.distilled is None else [a.head.linear, a.head.distilled]
    read_vectors = [reading.features] if reading.distilled is None else [reading.features, reading.distilled]

    def ahead(of: torch.Tensor) -> torch.Tensor:
        """The winner's, less the runner-up's where there is one."""
        return of[winner] if runner_up is None else of[winner] - of[runner_up]

    rows = [ahead(weight(part.weight, last)) for part in classifiers]
    shares = [x * w / len(rows) for x, w in zip(read_vectors, rows, strict=True)]
    biases = [float(ahead(part.bias)) for part in classifiers if part.bias is not None]
    model, predictions = a.final, array(predicted(kind, logits))
    return Head(
        read_out=a.head.pooling,
        pooled=array(_read_vector(a, reading)),
        normed=array(reading.features),
        logits=array(logits),
        predictions=predictions,
        probabilities=predictions[:0] if kind == "value" else predictions,
        winner=winner,
        runner_up=runner_up,
        lead=float(ahead(logits)),
        contributions=array(shares[0]),
        distilled_contributions=array(shares[1]) if len(shares) > 1 else None,
        bias_contribution=sum(biases) / len(rows),
        difference=apart((reading.features, model.features), (logits, model.logits)),
    )


@dataclass(frozen=True, eq=False)
class Features:
    """What a model without a classifier gives: read_out, pooled and normed [D] as in `Head`, and the difference."""

    read_out: str
    pooled: np.ndarray
    normed: np.ndarray
    difference: float


def features(a: Anatomy) -> Features:
    """Raises Absent for a pooling that is not known."""
    reading = read(a, a.streams[-1].double())
    pooled = array(_read_vector(a, reading))
    return Features(a.head.pooling, pooled, array(reading.features), apart((reading.features, a.final.features)))


def _read_vector(a: Anatomy, reading: Reading) -> torch.Tensor:
    """[D]: before the last norm, where what is read is one token."""
    one_token = a.head.pooling in ("class token", "class and distillation tokens")
    return a.streams[-1].double()[0] if one_token and a.head.fc_norm is None else reading.pooled
