"""The network as it is trained: some patches left out of a step, its final tokens drawn to a teacher's."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .augment import moved


class Student(nn.Module):
    """A network with what a training step asks of it beyond logits; its parameters stay the network's own.

    teacher_dim: the width of a teacher's tokens, to which one linear layer leads from the student's; None: no teacher.
    """

    def __init__(self, network: nn.Module, teacher_dim: int | None = None) -> None:
        super().__init__()
        self.network = network
        self.towards = None if teacher_dim is None else nn.Linear(network.embed_dim, teacher_dim)

    def forward(self, views: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Logits [batch, class], and [batch, 1 + kept, teacher_dim] where there is a teacher.

        keep: int64 [batch, kept], the patches that are seen; None for all of them.
        Both need timm's plain VisionTransformer; without them any network will do.
        """
        network = self.network
        if keep is None and self.towards is None:
            return network(views), None
        x = network._pos_embed(network.patch_embed(views))  # [batch, token, dim]
        if keep is not None:
            prefix, patches = x[:, : network.num_prefix_tokens], x[:, network.num_prefix_tokens :]
            x = torch.cat([prefix, patches.gather(1, keep[:, :, None].expand(-1, -1, x.shape[-1]))], dim=1)
        x = network.norm(network.blocks(network.norm_pre(x)))
        return network.forward_head(x), None if self.towards is None else self.towards(x)


def chosen_patches(batch: int, patches: int, drop: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """int64 [batch, kept]: which patches each picture keeps, drawn anew for each; at least one."""
    kept = max(1, round(patches * (1 - drop)))
    return moved(torch.rand(batch, patches, generator=generator), device).argsort(dim=1)[:, :kept]


def teacher_loss(tokens: Tensor, wanted: Tensor, class_token: bool = True) -> Tensor:
    """1 - cosine between a student's tokens and a teacher's, both [batch, 1 + patch, dim].

    The class token counts as much as the mean over the patches; not at all where `class_token` says so.
    """
    apart = 1 - F.cosine_similarity(tokens.float(), wanted.float(), dim=-1)  # [batch, 1 + patch]
    if not class_token:
        return apart[:, 1:].mean()
    return 0.5 * (apart[:, 0].mean() + apart[:, 1:].mean())
