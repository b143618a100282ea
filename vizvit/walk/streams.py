"""All blocks at once: how tokens grow, how alike patches become, and what would be predicted at every layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..forward.anatomy import Anatomy
from ..model.outputs import leading
from .formulas import Absent, apart, array, predicted
from .read_out import Reading, has_classifier, read, read_alone

PERCENTILES = (10, 50, 90, 99)


@dataclass(frozen=True, eq=False)
class Depth:
    """By stream, 0 = the input of the first block.

    norms [L+1, T]: the tokens' lengths; patch_norms [P, L+1]: of the patches' lengths the percentiles in PERCENTILES;
    similarity [L+1]: mean cosine between two different patches.
    rgb [L+1, rows, cols, 3] in 0..1: the patches' first three principal components of each layer, each stretched over
    its range; signs follow the layer before.
    lens int [L+1, k], lens_probability [L+1, k]: the classes that the model's own last norm, pooling and classifier
    read off each layer (logit lens; nostalgebraist 2020), most probable first, with their probabilities; of a model of
    values the first ones, in order. None without a classifier.
    read_out: what they are read from: "class token", "class and distillation tokens", "mean of patches" or "pooling
    head".
    patch_lens int [L+1, rows, cols], patch_probability: the most probable class of each patch alone, put in the class
    token's place, or pooled by itself; of a model of values the first one throughout. None without a classifier.
    absent: where a lens is None, the key of the text that says why.
    difference: of the last layer's reading from the model's own logits (features without a classifier); None where the
    pooling is not known.
    """

    norms: np.ndarray
    patch_norms: np.ndarray
    similarity: np.ndarray
    rgb: np.ndarray
    lens: np.ndarray | None
    lens_probability: np.ndarray | None
    patch_lens: np.ndarray | None
    patch_probability: np.ndarray | None
    read_out: str
    absent: str | None
    difference: float | None


def depth(a: Anatomy, top: int = 5) -> Depth:
    streams, grid = a.streams, a.grid
    patches, norms = streams[:, grid.num_prefix_tokens :], streams.norm(dim=-1)
    reading, absent = _reading(a)
    difference = lens = lens_probability = patch_lens = patch_probability = None
    if reading is not None:
        logits = None if reading.logits is None else reading.logits[-1]
        difference = apart((reading.features[-1], a.final.features), (logits, a.final.logits))
        if reading.logits is not None:
            read_off, count = predicted(a.vit.outputs, reading.logits), min(top, reading.logits.shape[-1])
            if a.vit.outputs == "value":
                values, classes = read_off[:, :count], torch.arange(count).expand(len(read_off), -1)
            else:
                values, classes = read_off.topk(count)
            lens, lens_probability = classes.numpy(), array(values)
            patch_lens, patch_probability = _patch_lens(a, patches)
    return Depth(
        norms=array(norms),
        patch_norms=np.percentile(array(norms[:, grid.num_prefix_tokens :]), PERCENTILES, axis=1).astype(np.float32),
        similarity=array(_similarity(patches)),
        rgb=_components(patches).reshape(-1, grid.rows, grid.cols, 3),
        lens=lens,
        lens_probability=lens_probability,
        patch_lens=patch_lens,
        patch_probability=patch_probability,
        read_out=a.head.pooling,
        absent=absent,
        difference=difference,
    )


def _reading(a: Anatomy) -> tuple[Reading | None, str | None]:
    try:
        # A pooling head reads every token of every layer, which is too much for double precision.
        reading = read(a, a.streams if a.head.pooling == "pooling head" else a.streams.double())
    except Absent as error:
        return None, error.key
    return reading, None if has_classifier(a) else "absent_classifier"


def _patch_lens(a: Anatomy, patches: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    best, values = [], []
    for layer in patches:
        logits = read_alone(a, layer).logits  # [N, classes]
        first = leading(a.vit.outputs, logits)
        best.append(first)
        values.append(predicted(a.vit.outputs, logits).gather(-1, first[:, None])[:, 0])
    shape = len(patches), a.grid.rows, a.grid.cols
    return torch.stack(best).reshape(shape).numpy(), array(torch.stack(values).reshape(shape))


def _similarity(patches: torch.Tensor) -> torch.Tensor:
    """[layer, N, D] -> [layer]: |Σ unit|² counts every pair twice and every patch with itself once."""
    unit = patches.double()
    unit = unit / unit.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    count = patches.shape[1]
    return (unit.sum(1).square().sum(-1) - unit.square().sum((1, 2))) / max(count * (count - 1), 1)


def _components(patches: torch.Tensor) -> np.ndarray:
    """[layer, N, D] -> [layer, N, 3] in 0..1."""
    centred = (patches - patches.mean(1, keepdim=True)).numpy()
    layers, before = [], None
    for features in centred:
        scores = _principal(features)
        if before is None:
            signs = np.where(np.take_along_axis(scores, np.abs(scores).argmax(0)[None], 0)[0] < 0, -1, 1)
        else:
            signs = np.where((scores * before).sum(0) < 0, -1, 1)
        before = scores * signs
        low, high = before.min(0), before.max(0)
        layers.append((before - low) / np.maximum(high - low, 1e-12))
    return np.stack(layers).astype(np.float32)


def _principal(features: np.ndarray) -> np.ndarray:
    """[N, D], centred -> [N, 3]: the scores of the first three principal components, zeros where there are fewer."""
    small = features.shape[0] <= features.shape[1]
    features = features.astype(np.float64)
    values, vectors = np.linalg.eigh(features @ features.T if small else features.T @ features)
    first = vectors[:, ::-1][:, :3]
    scores = first * np.sqrt(np.maximum(values[::-1][:3], 0)) if small else features @ first
    return np.pad(scores, ((0, 0), (0, 3 - scores.shape[1])))
