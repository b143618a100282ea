"""From the picture to one vector a patch: cut, flattened, and projected by E (ViT paper, eq. 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..forward.anatomy import Anatomy
from ..model.parts import Kernel
from ..model.pixels import greyed
from .formulas import Absent, apart, array, norm, weight


@dataclass(frozen=True, eq=False)
class Patches:
    """tiles: uint8 [rows, cols, P, P, 3], what the model sees, cut into N = rows · cols patches of P x P pixels."""

    tiles: np.ndarray
    difference: None = None


@dataclass(frozen=True, eq=False)
class Flat:
    """One patch as numbers.

    pixels: uint8 [P, P, 3]; channels [C, P, P]: (pixel / 255 - mean) / std of each channel; values [C·P·P]: the same
    in the order in which the kernel reads them; order: "channel, y, x" or "y, x, channel".
    difference: of the normalisation by hand from what the model was given.
    """

    pixels: np.ndarray
    channels: np.ndarray
    values: np.ndarray
    order: str
    difference: float


@dataclass(frozen=True, eq=False)
class Embedding:
    """One patch's embedding, each [D], and matrix, E itself, [P²·C, D].

    by_convolution: the kernel moved over the whole picture in steps of P, read at the patch; by_matrix: the patch's
    P²·C values times E, plus the bias; vector: the model's; bias: [D] or None.
    difference: of by_matrix from the vector; apart: of by_convolution from by_matrix.
    """

    matrix: np.ndarray
    by_convolution: np.ndarray
    by_matrix: np.ndarray
    vector: np.ndarray
    bias: np.ndarray | None
    difference: float
    apart: float


def patches(a: Anatomy) -> Patches:
    grid, size = a.grid, a.grid.patch_size
    tiles = a.view.reshape(grid.rows, size, grid.cols, size, 3).swapaxes(1, 2)  # rows, y, cols, x -> rows, cols, y, x
    return Patches(np.ascontiguousarray(tiles))


def flatten(a: Anatomy, row: int, col: int) -> Flat:
    """Raises IndexError for a patch that is not there."""
    left, top, right, bottom = a.grid.box(row, col)
    pixels = a.view[top:bottom, left:right]
    read = pixels if len(a.pixels) == 3 else greyed(pixels)
    by_hand = (read / 255 - np.array(a.vit.mean)) / np.array(a.vit.std)  # [P, P, C]
    given = a.pixels[:, top:bottom, left:right]
    last = a.kernel is not None and a.kernel.channels_last
    return Flat(
        pixels=pixels.copy(),
        channels=array(given),
        values=array((given.permute(1, 2, 0) if last else given).flatten()),
        order="y, x, channel" if last else "channel, y, x",
        difference=apart((torch.from_numpy(by_hand).permute(2, 0, 1), given)),
    )


def embedding(a: Anatomy, row: int, col: int) -> Embedding:
    """Raises Absent where the patches are not embedded by one linear map, IndexError for a patch that is not there."""
    if a.kernel is None or a.embedded is None:
        raise Absent("absent_embedding", model=a.vit.name)
    kernel, values = a.kernel, torch.from_numpy(flatten(a, row, col).values).double()
    matrix = weight(kernel.weight, values).T
    by_matrix = values @ matrix
    bias = None if kernel.bias is None else weight(kernel.bias, values)
    if bias is not None:
        by_matrix = by_matrix + bias
    by_matrix = norm(by_matrix, kernel.norm)
    by_convolution = _convolution(a, kernel)[:, row, col]
    vector = a.embedded[row * a.grid.cols + col]
    return Embedding(
        matrix=array(matrix),
        by_convolution=array(by_convolution),
        by_matrix=array(by_matrix),
        vector=array(vector),
        bias=array(bias),
        difference=apart((by_matrix, vector)),
        apart=apart((by_convolution, by_matrix)),
    )


def _convolution(a: Anatomy, kernel: Kernel) -> torch.Tensor:
    """[D, rows, cols]: E as a kernel of P x P pixels, moved over the picture in steps of P."""
    size, channels = a.grid.patch_size, a.pixels.shape[0]
    flat = weight(kernel.weight, a.pixels)
    if kernel.channels_last:
        filters = flat.reshape(-1, size, size, channels).permute(0, 3, 1, 2)
    else:
        filters = flat.reshape(-1, channels, size, size)
    height, width = a.grid.image_size
    bias = None if kernel.bias is None else weight(kernel.bias, a.pixels)
    maps = F.conv2d(a.pixels[None, :, :height, :width], filters, bias, stride=size)[0]
    return norm(maps.permute(1, 2, 0), kernel.norm).permute(2, 0, 1)
