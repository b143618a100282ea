"""Stage 4: the tokens before the patches."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.pages.shared.language import named, say
from vizvit.pages.walkthrough.html import badge, facts, first_numbers, note, strip
from vizvit.pages.walkthrough.scene import Here
from vizvit.pages.walkthrough.sequence import sequence


def draw(here: Here) -> None:
    t, n = say("walk"), here.numbers()
    names = [named(name) for name in here.grid.prefix_names]
    length = facts((t["tokens_length"], f"{n['prefix']} + {n['patches']} = {n['tokens']}"))
    here.show("sequence", length, sequence(here, tuple(names)))
    found = walk.prefix(here.anatomy)
    limit = float(np.abs(found.vectors).max())
    here.show(
        "tokens",
        badge(found.difference),
        *(
            strip(vector, t["tokens_vector"].format(name=name), name=f"prefix-{index}", limit=limit, tall=True)
            + first_numbers(vector)
            for index, (name, vector) in enumerate(zip(names, found.vectors, strict=True))
        ),
        note(t["tokens_note"]),
    )
