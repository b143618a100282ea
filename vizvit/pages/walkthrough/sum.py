"""Stage 9: the sum of values that a token receives, and the tokens that contribute most to it."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.analysis import patch_map
from vizvit.numbers import number, percent_of, share
from vizvit.pages.shared.language import named, say
from vizvit.pages.shared.look import colour_bar
from vizvit.pages.walkthrough.html import badge, bars, first_numbers, side_by_side, strip, title
from vizvit.pages.walkthrough.maps import over_picture
from vizvit.pages.walkthrough.scene import Here

_MOST = 6  # contributing tokens in a list


def draw(here: Here) -> None:
    t, place = say("walk"), here.place
    made = walk.weighted_sum(here.anatomy, place.token, place.head)
    order = np.argsort(made.contributions)[::-1][:_MOST]
    total = float(made.contributions.sum()) or 1.0
    tokens = [f"{rank} · {_name(here, token)}" for rank, token in enumerate(order, 1)]
    first = here.grid.num_prefix_tokens
    marks = {rank: here.grid.patch(token) for rank, token in enumerate(order, 1) if token >= first}
    attention = patch_map(made.weights, here.cap)
    parts = patch_map(made.contributions, here.cap)
    here.show(
        "sum",
        side_by_side(
            over_picture(here.photo, attention, t["sum_attention"], name="attention", query=here.patch, threads=8)
            + colour_bar(0, float(attention.max()), t["attention"], write=percent_of),
            over_picture(here.photo, parts, t["sum_contribution"], name="contribution", query=here.patch, marks=marks)
            + colour_bar(0, float(parts.max()), t["sum_unit"]),
            least="220px",
        ),
        badge(made.difference),
        title(t["sum_most"]),
        bars(
            [
                (
                    name,
                    float(made.contributions[token]),
                    t["sum_row"].format(
                        weight=share(float(made.weights[token])),
                        norm=number(made.value_norms[token]),
                        total=number(total),
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


def _name(here: Here, token: int) -> str:
    grid = here.grid
    return named(grid.prefix_names[token]) if token < grid.num_prefix_tokens else "({}, {})".format(*grid.patch(token))
