"""The network as it is trained: some patches left out of a step, its final tokens drawn to a teacher's."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .augment import moved


class Student(nn.Module):
    """A network with what a training step asks of it beyond logits; its parameters stay the network's own.

    teacher_dim: the width of a teacher's tokens, to which one linear layer leads from the student's; None: no teacher.
    settle: whether the class token's attention of the last layer is compared with that of the two before it.
    """

    def __init__(self, network: nn.Module, teacher_dim: int | None = None, settle: bool = False) -> None:
        super().__init__()
        self.network, self.settle = network, settle
        self.towards = None if teacher_dim is None else nn.Linear(network.embed_dim, teacher_dim)

    def forward(self, views: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Logits [batch, class]; [batch, 1 + kept, teacher_dim] where there is a teacher; what `settle` compares.

        keep: int64 [batch, kept], the patches that are seen; None for all of them.
        All three need timm's plain VisionTransformer; without them any network will do.
        """
        network = self.network
        if keep is None and self.towards is None and not self.settle:
            return network(views), None, None
        x = network._pos_embed(network.patch_embed(views))  # [batch, token, dim]
        if keep is not None:
            prefix, patches = x[:, : network.num_prefix_tokens], x[:, network.num_prefix_tokens :]
            x = torch.cat([prefix, patches.gather(1, keep[:, :, None].expand(-1, -1, x.shape[-1]))], dim=1)
        x, looks = network.norm_pre(x), []
        for index, block in enumerate(network.blocks):
            if self.settle and index >= len(network.blocks) - 3:
                looks.append(_class_attention(block, x, network.num_prefix_tokens))
            x = block(x)
        x = network.norm(x)
        apart = _apart(looks[-1], sum(looks[:-1]) / len(looks[:-1])) if len(looks) > 1 else None
        return network.forward_head(x), None if self.towards is None else self.towards(x), apart


def _class_attention(block: nn.Module, x: Tensor, prefix: int) -> Tensor:
    """How a block's class token spreads over the patches, mean of its heads, float32 [batch, patch], adding up to 1."""
    attn = block.attn
    batch, tokens, _ = x.shape
    q, k, _ = attn.qkv(block.norm1(x)).view(batch, tokens, 3, attn.num_heads, attn.head_dim).unbind(2)
    q, k = attn.q_norm(q[:, 0]), attn.k_norm(k)  # [batch, head, dim], [batch, token, head, dim]
    scores = torch.einsum("bhd,bthd->bht", q, k).float() * attn.scale
    spread = scores.softmax(-1)[:, :, prefix:].mean(1)
    return spread / spread.sum(-1, keepdim=True)


def _apart(last: Tensor, before: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the last layer's attention from that of the layers before, which learn nothing
    from it; a number."""
    wanted = before.detach()
    return (wanted * (wanted.clamp_min(1e-9).log() - last.clamp_min(1e-9).log())).sum(-1).mean()


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
