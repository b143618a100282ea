"""A teacher's tokens: computed once for each picture, kept on disk, brought along to every crop of it.

A small network learns more of places from a large one's patch tokens than from labels, which say nothing of them.
Distilling tokens at the same place: "Masked Autoencoders Enable Efficient Knowledge Distillers" (Bai et al., CVPR
2023) and others before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ModelError
from ..files import made, reserve, write_text, written
from ..model.loading import load_model
from ..model.vit import VitModel
from ..reading import json_of
from .augment import moved
from .pixels import Pixels, spoilt
from .precision import pick_precision

DIMS = 128  # principal components of a token that are kept
SAMPLE = 1000  # pictures from which the components are found
BATCH = 64
KEEP_EVERY = 50  # batches
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Lessons:
    """What a teacher gives for each training picture.

    tokens: float16 [picture, 1 + rows · cols, dim]: the class token (without one, the mean of the patches), then the
    patches row by row, standardised and reduced to their first principal components.
    kept: the share of the standardised tokens' variance that these have.
    class_token: whether the teacher has one. Where not, the student's learns from the labels alone: drawn to the mean
    over the patches it would have to look at all of them alike.
    """

    tokens: np.ndarray | Tensor
    rows: int
    cols: int
    kept: float
    class_token: bool = True

    @property
    def dim(self) -> int:
        return self.tokens.shape[-1]

    def batch(self, which: np.ndarray, device: torch.device) -> Tensor:
        """float16 [which, 1 + patch, dim] on the device."""
        if isinstance(self.tokens, Tensor):
            return self.tokens[moved(torch.from_numpy(which), self.tokens.device)]
        return moved(torch.from_numpy(self.tokens[which]), device)

    def on(self, device: torch.device) -> Lessons:
        """The same on a GPU that has room for them; elsewhere as they are."""
        if device.type != "cuda" or self.tokens.nbytes > torch.cuda.mem_get_info(device)[0] / 2:
            return self
        return replace(self, tokens=torch.from_numpy(np.array(self.tokens)).to(device))

    def seen(self, tokens: Tensor, places: Tensor) -> Tensor:
        """The tokens of views that show a part of their picture, [batch, 1 + patch, dim].

        places: [batch, 2, 3], from a place of the view to one in the picture, both from -1 to 1, as `Augment` draws
        them. Patches are resampled bilinearly; the class token is the picture's.
        """
        batch, _, dim = tokens.shape
        grid = F.affine_grid(places, [batch, dim, self.rows, self.cols], align_corners=False)
        patches = tokens[:, 1:].transpose(1, 2).reshape(batch, dim, self.rows, self.cols)
        patches = F.grid_sample(
            patches.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
        )  # [batch, dim, rows, cols]
        return torch.cat([tokens[:, :1].float(), patches.flatten(2).transpose(1, 2)], dim=1)


def open_teacher(name: str, grid: tuple[int, int], device: torch.device) -> VitModel:
    """The model with as many patches as the student has: its input is chosen so that the grids agree."""
    vit = load_model(name, device=device)
    rows, cols = grid
    if (vit.grid.rows, vit.grid.cols) != grid:
        size = vit.grid.patch_size
        vit = load_model(name, device=device, image_size=(rows * size, cols * size))
    if (vit.grid.rows, vit.grid.cols) != grid:
        raise ModelError(
            f"The teacher {name} has {vit.grid.rows}×{vit.grid.cols} patches where the student has {rows}×{cols}, and "
            f"its input size cannot be changed. Choose another teacher."
        )
    return vit


def lessons(vit: VitModel, data: Pixels, cache: Path, *, progress: Progress | None = None) -> Lessons:
    """The tokens of all pictures, from the folder `cache` where they were made before.

    Goes on where it was stopped. Raises ModelError where the disk is full.
    """
    key = hashlib.sha256(f"1 {DIMS} {data.digest} {data.side} {_digest(vit)}".encode()).hexdigest()[:20]
    file, notes = cache / f"tokens-{key}.npy", cache / f"tokens-{key}.json"
    basis_file = cache / f"tokens-{key}-basis.npz"
    count, tokens = len(data), 1 + vit.grid.rows * vit.grid.cols
    made(cache)
    if not basis_file.is_file():
        found = _basis(vit, data)
        written(basis_file, lambda partial: _save_arrays(partial, found))
    try:
        with np.load(basis_file) as opened:
            basis = {name: torch.from_numpy(opened[name]).to(vit.device) for name in opened.files}
        shape = (count, tokens, basis["patch_matrix"].shape[1])
        done = json_of(notes)["done"] if notes.is_file() and file.is_file() else 0
        if not done:
            reserve(file, shape, np.float16)
        rows = np.load(file, mmap_mode="r+" if done < count else "r")
        if rows.shape != shape or not 0 <= done <= count:
            raise ValueError("other shapes")
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise error if isinstance(error, ModelError) else spoilt(file, error) from error
    batch = BATCH * (8 if vit.device.type == "cuda" else 1)
    while done < count:
        which = np.arange(done, min(done + batch, count))
        rows[which[0] : which[-1] + 1] = _reduced(_tokens(vit, data, which), basis).cpu().numpy()
        done += len(which)
        if done == count or done % (KEEP_EVERY * batch) == 0:
            rows.flush()
            write_text(notes, json.dumps({"done": done}))
        if progress:
            progress(done, count)
    kept = float(basis["kept"])
    return Lessons(np.load(file, mmap_mode="r"), vit.grid.rows, vit.grid.cols, kept, _has_class_token(vit))


@torch.no_grad()
def _tokens(vit: VitModel, data: Pixels, which: np.ndarray) -> Tensor:
    """float32 [which, 1 + patch, dim]: the teacher's final tokens."""
    pixels = torch.from_numpy(data.batch(which)).to(vit.device).float()
    pixels = F.interpolate(pixels, vit.input_size, mode="bicubic", align_corners=False, antialias=True).clamp(0, 255)
    mean, std = (torch.tensor(value, device=vit.device).view(1, 3, 1, 1) * 255 for value in (vit.mean, vit.std))
    precision = pick_precision("auto", vit.device)
    with torch.autocast(vit.device.type, precision, enabled=precision != torch.float32):
        found = vit.module.forward_features((pixels - mean) / std).float()
    patches = found[:, vit.grid.num_prefix_tokens :]
    first = found[:, :1] if _has_class_token(vit) else patches.mean(1, keepdim=True)
    return torch.cat([first, patches], dim=1)


