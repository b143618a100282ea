"""Stage 13: what is read out at the end, the probabilities, and which dimensions make the winner win."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.numbers import change, fixed, number, share
from vizvit.pages.shared.classes import likeliest
from vizvit.pages.shared.language import named_or_own, say
from vizvit.pages.walkthrough.html import badge, bars, facts, first_numbers, show, side_by_side, strip, title
from vizvit.pages.walkthrough.scene import Here

_DIMENSIONS = 12


def draw(here: Here) -> None:
    t = say("walk")
    made = walk.head(here.anatomy)
    best = likeliest(made.probabilities)
    name = {index: here.label(index) for index in (*best, made.winner, made.runner_up)}
    show(
        "prediction",
        badge(made.difference),
        strip(made.pooled, t["head_pooled"].format(read_out=named_or_own(made.read_out)), name="pooled"),
        strip(made.normed, t["head_normed"], name="normed", tall=True),
        first_numbers(made.normed),
        title(t["head_top"]),
        bars(
            [
                (
                    name[i],
                    float(made.probabilities[i]),
                    t["head_row"].format(
                        share=share(float(made.probabilities[i])), logit=fixed(float(made.logits[i]), 2)
                    ),
                )
                for i in best
            ],
            name="top",
            top=1.0,
        ),
    )
    distilled = made.distilled_contributions is not None
    order = np.argsort(np.abs(made.contributions))[::-1][:_DIMENSIONS]
    lead = change(float(made.logits[made.runner_up]), float(made.logits[made.winner]), 2)
    show(
        "lead",
        title(t["head_lead"].format(winner=name[made.winner], other=name[made.runner_up])),
        facts(
            (t["head_difference"], fixed(lead, 2)),
            (t["head_terms"], fixed(float(made.contributions.sum()), 2)),
            *([(t["head_distilled"], fixed(float(made.distilled_contributions.sum()), 2))] if distilled else []),
            (t["head_bias"], fixed(made.bias_contribution, 2)),
        ),
        side_by_side(
            bars(
                [
                    (
                        t["head_dimension"].format(dimension=d),
                        float(made.contributions[d]),
                        number(made.contributions[d]),
                    )
                    for d in order
                ],
                name="contributions",
            ),
            strip(made.contributions, t["head_contributions"], name="lead"),
        ),
    )
