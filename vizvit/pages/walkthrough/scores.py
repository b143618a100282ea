"""Stage 8: the scores of a token over all others, and their softmax with and without the scaling."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.analysis import patch_map
from vizvit.figures import SIGNED_CMAP
from vizvit.numbers import number, percent_of, share
from vizvit.pages.shared.language import named, say
from vizvit.pages.shared.look import colour_bar
from vizvit.pages.walkthrough.html import badge, facts, note, side_by_side, title
from vizvit.pages.walkthrough.maps import over_picture
from vizvit.pages.walkthrough.meet import meet, spread
from vizvit.pages.walkthrough.scene import Here


def draw(here: Here) -> None:
    t, place = say("walk"), here.place
    made = walk.scores(here.anatomy, place.token, place.head)
    meet(here, "scores")
    here.surface.choose(
        "walk_scaling",
        t["scores_scaling"].format(**here.numbers()),
        {True: t["scores_with"], False: t["scores_without"]},
        lambda scaled: _scores(here, made, scaled),
    )
    here.show("spread_title", title(t["spread_title"], t["spread_note"]))
    spread(here)


def _scores(here: Here, made, scaled: bool) -> None:
    t = say("walk")
    values = made.scaled if scaled else made.products
    weights = made.attention if scaled else made.attention_unscaled
    limit = float(np.abs(values).max()) or 1.0
    before = over_picture(
        here.photo,
        patch_map(values, here.cap),
        t["scores_scaled" if scaled else "scores_products"],
        name="scores",
        query=here.patch,
        colormap=SIGNED_CMAP,
        low=-limit,
        high=limit,
        opacity=0.8,
    )
    heat = patch_map(weights, here.cap)
    after = over_picture(here.photo, heat, t["scores_weights"], name="softmax", query=here.patch)
    here.show(
        "scores",
        facts(
            (t["scores_entropy"], f"{number(made.entropy if scaled else made.entropy_unscaled)} {t['nats']}"),
            (t["scores_largest"], share(float(made.largest if scaled else made.largest_unscaled))),
            (t["scores_range"], f"± {number(limit)}"),
        ),
        side_by_side(
            before + colour_bar(-limit, limit, t["scores_unit"], SIGNED_CMAP),
            after + colour_bar(0, float(heat.max()), t["attention"], write=percent_of),
            least="220px",
        ),
        badge(made.difference),
        _prefix_share(here, weights),
        _with_and_without(made, scaled),
        note(t["scores_bias"]) if made.bias is not None else "",
    )


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
