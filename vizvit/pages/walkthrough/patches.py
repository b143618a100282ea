"""Stage 1: the picture cut into patches."""

from __future__ import annotations

from vizvit.pages.shared.language import say
from vizvit.pages.walkthrough.html import facts, note, title
from vizvit.pages.walkthrough.scene import Here
from vizvit.pages.walkthrough.sequence import sequence


def draw(here: Here) -> None:
    t, n = say("walk"), here.numbers()
    here.show(
        "cut",
        facts(
            (t["patches_picture"], f"{n['height']} × {n['width']} × {n['channels']}"),
            (t["patches_patch"], f"{n['patch']} × {n['patch']} × {n['channels']}"),
            (t["patches_count"], f"{n['height']} · {n['width']} / {n['patch']}² = {n['patches']}"),
        ),
        title(t["patches_sequence"]),
        sequence(here),
        note(t["patches_note"].format(**n)),
    )
