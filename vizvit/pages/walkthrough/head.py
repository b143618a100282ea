"""Stage 13: what is read out at the end, what is predicted from it, and which dimensions make the prediction.

Of a model without classes: the vector that it ends in, and which of the pictures at hand have the nearest one.
"""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.numbers import change, fixed, number
from vizvit.pages.shared.classes import likeliest, told
from vizvit.pages.shared.language import named_or_own, say, say_of
from vizvit.pages.walkthrough.html import badge, bars, facts, first_numbers, side_by_side, strip, title
from vizvit.pages.walkthrough.nearest import nearest
from vizvit.pages.walkthrough.scene import Here

_DIMENSIONS = 12


def draw(here: Here) -> None:
    if not here.vit.labels:
        _features(here)
        return
    made = walk.head(here.anatomy)
    _predictions(here, made)
    _lead(here, made)


def _predictions(here: Here, made: walk.Head) -> None:
    t, vit = say_of("walk", here.vit), here.vit
    best = likeliest(vit, made.predictions)
    written = {i: told(vit, made.predictions[i]) for i in best}
    if vit.outputs == "value":
        drawn = facts(*((here.label(i), written[i]) for i in best))
    else:
        rows = [
            (
                here.label(i),
                float(made.predictions[i]),
                t["head_row"].format(share=written[i], logit=fixed(float(made.logits[i]), 2)),
            )
            for i in best
        ]
        drawn = bars(rows, name="top", top=1.0)
    here.show("prediction", *_read_out(made), title(t["head_top"]), drawn)


def _lead(here: Here, made: walk.Head) -> None:
    """What the prediction is the sum of: the lead of the winner, or, where nothing competes, its output itself."""
    t = say_of("walk", here.vit)
    names = {"winner": here.label(made.winner)}
    if made.runner_up is not None:
        names["other"] = here.label(made.runner_up)
        lead = change(float(made.logits[made.runner_up]), float(made.logits[made.winner]), 2)
        heading, written = t["head_lead"].format(**names), (t["head_difference"], fixed(lead, 2))
    else:
        heading, written = t["head_why"].format(**names), (t["head_output"], fixed(made.lead, 2))
    every = t["head_parts"] if made.runner_up is None else t["head_contributions"]
    distilled = made.distilled_contributions is not None
    order = np.argsort(np.abs(made.contributions))[::-1][:_DIMENSIONS]
    terms = [
        (t["head_dimension"].format(dimension=d), float(made.contributions[d]), number(made.contributions[d]))
        for d in order
    ]
    here.show(
        "lead",
        title(heading),
        facts(
            written,
            (t["head_terms"], fixed(float(made.contributions.sum()), 2)),
            *([(t["head_distilled"], fixed(float(made.distilled_contributions.sum()), 2))] if distilled else []),
            (t["head_bias"], fixed(made.bias_contribution, 2)),
        ),
        side_by_side(
            bars(terms, name="contributions"),
            strip(made.contributions, every, name="lead"),
        ),
    )


def _features(here: Here) -> None:
    t = say("walk")
    made = walk.features(here.anatomy)
    here.show("prediction", *_read_out(made))
    near = nearest(here.choice, here.cap.features)
    rows = [(one.title, one.cosine, fixed(one.cosine, 3)) for one in near]
    here.show(
        "nearest",
        title(t["head_nearest"], t["head_nearest_note"]),
        bars(rows, name="nearest", images=[one.image for one in near], top=1.0),
    )


def _read_out(made: walk.Head | walk.Features) -> tuple[str, ...]:
    t = say("walk")
    normed = t["head_normed"] if isinstance(made, walk.Head) else t["head_vector"]
    return (
        badge(made.difference),
        strip(made.pooled, t["head_pooled"].format(read_out=named_or_own(made.read_out)), name="pooled"),
        strip(made.normed, normed, name="normed", tall=True),
        first_numbers(made.normed),
    )
