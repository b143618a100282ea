"""What a teacher hands out of the walk, a link or a file, as the lesson, the place and the picture that it names."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from ..grid import PatchGrid
from ..reading import whole
from .tour import Tour

LONGEST_FILE = 64_000_000  # bytes of a file that a lesson is looked for in
_IN_FILE = re.compile(r'data-lesson="([^"]*)"')  # as `pages/walkthrough/export.py` writes it


@dataclass(frozen=True)
class Handed:
    """tour: the lesson; values: what else stands in the link, by name: "layer", "head", "query", "image", "lang", …"""

    tour: Tour
    values: dict[str, str]

    def place(self, grid: PatchGrid) -> dict[str, int]:
        """ "layer", "head" and "token", as far as they are named and on the grid."""
        found = {name: whole(self.values.get(name, "")) for name in ("layer", "head")}
        query = self.values.get("query", "")
        patch = re.fullmatch(r"(\d{1,4}),(\d{1,4})", query)
        if query in grid.prefix_names:
            found["token"] = grid.prefix_names.index(query)
        elif patch and int(patch[1]) < grid.rows and int(patch[2]) < grid.cols:
            found["token"] = grid.token(int(patch[1]), int(patch[2]))
        return {name: number for name, number in found.items() if number is not None}


def handed(text: str) -> Handed | None:
    """Of a link, or of a file that has one or was made as a lesson; None where there is no lesson in it."""
    in_file = _IN_FILE.search(text)
    query = html.unescape(in_file[1]) if in_file else urlsplit(text.strip()).query
    values = {name: found[0] for name, found in parse_qs(query).items()}
    tour = Tour.read(values.pop("lesson", ""))
    return None if tour is None else Handed(tour, values)