def _basis(vit: VitModel, data: Pixels) -> dict[str, np.ndarray]:
    """Mean, deviation and principal components of some pictures' tokens: of class tokens, and of patches."""
    spread = np.unique(np.linspace(0, len(data) - 1, SAMPLE).astype(int))
    parts = [spread[start : start + BATCH] for start in range(0, len(spread), BATCH)]
    whole = torch.cat([_tokens(vit, data, part).half().cpu() for part in parts])
    found: dict[str, Tensor] = {}
    for name, some in (("first", whole[:, 0]), ("patch", whole[:, 1:].flatten(0, 1))):
        some = some.float()
        mean, std = some.mean(0), some.std(0).clamp_min(1e-6)
        some = (some - mean) / std
        values, vectors = torch.linalg.eigh(some.T @ some / len(some))  # ascending
        order = torch.arange(len(values) - 1, -1, -1)[:DIMS]
        found |= {f"{name}_mean": mean, f"{name}_std": std, f"{name}_matrix": vectors[:, order]}
        found["kept"] = values[order].sum() / values.sum()
    return {name: value.numpy() for name, value in found.items()}


def _reduced(tokens: Tensor, basis: dict[str, Tensor]) -> Tensor:
    parts = []
    for name, some in (("first", tokens[:, :1]), ("patch", tokens[:, 1:])):
        parts.append(((some - basis[f"{name}_mean"]) / basis[f"{name}_std"]) @ basis[f"{name}_matrix"])
    return torch.cat(parts, dim=1).half()


def _has_class_token(vit: VitModel) -> bool:
    return "class" in vit.grid.prefix_names


def _digest(vit: VitModel) -> str:
    """What a teacher's tokens hang on: its weights, its input size and its preprocessing."""
    digest = hashlib.sha256(repr((vit.input_size, vit.mean, vit.std)).encode())
    for name, value in vit.module.state_dict().items():
        digest.update(name.encode() + value.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _save_arrays(file: Path, arrays: dict[str, Any]) -> None:
    with file.open("wb") as opened:  # savez would add an ending to a name
        np.savez(opened, **arrays)
