"""Fusing the heads of a layer into one matrix, and reading a token's row or column as a map."""

from __future__ import annotations

import operator

import numpy as np
import torch

from ..errors import CaptureError
from ..forward.capture import Capture
from ..model.tokens import Token, read_tokens

HEAD_FUSIONS = ("mean", "max", "min")
DIRECTIONS = ("from", "to")
READ_OUT = "read_out"

Area = tuple[int, int, int, int]  # (top, left, bottom, right) in patches from 0, all inclusive


def fuse_heads(attention: torch.Tensor, head_fusion: str = "mean") -> torch.Tensor:
    """[head, ...] -> [...] by "mean", "max" or "min" over the heads."""
    if head_fusion == "mean":
        return attention.mean(0)
    if head_fusion == "max":
        return attention.amax(0)
    if head_fusion == "min":
        return attention.amin(0)
    raise CaptureError(f'Head fusion is one of {", ".join(HEAD_FUSIONS)}; received "{head_fusion}".')


def patch_map(row: np.ndarray | torch.Tensor, cap: Capture) -> np.ndarray:
    """The patches' part of rows over all tokens: [..., token] -> [..., rows, cols], prefix tokens left out.

    Each patch stands where it is in the picture, whatever its place in the sequence. A patch that is left out of the
    sequence (`cap.grid.missing`) takes part in nothing and gets 0.
    """
    row = row.cpu().numpy() if isinstance(row, torch.Tensor) else np.asarray(row)
    grid = cap.grid
    patches = row[..., grid.num_prefix_tokens :]
    if grid.order is not None:
        placed = np.zeros((*row.shape[:-1], grid.rows * grid.cols), np.float32)
        placed[..., list(grid.order)] = patches
        patches = placed
    return np.ascontiguousarray(patches.reshape(*row.shape[:-1], grid.rows, grid.cols), dtype=np.float32)


def head_maps(cap: Capture, token: Token | None = None) -> np.ndarray:
    """All heads' attention from a token to patches, float32 [layer, head, rows, cols]; token as in `attention_map`."""
    return np.stack([patch_map(attention_values(cap, layer, token=token), cap) for layer in range(cap.num_layers)])


def without_missing(heat: np.ndarray, cap: Capture) -> np.ndarray:
    """A map [..., rows, cols] with NaN instead of 0 for patches that are left out of the sequence."""
    marked = np.array(heat)
    for row, col in cap.grid.missing:
        marked[..., row, col] = np.nan
    return marked


def rest(heat: np.ndarray) -> float:
    """What a map over the patches [rows, cols] leaves to the prefix tokens of what sums to 1; never below 0."""
    return max(0.0, 1 - float(heat.sum()))


def attention_map(
    cap: Capture,
    layer: int = -1,
    *,
    head: int | None = None,
    head_fusion: str = "mean",
    token: Token | None = None,
    area: Area | None = None,
    direction: str = "from",
) -> np.ndarray:
    """One layer's attention between a token and the patches, float32 [rows, cols], prefix tokens left out.

    head: one head; None fuses all by head_fusion, "mean", "max" or "min".
    token: the query. None is the class token; without one, the mean over the patches.
    area: instead of a token, the mean over the patches of a rectangle, (top, left, bottom, right), inclusive.
    direction: "from" shows where the token looks (its row, over the keys); "to" shows how much each patch looks at it
        (its column, over the queries), which sums to no particular number.
    Raises CaptureError for a head, token, area or direction that there is not. One layer's matrices are held at a time.
    """
    if head is not None and not 0 <= head < cap.num_heads:
        raise CaptureError(f"There is no head {head}: {cap.vit.name} has heads 0 to {cap.num_heads - 1} in each layer.")
    values = attention_values(cap, layer, token=token, area=area, direction=direction)
    fused = values[head] if head is not None else fuse_heads(values, head_fusion)
    return patch_map(fused, cap)


