"""Stage 10: what all heads found, side by side, and what each of them writes into the residual stream."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.analysis import patch_map
from vizvit.numbers import number
from vizvit.pages.shared.language import say
from vizvit.pages.walkthrough.html import badge, bars, first_numbers, note, strip, title
from vizvit.pages.walkthrough.maps import gallery, over_picture
from vizvit.pages.walkthrough.scene import Here

_THREADS = 5


def lead(here: Here) -> None:
    t = say("walk")
    rows = here.cap.attention_row(here.place.layer, here.place.token).float().cpu().numpy()  # [head, token]
    maps = [
        over_picture(
            "",
            patch_map(row, here.cap),
            t["head_number"].format(head=head),
            name="head-map",
            query=here.patch,
            threads=_THREADS,
            chosen=head == here.place.head,
        )
        for head, row in enumerate(rows)
    ]
    here.show(
        "maps",
        title(t["heads_maps"].format(query=here.query), t["heads_maps_note"]),
        f'<div style="--photo:url({here.photo})">{gallery(maps, "92px")}</div>',
    )


def draw(here: Here) -> None:
    t, n = say("walk"), here.numbers()
    made = walk.heads(here.anatomy, here.place.token)
    limit = float(np.abs(made.outputs).max())
    here.show(
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
