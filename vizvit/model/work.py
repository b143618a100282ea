"""How much a model has to do for one picture, known before anything is loaded or computed: weights, work and memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .loading import load_model
from .timm_embedding import position_parameters
from .vit import VitModel

FLOAT = 4  # bytes


@dataclass(frozen=True)
class Work:
    """What one forward pass of a model on one picture takes, in float32.

    name: of the model. input_size: (height, width) in pixels, cut into patches of `patch_size` pixels. tokens: patches
    and `prefix` tokens. width: of the residual stream. parameters: of them all; positions: of the tables of positions,
    which grow with the input and are added. weights: bytes of parameters and buffers.
    """

    name: str
    input_size: tuple[int, int]
    patch_size: int
    prefix: int
    tokens: int
    layers: int
    heads: int
    width: int
    parameters: int
    positions: int
    weights: int

    @classmethod
    def of(cls, vit: VitModel) -> Work:
        """Of a model, which may be on the meta device."""
        tensors = (*vit.module.parameters(), *vit.module.buffers())
        return cls(
            name=vit.name,
            input_size=vit.input_size,
            patch_size=vit.grid.patch_size,
            prefix=vit.grid.num_prefix_tokens,
            tokens=vit.grid.num_tokens,
            layers=vit.num_layers,
            heads=vit.num_heads,
            width=vit.module.embed_dim,
            parameters=vit.num_parameters,
            positions=sum(table.numel() for table in position_parameters(vit.module).values()),
            weights=sum(tensor.nbytes for tensor in tensors),
        )

    @property
    def multiply_adds(self) -> int:
        """About how many: each other parameter once a token, and q·k and attention·v once a layer for any two tokens.

        Within a tenth of what `torch.utils.flop_counter` counts, whose operations are two for each of these; too few
        for a hybrid whose convolutions see many more places than there are tokens (half, with cells of 32 pixels).
        """
        return self.tokens * (self.parameters - self.positions) + self.attention

    @property
    def attention(self) -> int:
        """Of these, what a pass over all attention takes, such as a rollout's."""
        return 2 * self.tokens**2 * self.layers * self.width

    @property
    def memory(self) -> int:
        """Bytes of a capture's queries and keys, or of one layer's attention [head, query, key] if that is more."""
        return FLOAT * max(2 * self.layers * self.tokens * self.width, self.heads * self.tokens**2)


@dataclass(frozen=True)
class Budget:
    """What a picture may take: multiply_adds of a forward pass, and memory in bytes, as in `Work`."""

    multiply_adds: int
    memory: int

    def allows(self, work: Work) -> bool:
        return work.multiply_adds <= self.multiply_adds and work.memory <= self.memory

    def largest_side(self, work: Work) -> int:
        """Pixels of the largest square input that the model may have; 0 where not even one patch fits."""
        rows = 0
        while self.allows(replace(work, tokens=work.prefix + (rows + 1) ** 2)):
            rows += 1
        return rows * work.patch_size


def work_of(name: str | Path, *, arch: str | None = None, image_size: int | tuple[int, int] | None = None) -> Work:
    """What `load_model` with these arguments would have to do. The model is built without values, and nothing is
    downloaded. Raises ModelError, as `load_model` does."""
    return Work.of(load_model(name, weights="random", device="meta", arch=arch, image_size=image_size))
