"""Tokens by name: "cls", ("patch", row, col) or an index."""

from __future__ import annotations

from ..errors import CaptureError
from .vit import VitModel

Token = int | str | tuple[str, int, int]


def find_layer(vit: VitModel, layer: int, count: int | None = None) -> int:
    """A layer of this model, counted from 0; negative ones are from the end. CaptureError where there is none.

    count: of the layers, where it is known, for instance from a capture.
    """
    count = vit.num_layers if count is None else count
    if not -count <= layer < count:
        raise CaptureError(f"There is no layer {layer}: {vit.name} has layers 0 to {count - 1}.")
    return layer % count


def find_token(vit: VitModel, token: Token) -> int:
    """The sequence index of a token of this model, as `Capture.token_index`; CaptureError where there is none."""
    grid, names = vit.grid, vit.grid.prefix_names
    if isinstance(token, str):
        wanted = {"cls": "class", "dist": "distillation"}.get(token, token)
        if wanted in names:
            return names.index(wanted)
        have = ", ".join(f'"{name}"' for name in names) or "no prefix tokens at all"
        raise CaptureError(
            f'{vit.name} has no token "{token}": it has {have}. Choose a patch with ("patch", row, col).'
        )
    if isinstance(token, tuple):
        if len(token) != 3 or token[0] != "patch":
            raise CaptureError(f'A token given as a tuple is ("patch", row, col); received {token!r}.')
        try:
            return grid.token(int(token[1]), int(token[2]))
        except IndexError as error:
            raise CaptureError(str(error)) from error
    if not 0 <= int(token) < grid.num_tokens:
        raise CaptureError(f"There is no token {token}: the sequence has tokens 0 to {grid.num_tokens - 1}.")
    return int(token)


def read_tokens(vit: VitModel) -> list[int]:
    """The sequence indices that a model without a pooling head predicts from, each as much as the others.

    Of a classifier that reads the class token beside the mean of the patches, the class token.
    """
    names = vit.grid.prefix_names
    if vit.read_out == "class and distillation tokens":
        return [names.index("class"), names.index("distillation")]
    if vit.read_out in ("class token", "class token and mean of patches") and "class" in names:
        return [names.index("class")]
    return list(range(len(names), vit.grid.num_tokens))
