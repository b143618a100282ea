"""A model's repository on the hub, owner/name, brought into the local cache: a directory like any other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from ..errors import ModelError
from .directory import WEIGHTS, parts_of
from .hub import Hub, bring

NAME = re.compile(r"(?:hf[-_]hub:)?([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
BESIDE = "preprocessor_config.json"
NONE = "holds no "  # as `bring` says that a file is not in the repository


def is_repository(name: str) -> bool:
    return NAME.fullmatch(name) is not None


def bring_repository(name: str, on_progress: Callable[[int, int], None] | None = None, *, weights: bool = True) -> Path:
    """The local folder with a repository's config.json, its preprocessor's where it has one, and its weights.

    name: "owner/name", with "@revision" where one is wanted. on_progress: (done, total) bytes of each file of weights.
    Returns without the network where all is cached. Raises ModelError for whatever keeps it from arriving.
    """
    found = NAME.fullmatch(name)
    if found is None:
        raise ModelError(f'"{name}" is not the name of a repository of the hub, such as google/vit-base-patch16-224.')
    repo, revision = found.groups()

    def get(*filenames: str, progress: Callable[[int, int], None] | None = None) -> Path:
        source = Hub(repo, revision, filenames)
        bring(source, name, progress)
        return source.cached()

    config = get("config.json")
    # That it has none is kept by the cache, too.
    if weights and isinstance(try_to_load_from_cache(repo, BESIDE, revision=revision), (str, type(None))):
        try:
            get(BESIDE)
        except ModelError as error:
            if NONE not in str(error):
                raise
    if weights:
        main = get(*(file for own in WEIGHTS for file in (own, f"{own}.index.json")), progress=on_progress)
        if main.suffix == ".json":
            for part in parts_of(main):
                get(part, progress=on_progress)
    return config.parent
