"""Stages 7 to 9: query, key and value of a token, its scores, and the sum of values that it receives."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizvit import walk
from vizvit.figures import SIGNED_CMAP
from vizvit.pages.shared.language import named, say
from vizvit.pages.shared.look import share
from vizvit.pages.walkthrough.html import (
    badge,
    bars,
    colour_bar,
    facts,
    first_numbers,
    note,
    number,
    show,
    side_by_side,
    strip,
    title,
)
from vizvit.pages.walkthrough.maps import over_picture
from vizvit.pages.walkthrough.scene import Here

_MOST = 6  # contributing tokens in a list


def qkv(here: Here) -> None:
    t, place = say("walk"), here.place
    made = walk.qkv(here.anatomy, place.token, place.head)
    limit = float(max(np.abs(part).max() for part in (made.query, made.key, made.value)))
    parts = [
        title(t[f"qkv_{name}"], t[f"qkv_{name}_note"])
        + strip(values, t["qkv_vector"].format(query=here.query, head=place.head), name=name, limit=limit, tall=True)
        + first_numbers(values)
        for name, values in (("query", made.query), ("key", made.key), ("value", made.value))
    ]
    show("qkv", badge(made.difference), *parts)


def scores(here: Here) -> None:
    t, place, n = say("walk"), here.place, here.numbers()
    made = walk.scores(here.anatomy, place.token, place.head)
    scaled = st.toggle(
        t["scores_scaling"].format(head_dim=n["head_dim"]), value=True, key="walk_scaling", persist_state="session"
    )
    values = made.scaled if scaled else made.products
    weights = made.attention if scaled else made.attention_unscaled
    limit = float(np.abs(values).max()) or 1.0
    before = over_picture(
        here.photo,
        _patches(here, values),
        t["scores_scaled" if scaled else "scores_products"],
        name="scores",
        query=here.patch,
        colormap=SIGNED_CMAP,
        low=-limit,
        high=limit,
        opacity=0.8,
    )
    after = over_picture(here.photo, _patches(here, weights), t["scores_weights"], name="softmax", query=here.patch)
    show(
        "scores",
        badge(made.difference),
        facts(
            (t["scores_entropy"], f"{number(made.entropy if scaled else made.entropy_unscaled)} {t['nats']}"),
            (t["scores_largest"], share(float(made.largest if scaled else made.largest_unscaled))),
            (t["scores_range"], f"± {number(limit)}"),
        ),
        side_by_side(
            before + colour_bar(-limit, limit, t["scores_unit"], SIGNED_CMAP),
            after + colour_bar(0, float(_patches(here, weights).max()), t["attention"]),
        ),
        _prefix_share(here, weights),
        _with_and_without(made, scaled),
        note(t["scores_bias"]) if made.bias is not None else "",
    )


def weighted_sum(here: Here) -> None:
    t, place = say("walk"), here.place
    made = walk.weighted_sum(here.anatomy, place.token, place.head)
    order = np.argsort(made.contributions)[::-1][:_MOST]
    total = float(made.contributions.sum()) or 1.0
    tokens = [f"{rank} · {_name(here, token)}" for rank, token in enumerate(order, 1)]
    first = here.grid.num_prefix_tokens
    marks = {rank: here.grid.patch(token) for rank, token in enumerate(order, 1) if token >= first}
    attention = _patches(here, made.weights)
    parts = _patches(here, made.contributions)
    show(
        "sum",
        badge(made.difference),
        side_by_side(
            over_picture(here.photo, attention, t["sum_attention"], name="attention", query=here.patch)
            + colour_bar(0, float(attention.max()), t["attention"]),
            over_picture(here.photo, parts, t["sum_contribution"], name="contribution", query=here.patch, marks=marks)
            + colour_bar(0, float(parts.max()), t["sum_unit"]),
        ),
        title(t["sum_most"]),
        bars(
            [
                (
                    name,
                    float(made.contributions[token]),
                    t["sum_row"].format(
                        weight=share(float(made.weights[token])),
                        norm=number(made.value_norms[token]),
                        part=share(float(made.contributions[token]) / total),
                    ),
                )
                for name, token in zip(tokens, order, strict=True)
            ],
            name="contributions",
        ),
        strip(made.output, t["sum_output"].format(query=here.query), name="output", tall=True),
        first_numbers(made.output),
    )


def _patches(here: Here, values: np.ndarray) -> np.ndarray:
    """[token] -> [rows, cols]"""
    grid = here.grid
    return np.asarray(values)[grid.num_prefix_tokens :].reshape(grid.rows, grid.cols)


def _prefix_share(here: Here, weights: np.ndarray) -> str:
    """What of the attention goes to the tokens that have no place on the picture."""
    names = here.grid.prefix_names
    if not names:
        return ""
    parts = " · ".join(f"{named(name)} {share(float(weight))}" for name, weight in zip(names, weights, strict=False))
    return note(say("walk")["scores_prefix"].format(parts=parts))


def _with_and_without(made, scaled: bool) -> str:
    t = say("walk")
    rows = (
        (t["scores_with"], made.entropy, made.largest, scaled),
        (t["scores_without"], made.entropy_unscaled, made.largest_unscaled, not scaled),
    )
    body = "".join(
        f'<tr class="{"chosen" if chosen else ""}"><td>{name}</td><td>{number(entropy)}</td>'
        f"<td>{share(float(largest))}</td></tr>"
        for name, entropy, largest, chosen in rows
    )
    head = f"<tr><th></th><th>{t['scores_entropy']} ({t['nats']})</th><th>{t['scores_largest']}</th></tr>"
    return f'<table class="vw-table" data-draw="scaling">{head}{body}</table>'


def _name(here: Here, token: int) -> str:
    grid = here.grid
    return named(grid.prefix_names[token]) if token < grid.num_prefix_tokens else "({}, {})".format(*grid.patch(token))
