"""What a person should know of a study before it takes hours."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.vit import VitModel
from ..pictures.collection import PictureSet
from .labels import label_note
from .settings import Settings


def notes(vit: VitModel, settings: Settings, pictures: PictureSet) -> Iterator[str]:
    """Sentences on what of the data is not used, and what will not be measured."""
    if labels := label_note(vit, pictures):
        yield labels
    if settings.methods and not settings.faithfulness and not pictures.may_have_boxes:
        yield (
            f"nothing will be measured of {', '.join(settings.methods)}: these pictures have no boxes to point at, and "
            f"deletion and insertion are made with --faithfulness only."
        )
