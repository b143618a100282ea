"""Stage 7: query, key and value of a token in one head."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.pages.shared.language import say
from vizvit.pages.walkthrough.html import badge, first_numbers, strip, title
from vizvit.pages.walkthrough.meet import meet
from vizvit.pages.walkthrough.scene import Here


def draw(here: Here) -> None:
    t, place = say("walk"), here.place
    made = walk.qkv(here.anatomy, place.token, place.head)
    limit = float(max(np.abs(part).max() for part in (made.query, made.key, made.value)))
    parts = [
        title(t[f"qkv_{name}"], t[f"qkv_{name}_note"])
        + strip(values, t["qkv_vector"].format(query=here.query, head=place.head), name=name, limit=limit, tall=True)
        + first_numbers(values)
        for name, values in (("query", made.query), ("key", made.key), ("value", made.value))
    ]
    meet(here, "keys")
    here.show("qkv", badge(made.difference), *parts)
