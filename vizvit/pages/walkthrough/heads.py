"""Stage 10: what all heads found, side by side, and what each of them writes into the residual stream."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.numbers import number
from vizvit.pages.shared.language import say
from vizvit.pages.walkthrough.html import badge, bars, first_numbers, note, show, strip, title
from vizvit.pages.walkthrough.scene import Here


def draw(here: Here) -> None:
    t, n = say("walk"), here.numbers()
    made = walk.heads(here.anatomy, here.place.token)
    limit = float(np.abs(made.outputs).max())
    show(
        "heads",
        badge(made.difference),
        title(t["heads_outputs"].format(query=here.query)),
        '<div class="vw-heads">'
        + "".join(
            strip(output, t["head_number"].format(head=head), name=f"head-{head}", limit=limit, numbers=False)
            for head, output in enumerate(made.outputs)
        )
        + "</div>",
        strip(made.concatenated, t["heads_concatenated"].format(**n), name="concatenated", limit=limit),
        strip(made.entering, t["heads_inner"], name="entering") if made.inner else "",
        strip(made.projected, t["heads_projected"], name="projected", tall=True),
        first_numbers(made.projected),
        title(t["heads_writes"], t["heads_writes_note"]),
        bars(
            [(t["head_number"].format(head=head), float(norm), number(norm)) for head, norm in enumerate(made.writes)],
            name="writes",
            chosen=here.place.head,
        ),
        note(t["heads_sum"].format(sum=number(made.writes.sum()), length=number(made.written))),
    )
