"""Token vectors of the residual stream: their norms, how alike patches are, their principal components."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import CaptureError
from ..features import chain, high_population, unit_vectors
from ..forward.capture import Capture
from ..model.tokens import Token, find_layer
from .fusion import Area, patch_map, tokens_of


def token_norms(cap: Capture) -> np.ndarray:
    """L2 norms of the residual stream, float32 [layer + 1, token].

    Row 0 is the first block's input, row n + 1 the stream after block n. They were taken during the capture's own
    forward pass.
    """
    return cap.norms()


class ArtefactTokens(NamedTuple):
    """The patches of the high-norm population of a layer.

    mask: bool [rows, cols], which they are. threshold: the norm above which a patch belongs to it; None where all
    patches are one population, and no patch is marked.
    """

    mask: np.ndarray
    threshold: float | None

    @property
    def share(self) -> float:
        """Of all patches of the grid, 0 to 1."""
        return float(self.mask.mean())

    @property
    def patches(self) -> list[tuple[int, int]]:
        """(row, col) of each."""
        return [(int(row), int(col)) for row, col in np.argwhere(self.mask)]


def artefact_tokens(cap: Capture, layer: int = -1) -> ArtefactTokens:
    """The patches after a block whose norms are a high population of their own, with the fitted threshold.

    Darcet et al., "Vision Transformers Need Registers" (ICLR 2024), cut the norms where their histogram has two peaks;
    here the cut is fitted for each picture and layer, see `vizvit.features.high_population`. There are none where the
    norms are one population, where two overlap, as those of two parts of a picture do, nor where the high one is the
    larger.
    """
    norms = patch_norms(cap)[find_layer(cap.vit, layer, cap.num_layers) + 1]  # [patch]
    threshold = float(high_population(norms))
    if np.isnan(threshold):
        return ArtefactTokens(np.zeros((cap.grid.rows, cap.grid.cols), bool), None)
    prefix = np.zeros(cap.grid.num_prefix_tokens, bool)
    return ArtefactTokens(patch_map(np.concatenate([prefix, norms > threshold]), cap) > 0, threshold)


def artefact_shares(caps: Sequence[Capture]) -> np.ndarray:
    """The share of the patches in the sequence that are `artefact_tokens` after each block, float32 [capture, layer].

    The captures are of grids of one size: to fit those of many pictures together takes a quarter of the time.
    """
    norms = np.stack([patch_norms(cap)[1:] for cap in caps])  # [capture, layer, patch]
    return (norms > high_population(norms)[..., None]).mean(-1).astype(np.float32)


def patch_norms(cap: Capture) -> np.ndarray:
    """`token_norms` without the prefix tokens, [layer + 1, patch], in the sequence's order."""
    return token_norms(cap)[:, cap.grid.num_prefix_tokens :]


def patch_similarity(
    cap: Capture,
    token: Token | None = None,
    layer: int = -1,
    *,
    area: Area | None = None,
    other: Capture | None = None,
) -> np.ndarray:
    """The cosine between a token's vector and each patch's in the residual stream after a block, float32 [rows, cols].

    token: "cls" or another prefix token's name, ("patch", row, col), or an index. None is the class token; without
    one, the mean over the patches. area: instead, the mean over the patches of (top, left, bottom, right), inclusive.
    other: a capture of another picture by the same model, whose patches are compared with this one's token.
    Raises CaptureError for a layer, token or area that there is not, and for a capture by another model. A patch that
    is left out of the sequence gets 0.
    """
    tokens, there = tokens_of(cap, token, area), cap if other is None else other
    _check_same_model(cap, there)
    query = unit_vectors(cap.tokens(layer)[tokens]).mean(0)  # [dim]; a mean of cosines is the cosines' with the mean
    return patch_map(unit_vectors(there.tokens(layer)) @ query, there)


def patch_components(cap: Capture, layer: int = -1, n: int = 3, *, other: Capture | None = None) -> np.ndarray:
    """The first n principal components of the patches' vectors after a block, float32 [rows, cols, n].

    The vectors are centred on their mean; prefix tokens take no part. A patch's numbers are its coordinates along the
    components, in the stream's own units. In the last layer they stand in the order of their variance; from there back
    order and signs are those that make each component most like its counterpart in the layer after, so that three
    components as red, green and blue keep their colours from layer to layer.
    other: a capture of another picture by the same model. The components are then those of the patches of both, so that
    the maps of the two, patch_components(cap, other=other) and patch_components(other, other=cap), can be compared.
    Raises CaptureError for a layer that there is not, for more components than patches or dimensions, and for a capture
    by another model.
    """
    return component_chain(cap, n, find_layer(cap.vit, layer, cap.num_layers), other=other)[0][0]


def component_chain(
    cap: Capture, n: int = 3, first: int = 0, *, other: Capture | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """`patch_components` of the layers from `first` on and each one's share of the layer's variance.

    (float32 [layer, rows, cols, n], float32 [layer, n]); with `other`, the variance is that of both pictures' patches.
    """
    if other is not None:
        _check_same_model(cap, other)
    prefix, patches = cap.grid.num_prefix_tokens, cap.grid.num_patches
    try:
        n = operator.index(n)
    except TypeError:
        raise CaptureError(f"The number of components is a whole number; received {n!r}.") from None
    most = min(patches, cap.tokens(-1).shape[-1])
    if not 1 <= n <= most:
        raise CaptureError(f"There are 1 to {most} components of {patches} patches; received {n}.")
    captures = [cap] if other is None else [cap, other]
    layers = reversed(range(first, cap.num_layers))
    scores, shares = chain((np.concatenate([one.tokens(layer)[prefix:] for one in captures]) for layer in layers), n)
    scores = scores[:, : cap.num_tokens - prefix]
    rows = np.concatenate([np.zeros((len(scores), prefix, n)), scores[::-1]], axis=1)  # [layer, token, component]
    maps = np.moveaxis(patch_map(np.moveaxis(rows, -1, 1), cap), 1, -1)
    return np.ascontiguousarray(maps), shares[::-1].astype(np.float32)


def _check_same_model(cap: Capture, other: Capture) -> None:
    if other.vit is cap.vit:
        return
    one, two = (f"{vit.name}, {vit.weights}" for vit in (cap.vit, other.vit))
    if one != two or cap.num_layers != other.num_layers:
        raise CaptureError(
            f"Vectors of two models cannot be compared: received captures by {one} and by {two}. Capture both pictures "
            f"with one model."
        )
