"""Which class the name of a folder names."""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property

from timm.data import ImageNetInfo, infer_imagenet_subset

from ..model.outputs import NOUNS
from ..model.vit import VitModel
from ..pictures.collection import PictureSet

WORDNET = re.compile(r"n\d{8}")
NAMED = 5  # folders that are no class and are named all the same


class FolderClasses:
    """From a folder within the set, such as "train/tabby", to the index of its class.

    The nearest folder upwards that names a class decides: by one of the class's names, in upper or lower case, with _
    or - for a space; by its WordNet id, such as n02123045; or, where no folder does either, by the class's index.
    Where the model's classes have no names, the set's own subfolders are its classes in sorted order, if they are as
    many and not all of them numbers.
    """

    def __init__(self, vit: VitModel, subfolders: tuple[str, ...] = ()):
        self._labels = vit.labels
        self._names: dict[str, int] = {}
        for synonyms in (False, True):
            for index, label in enumerate(vit.labels):
                for name in label.split(", ") if synonyms else [label]:
                    self._names.setdefault(_plain(name), index)
        in_order = unnamed(vit) and len(subfolders) == len(vit.labels) and not all(map(_is_number, subfolders))
        self._in_order = {name: index for index, name in enumerate(subfolders)} if in_order else {}

    def __call__(self, folder: str) -> int | None:
        """None where no folder names a class."""
        parts = folder.split("/")
        if self._in_order:
            return self._in_order.get(parts[0])
        for kind in (self._by_name, self._by_index):
            for part in reversed(parts):
                if (found := kind(part)) is not None:
                    return found
        return None

    def _by_name(self, name: str) -> int | None:
        found = self._names.get(_plain(name))
        return self._by_wordnet(name) if found is None and WORDNET.fullmatch(name) else found

    def _by_index(self, name: str) -> int | None:
        return int(name) if _is_number(name) and int(name) < len(self._labels) else None

    def _by_wordnet(self, name: str) -> int | None:
        if self._wordnet_order:
            return self._wordnet_order.get(name)
        try:
            words = self._wordnet.label_name_to_description(name)
        except KeyError:
            return None
        known = (self._names.get(_plain(word)) for word in (words, *words.split(", ")))
        return next((index for index in known if index is not None), None)

    @cached_property
    def _wordnet(self) -> ImageNetInfo:
        return ImageNetInfo(infer_imagenet_subset({"num_classes": len(self._labels)}) or "imagenet-1k")

    @cached_property
    def _wordnet_order(self) -> dict[str, int]:
        """From id to index, where the classes are ImageNet's own: two of its classes are called crane."""
        if tuple(self._wordnet.label_descriptions()) != tuple(self._labels):
            return {}
        return {name: index for index, name in enumerate(self._wordnet.label_names())}


def unnamed(vit: VitModel) -> bool:
    """Whether the model's classes have numbers only."""
    return bool(vit.labels) and vit.labels[0] in {f"{noun} 0" for noun in NOUNS.values()}


def label_note(vit: VitModel, pictures: PictureSet) -> str | None:
    """How many folders are classes, and which are not; None where there is no folder or no class."""
    if not vit.labels or vit.outputs == "value":
        return None
    class_of, total, others = FolderClasses(vit, pictures.subfolders), 0, 0
    named: list[str] = []
    for folder in pictures.folders():
        total += 1
        if class_of(folder) is None:
            others += 1
            named += [folder] if len(named) < NAMED else []
    if not total:
        return None
    said = f"labels: {total - others} of {total} subfolders are classes"
    return f"{said}; not: {', '.join(named)}{', …' * (others > len(named))}." if others else f"{said}."


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", unicodedata.normalize("NFC", name).casefold().strip()))


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()
