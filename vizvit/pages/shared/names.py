"""What tokens and queries are called on the pages, in the current language or in another."""

from __future__ import annotations

from vizvit.forward.capture import Capture
from vizvit.pages.shared import language
from vizvit.texts import words


def token_name(cap: Capture, token: int, lang: str | None = None) -> str:
    """A token by its kind or its place, as in the middle of a sentence."""
    lang = lang or language.current()
    t, grid = words("look", lang), cap.grid
    if token < grid.num_prefix_tokens:
        return t["token"].format(name=language.named(grid.prefix_names[token], lang))
    row, col = grid.patch(token)
    return t["patch"].format(row=row, col=col)


def query_name(cap: Capture, token: int | None = None, *, pooled: bool = True, lang: str | None = None) -> str:
    """Which query a map was read from, as `vizvit.describe_query` says it in English."""
    lang = lang or language.current()
    if token is None and "class" in cap.grid.prefix_names:
        token = cap.grid.prefix_names.index("class")
    if token is not None:
        return token_name(cap, token, lang)
    return words("look", lang)["pooling_query" if pooled and cap.has_pooling_head else "mean_query"]


def read_out_name(cap: Capture, lang: str | None = None) -> str:
    """Where `vizvit.explain` reads a map: where the prediction is read, which need not be the class token."""
    if cap.vit.read_out == "class and distillation tokens":
        return language.named(cap.vit.read_out, lang)
    if cap.has_pooling_head or cap.vit.read_out == "mean of patches":
        return words("look", lang or language.current())["pooling_query" if cap.has_pooling_head else "mean_query"]
    return query_name(cap, lang=lang)
