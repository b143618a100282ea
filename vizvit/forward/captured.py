"""What one forward pass left behind: queries and keys of every layer, and the attention that is derived from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module

import numpy as np
import torch

from ..errors import CaptureError
from ..model.outputs import predicted
from ..model.tokens import Token, find_layer, find_token
from ..model.vit import VitModel
from .all_layers import blocks_of_all
from .blocks import Block, blocks
from .call import Call, lengths_of, nbytes_of
from .derived import bias_of, over_tokens, softmax_rows, weight_gradient
from .finite import check_finite
from .flow import Flow
from .recorder import Recorder
from .remade import kept_for_bias, streams
from .weighted import gradient_rows


class Capture:
    """What one forward pass on one picture left behind. Made by `capture`; read-only; shared freely between threads.

    Layers count from 0, negative from the end. Arrays are NumPy float32 unless said. Shapes are written with the
    axes' names: [layer, head, query, key].
    logits, predictions [output]: what the model gave, and what is read off it: probabilities, or the values themselves
    where `vit.outputs` is "value"; both empty without classes. probabilities: empty for values, which have none.
    """

    def __init__(
        self,
        vit: VitModel,
        view: np.ndarray,
        logits: torch.Tensor,
        recorder: Recorder,
        target: int | None,
        gradients: list[torch.Tensor] | None = None,
        pool_gradient: torch.Tensor | None = None,
        flows: tuple[Flow, ...] = (),
    ):
        self.vit = vit
        self.view = view
        self.target = target
        self.grid = vit.grid
        self._calls = [calls[0] for calls in recorder.layers]
        self._pool = recorder.elsewhere[-1] if recorder.elsewhere else None
        self._extras, self._tables = kept_for_bias(vit, self._calls, recorder.extras)
        self._gradients = gradients
        self._pool_gradient = pool_gradient
        self._flows = flows
        self._pixels: torch.Tensor | None = None  # what the model read, where it is not made of the view
        self.rendition = False  # whether the view is only a rendition of what the model read: `capture_tensor`
        # Copies: as views of the last tokens they would hold all of these.
        self._features = None if recorder.features is None else recorder.features.clone()
        self._output = logits.detach().clone()
        self._norms = None if None in recorder.norms else torch.cat(recorder.norms)
        self._tokens: list[torch.Tensor] | None = None
        self._together = recorder.queries_and_keys
        self._lengths = lengths_of(self._calls, self._together)
        check_finite(vit, self._calls, self._pool, logits, self._lengths)
        classes = logits.detach().float()[0] if vit.labels else logits.new_zeros(0, dtype=torch.float32)
        self.logits: np.ndarray = classes.cpu().numpy()
        self.predictions: np.ndarray = predicted(vit.outputs, classes).cpu().numpy()
        self.probabilities = self.predictions[:0] if vit.outputs == "value" else self.predictions

    def __repr__(self) -> str:
        return (
            f"Capture({self.vit.name}: {self.num_layers} layers, {self.num_heads} heads, {self.num_tokens} tokens, "
            f"{self.nbytes / 1e6:.1f} MB{', of a tensor: the view is a rendition' if self.rendition else ''})"
        )

    def _repr_html_(self) -> str:
        """At the end of a notebook's cell: the explorer, as `vizvit.show` gives it."""
        return import_module("vizvit").show(self)._repr_html_()  # by its name: this room knows none above it

    @property
    def num_layers(self) -> int:
        return len(self._calls)

    @property
    def num_heads(self) -> int:
        return self._calls[0].q.shape[0]

    @property
    def device(self) -> torch.device:
        """Where queries and keys are."""
        return self._calls[0].q.device

    @property
    def head_dim(self) -> int:
        """Numbers in a query, and in a key, of one head."""
        return self._calls[0].q.shape[2]

    @property
    def num_tokens(self) -> int:
        return self._calls[0].q.shape[1]

    @property
    def trained(self) -> bool:
        return self.vit.trained

    @property
    def has_pooling_head(self) -> bool:
        return self._pool is not None

    @property
    def has_gradients(self) -> bool:
        return self._gradients is not None

    @property
    def nbytes(self) -> int:
        """Bytes that this capture holds of its own; the model, which others share, is not counted."""
        arrays = [self.view, self.logits, self.predictions, *(self._tokens or []), *(self._gradients or [])]
        arrays += [table for tables in self._tables for table in tables.values()]
        arrays += [row for flow in self._flows for row in (flow.start, flow.own, flow.gained)]
        arrays += [self._pixels, self._features, self._output, self._norms, self._pool_gradient]
        calls = [*self._calls, *filter(None, [self._pool])]
        return nbytes_of(calls) + sum(array.nbytes for array in arrays if array is not None)

    # --- what was captured

    def queries(self, layer: int) -> np.ndarray:
        """[head, token, head_dim], as they enter the dot product: after rotary embedding and q/k normalisation."""
        return self._call(layer).q.float().cpu().numpy()

    def keys(self, layer: int) -> np.ndarray:
        """[head, token, head_dim], as they enter the dot product."""
        return self._call(layer).k.float().cpu().numpy()

    def scale(self, layer: int) -> float:
        """What q·k is multiplied by, usually 1/√head_dim."""
        return self._call(layer).scale

    def bias(self, layer: int) -> np.ndarray | None:
        """What is added to the scaled scores, [head or 1, query, key]; None for most models."""
        bias = self._bias(self._index(layer))
        return None if bias is None else bias.cpu().numpy()

    @property
    def silenced(self) -> tuple[tuple[int, ...], ...]:
        """For each layer the heads that are knocked out, whose attention is 0; see `vizvit.KnockOutHeads`."""
        return tuple(call.silenced for call in self._calls)

    @property
    def features(self) -> np.ndarray:
        """[dim]: what the classifier reads; the model's own output where it has no classes."""
        if self._features is None or self._features.ndim != 2:
            raise CaptureError(f"What the classifier of {self.vit.name} reads is not one vector that was seen.")
        return self._features[0].float().cpu().numpy()

    @property
    def pixels(self) -> torch.Tensor:
        """[1, C, H, W]: what the model read, normalised; on its device."""
        return self.vit.normalise(self.view) if self._pixels is None else self._pixels

    def tokens(self, layer: int) -> np.ndarray:
        """[token, dim]: the residual stream after block `layer`; -1 is the last. Kept from the first call on.

        The first call runs the model once more; CaptureError where its weights have become others since the capture.
        """
        index = self._index(layer)
        if self._tokens is None:
            self._tokens = streams(self.vit, self.pixels, self._output)
        return self._tokens[index].float().cpu().numpy()

    def norms(self) -> np.ndarray:
        """[layer + 1, token]: L2 norms of the residual stream, of the first block's input and after each block."""
        if self._norms is None:
            raise CaptureError(f"The token norms of {self.vit.name} were not seen: its blocks did not run one by one.")
        return self._norms.cpu().numpy()

    # --- attention, derived

    def attention(self, layer: int) -> np.ndarray:
        """[head, query, key]: softmax over the keys; each row sums to 1, and to 0 in a head that is knocked out."""
        return self.attention_tensor(layer).cpu().numpy()

    def attention_tensor(self, layer: int) -> torch.Tensor:
        """`attention` as a float32 tensor on the model's device; to be used one layer at a time."""
        index = self._index(layer)
        return softmax_rows(self._calls[index], slice(None), self._bias(index))

    def attention_from(self, token: Token) -> np.ndarray:
        """[layer, head, key]: where a token looks; no full matrix is built.

        token: "cls" or another prefix token's name, ("patch", row, col), or an index.
        """
        index = self.token_index(token)
        return torch.stack([self.attention_row(layer, index) for layer in range(self.num_layers)]).cpu().numpy()

    def attention_row(self, layer: int, token: Token) -> torch.Tensor:
        """[head, key] of one layer: where a token looks, as a tensor on the model's device."""
        return self.attention_rows(layer, [self.token_index(token)])[:, 0]

    def attention_rows(self, layer: int, tokens: Sequence[int] | np.ndarray) -> torch.Tensor:
        """[head, query, key] of one layer: where some tokens look, by their places in the sequence."""
        layer = self._index(layer)
        return softmax_rows(self._calls[layer], torch.as_tensor(tokens), self._bias(layer))

    def attention_to(self, token: Token) -> np.ndarray:
        """[layer, head, query]: how much each token looks at this one. One layer's matrices are held at a time."""
        index = self.token_index(token)
        columns = [self.attention_tensor(layer)[:, :, index].clone() for layer in range(self.num_layers)]
        return torch.stack(columns).cpu().numpy()

    def pool_attention(self) -> np.ndarray | None:
        """[head, token]: where the pooling head's query looks; None for a model without one."""
        weights = self.pool_attention_tensor()
        return None if weights is None else weights.cpu().numpy()

    def pool_attention_tensor(self) -> torch.Tensor | None:
        if self._pool is None:
            return None
        return over_tokens(softmax_rows(self._pool, slice(None), self._pool.shared_bias).mean(1), self.num_tokens)

    def attention_gradients(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(A, ∂y/∂A) of one layer, float32 [head, query, key], for the target class of `capture(..., target=)`.

        ∂y/∂A = (∂y/∂O) Vᵀ with O = A V, so that only O's gradient has to be kept.
        """
        index, gradients = self._index(layer), self._output_gradients()
        return self.attention_tensor(index), weight_gradient(self._calls[index], gradients[index])

    def gradient_weighted_attention(self, layer: int) -> torch.Tensor:
        """mean over the heads of (A ⊙ ∂y/∂A)⁺ of one layer, float32 [query, key]."""
        whole = torch.empty(self.num_tokens, self.num_tokens, device=self.device)
        for queries, fused in self.gradient_rows(layer):
            whole[queries] = fused
        return whole

    def pool_gradient(self) -> torch.Tensor | None:
        """∂y/∂A of the pooling head, float32 [head, key]; None for a model without one."""
        if self._pool_gradient is None:
            return None
        return over_tokens(weight_gradient(self._pool, self._pool_gradient).sum(1), self.num_tokens)

    def token_index(self, token: Token) -> int:
        """The sequence index of "cls" (or any prefix token's name), ("patch", row, col), or an index from 0."""
        return find_token(self.vit, token)

    # --- inside

    def _index(self, layer: int) -> int:
        return find_layer(self.vit, layer, self.num_layers)

    def _output_gradients(self) -> list[torch.Tensor]:
        if self._gradients is None:
            raise CaptureError(
                "This capture has no gradients. Make it with the class to explain: capture(vit, image, target=...)."
            )
        return self._gradients

    def _call(self, layer: int) -> Call:
        return self._calls[self._index(layer)]

    def _bias(self, layer: int) -> torch.Tensor | None:
        call = self._calls[layer]
        return bias_of(self.vit, layer, call, self._extras[layer], self._tables[layer]) if call.has_bias else None

    def blocks(
        self, layer: int, *, span: slice | None = None, all_heads: bool = False, with_scores: bool = False
    ) -> Iterator[Block]:
        """A layer's attention a block at a time: no more is held than fits into a processor's cache."""
        layer = self._index(layer)
        call, bias = self._calls[layer], self._bias(layer)
        return blocks(
            call.q,
            call.k,
            call.scale,
            bias,
            call.silenced,
            lengths=self._lengths[layer],
            span=span,
            all_heads=all_heads,
            with_scores=with_scores,
        )

    def blocks_of_all(self) -> Iterator[Block]:
        """`blocks` of all layers, with scores; heads are counted through the layers, layer · heads + head."""
        return blocks_of_all(self._calls, self._together, self._lengths, partial(self.blocks, with_scores=True))

    def gradient_rows(self, layer: int, *, span: slice | None = None) -> Iterator[tuple[slice, torch.Tensor]]:
        """`gradient_weighted_attention` of some of the queries in `span` at a time: which, and [query, key], good until
        the next is asked for."""
        index, gradients = self._index(layer), self._output_gradients()
        span = slice(0, self.num_tokens) if span is None else span
        return gradient_rows(self._calls[index], gradients[index], self._bias(index), span)

    def flow(self, start: torch.Tensor, residual: float | None = None) -> Flow | None:
        """Relevance, or gradient rollout with a residual, of all layers from this row: where the backward pass took it
        along."""
        for flow in self._flows:
            if flow.residual == residual and torch.equal(flow.start, start):
                return flow
        return None
