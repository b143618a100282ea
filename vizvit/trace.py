"""What one forward pass left behind: the inside of one block, and the way from the last stream to the prediction."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .parts import Block
from .watch import Watch


@dataclass(frozen=True, eq=False)
class BlockTrace:
    """What one block computed, float32 on the CPU; T tokens of width D, H heads of width d, F hidden units.

    x [T, D]: the block's input; norm1 [T, D].
    q, k, v [H, T, d]: as they enter the dot product, after q/k normalisation and rotary embedding.
    scale: what q·k is multiplied by; bias [H or 1, T or 1, T]: what is added to the scaled scores, or None.
    rope [..., N, 2d]: the sines, then the cosines, of the rotary angles of the patches, or None.
    head_outputs [H, T, d]: A V; concatenated [T, H·d]: the heads beside each other; entering [T, H·d]: what W^O reads,
        which differs from `concatenated` only where a norm or a gate comes between.
    attended [T, D]: after W^O; attended_scaled [T, D]: after layer scale, None without one.
    after_attention [T, D]: x plus that; norm2 [T, D].
    hidden_pre [T, F]: what enters the activation; gate [T, F]: what the activation is multiplied by, or None;
        hidden [T, F]: what the second linear layer reads.
    mlp_out [T, D]: after it; mlp_scaled [T, D]: after layer scale, None without one; after [T, D]: the block's output.
    """

    x: torch.Tensor
    norm1: torch.Tensor
    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    scale: float
    bias: torch.Tensor | None
    rope: torch.Tensor | None
    head_outputs: torch.Tensor
    concatenated: torch.Tensor
    entering: torch.Tensor
    attended: torch.Tensor
    attended_scaled: torch.Tensor | None
    after_attention: torch.Tensor
    norm2: torch.Tensor
    hidden_pre: torch.Tensor | None
    gate: torch.Tensor | None
    hidden: torch.Tensor | None
    mlp_out: torch.Tensor
    mlp_scaled: torch.Tensor | None
    after: torch.Tensor

    @classmethod
    def of(cls, watch: Watch, parts: Block | None) -> BlockTrace | None:
        """None for a block that is not norm, attention, norm, MLP one after the other."""
        seen = watch.seen
        if parts is None or len(watch.calls) != 1 or not watch.pre_norm or "entering" not in seen:
            return None
        (call,) = watch.calls
        tokens = seen["x"].shape[0]
        if call["q"].shape[1] != tokens or call["k"].shape[1] != tokens:
            return None
        gate = None
        if parts.mlp.gate is not None and "act_out" in seen:
            gate = seen.get("fc1_x")
            if gate is None and "fc1" in seen:  # one layer for both: the half that does not enter the activation
                halves = seen["fc1"].chunk(2, -1)
                gate = halves[0] if torch.equal(halves[1], seen["act_in"]) else halves[1]
        return cls(
            x=seen["x"],
            norm1=seen["norm1"],
            q=call["q"],
            k=call["k"],
            v=call["v"],
            scale=call["scale"],
            bias=call["bias"],
            rope=watch.rope,
            head_outputs=call["output"],
            concatenated=call["output"].transpose(0, 1).flatten(1),
            entering=seen["entering"],
            attended=seen["attended"],
            attended_scaled=_scaled(seen["attended"], parts.scale1),
            after_attention=seen["after_attention"],
            norm2=seen["norm2"],
            hidden_pre=seen.get("act_in"),
            gate=gate,
            hidden=seen.get("hidden"),
            mlp_out=seen["mlp_out"],
            mlp_scaled=_scaled(seen["mlp_out"], parts.scale2),
            after=seen["after"],
        )


@dataclass(frozen=True, eq=False)
class Final:
    """From the last stream to the prediction, float32 on the CPU.

    normed [T, D]: all tokens after the final norm (the stream itself where there is none).
    pooled [D]: what the read-out made of them; distilled [D]: the distillation token, or None.
    features [D]: what the classifier reads (after fc_norm, where there is one).
    logits [classes]; empty for a model without a classifier.
    """

    normed: torch.Tensor
    pooled: torch.Tensor
    distilled: torch.Tensor | None
    features: torch.Tensor
    logits: torch.Tensor

    @classmethod
    def of(cls, watch: Watch, logits: torch.Tensor, has_classes: bool) -> Final:
        seen, last = watch.seen, watch.streams[-1]
        features = seen.get("features", logits.detach()[0].float().cpu())
        return cls(
            normed=seen.get("normed", last),
            pooled=seen.get("pooled", features),
            distilled=seen.get("distilled"),
            features=features,
            logits=logits.detach()[0].float().cpu() if has_classes else torch.zeros(0),
        )


def _scaled(branch: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor | None:
    return None if scale is None else branch * scale.detach().float().cpu()
