"""The words of the interface, one file a language: `en.toml`, `ja.toml`.

    words("explorer", "ja")["layer"]

Every language has every key with the same names in braces; a missing one is an error, never English by stealth.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "ja": "日本語"}


def words(section: str, language: str = "en") -> dict[str, str]:
    """A section's words in a language, as {key: template}. Raises KeyError for a section or a language there is not."""
    if language not in LANGUAGES:
        raise KeyError(f'There is no language "{language}"; there are {", ".join(LANGUAGES)}.')
    return dict(_read(language)[section])


@cache
def _read(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text("utf-8"))
