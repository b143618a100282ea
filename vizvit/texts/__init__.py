"""The words of the interface, one file a language: `en.toml`, `ja.toml`.

    words("explorer", "ja")["layer"]

Every language has every key with the same names in braces; a missing one is an error, never English by stealth.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "ja": "日本語"}


def words(section: str, language: str = "en") -> dict[str, str]:
    """A section's words in a language, as {key: template}. Raises KeyError for a section or a language there is not."""
    if language not in LANGUAGES:
        raise KeyError(f'There is no language "{language}"; there are {", ".join(LANGUAGES)}.')
    return dict(_read(language)[section])


def words_of_model(section: str, language: str, outputs: str, kind: str) -> dict[str, str]:
    """A section's words as they are of a model.

    outputs: what its outputs are, as `VitModel.outputs`; kind: the same, or "features" where it has no classes. What is
    otherwise of a kind has a key of its own, with the kind at its end; what an output is called stands for {noun} and
    {nouns}.
    """
    t, called = words(section, language), words("outputs", language)
    t |= {key.removesuffix(f"_{kind}"): text for key, text in t.items() if key.endswith(f"_{kind}")}
    noun, nouns = (called[f"{number}_{outputs}"] for number in ("one", "many"))
    return {key: text.replace("{noun}", noun).replace("{nouns}", nouns) for key, text in t.items()}


def of_library(text: str, language: str, *, own: bool = False) -> str:
    """What the library calls something, in a language, by section [library]; KeyError for what is not in there.

    of_library("register 2", "ja")

    own: it may be a person's word, such as a name for weights of their own, which stays as it is.
    """
    if language == "en":
        return text
    for key, pattern in _library_patterns():
        found = pattern.fullmatch(text)
        if found:
            parts = found.groupdict()
            if "moment" in parts:  # of a training: the library's word; a file's name and a number are in no language
                parts["moment"] = of_library(parts["moment"], language)
            if "weights" in parts:
                parts["weights"] = of_library(parts["weights"], language, own=True)
            return words("library", language)[key].format(**parts)
    if not own:
        raise KeyError(f'The words of the interface have no entry for "{text}" in section [library].')
    return text


@cache
def _read(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text("utf-8"))


@cache
def _library_patterns() -> list[tuple[str, re.Pattern]]:
    """In the order of the file: what is more particular stands there first."""
    return [
        (key, re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template))))
        for key, template in words("library").items()
    ]