def attention_values(
    cap: Capture,
    layer: int = -1,
    *,
    token: Token | None = None,
    area: Area | None = None,
    direction: str = "from",
) -> torch.Tensor:
    """What `attention_map` fuses, over all tokens: [head, key], or [head, query] for the direction "to"."""
    check_direction(direction)
    tokens = tokens_of(cap, token, area)
    if direction == "to":
        return cap.attention_tensor(layer)[:, :, tokens].mean(2)
    if len(tokens) == 1:
        return cap.attention_row(layer, tokens[0])
    return cap.attention_tensor(layer)[:, tokens].mean(1)


def tokens_of(cap: Capture, token: Token | None = None, area: Area | None = None) -> list[int]:
    """The sequence indices of a token or of an area's patches; for neither, the class token, or else all patches."""
    grid = cap.grid
    if area is not None:
        if token is not None:
            raise CaptureError(f"Give a token or an area, not both; received token {token!r} and area {area!r}.")
        top, left, bottom, right = _checked_area(cap, area)
        wanted = [(row, col) for row in range(top, bottom + 1) for col in range(left, right + 1)]
        missing = grid.missing
        tokens = [grid.token(*patch) for patch in wanted if patch not in missing]
        if not tokens:
            raise CaptureError(f"All patches of the area {area!r} are left out of the sequence.")
        return tokens
    if token is not None:
        return [cap.token_index(token)]
    if "class" in grid.prefix_names:
        return [grid.prefix_names.index("class")]
    return list(range(grid.num_prefix_tokens, grid.num_tokens))


def check_direction(direction: str) -> None:
    if direction not in DIRECTIONS:
        raise CaptureError(f'The direction is "from" or "to"; received {direction!r}.')


def _checked_area(cap: Capture, area: Area) -> Area:
    rows, cols = cap.grid.rows, cap.grid.cols
    try:
        top, left, bottom, right = (operator.index(edge) for edge in area)
    except (TypeError, ValueError):
        raise CaptureError(f"An area is (top, left, bottom, right) in whole patches; received {area!r}.") from None
    if not (0 <= top <= bottom < rows and 0 <= left <= right < cols):
        raise CaptureError(
            f"There is no area {(top, left, bottom, right)}: it is (top, left, bottom, right), inclusive, within rows "
            f"0 to {rows - 1} and columns 0 to {cols - 1}."
        )
    return top, left, bottom, right


def query_row(
    cap: Capture, token: Token | None, pool_weights: torch.Tensor | None, area: Area | None = None
) -> torch.Tensor:
    """What is read at the end of a chain, as weights over tokens, [token].

    A token: one at its place. An area: equal weights over its patches. Neither: the class token; without one, the
    pooling head's own weights (given as pool_weights), or else the mean over the patches. READ_OUT: what the prediction
    is read from: the class token, class and distillation token alike, the pooling head, or the mean over the patches,
    which some models with a class token (BEiT, EVA-02) read all the same.
    """
    has_class = "class" in cap.grid.prefix_names
    if pool_weights is not None and area is None and (token == READ_OUT or (token is None and not has_class)):
        return pool_weights.clone()
    row = torch.zeros(cap.num_tokens, device=cap.device)
    tokens = read_tokens(cap.vit) if token == READ_OUT and area is None else tokens_of(cap, token, area)
    row[tokens] = 1 / len(tokens)
    return row


def describe_query(cap: Capture, token: Token | None = None, *, area: Area | None = None, pooled: bool = True) -> str:
    """What a map was read from, in words for a caption. pooled: token=None may mean the pooling head's query."""
    if area is not None:
        tokens_of(cap, token, area)
        top, left, bottom, right = area
        if (top, left) == (bottom, right):
            return f"patch at {cap.grid.name(cap.grid.token(top, left))}"
        return f"area of rows {top} to {bottom}, columns {left} to {right}"
    if token is not None:
        name = cap.grid.name(cap.token_index(token))
        return f"{name} token" if name in cap.grid.prefix_names else f"patch at {name}"
    if "class" in cap.grid.prefix_names:
        return "class token"
    return "pooling head's query" if pooled and cap.has_pooling_head else "mean over all patch queries"
