"""From pictures to the rows of a study: everything that is measured on each of them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pyarrow as arrow

from ..analysis.features import artefact_shares
from ..analysis.pointing import points_inside
from ..errors import ModelError
from ..explanations import METHODS, explain
from ..faithful import faithfulness_many
from ..forward.batch import capture_views
from ..forward.capture import Capture
from ..forward.finite import NotFinite
from ..model.outputs import foremost
from ..model.vit import VitModel
from .labels import FolderClasses
from .measures import MEASURES, head_measures
from .prepare import Prepared
from .settings import Settings

FORWARD = 128  # partly filled pictures in one forward pass
AREAS = ("deletion", "insertion")


def schema(vit: VitModel, settings: Settings) -> arrow.Schema:
    """The columns of `pictures.parquet`.

    name, error (why a picture was left out; everything else is then empty), label (class index, empty where
    unknown), rank (of the label among the predictions, 1 the first), predicted (class index), probability (of it),
    value (of a model of values alone, which has no label, rank and probability: the first of them, as `predicted`
    says), object (the share of the view inside the boxes, where they play the pointing game), boxes (how many there
    are), bad_boxes (how many of them cannot be used), box_error (why the first cannot); each of MEASURES as a list of
    layers x heads numbers, a layer's heads together; artefact_share as a list of one number a layer; for each method
    pointing_NAME, deletion_NAME, insertion_NAME.
    """
    number, heads = arrow.float32(), arrow.list_(arrow.float32(), vit.num_layers * vit.num_heads)
    columns = [("name", arrow.string()), ("error", arrow.string()), ("label", arrow.int32()), ("rank", arrow.int32())]
    columns += [("predicted", arrow.int32()), ("probability", number)]
    columns += [("value", number)] if vit.outputs == "value" else []
    columns += [("object", number)]
    columns += [("boxes", arrow.int32()), ("bad_boxes", arrow.int32()), ("box_error", arrow.string())]
    columns += [(measure, heads) for measure in MEASURES]
    columns += [("artefact_share", arrow.list_(number, vit.num_layers))]
    for method in settings.methods:
        columns += [(f"pointing_{method}", number)]
        columns += [(f"{area}_{method}", number) for area in AREAS if settings.faithfulness]
    return arrow.schema(columns)


class Measurer:
    """Measures a batch of pictures at a time; the same pictures in the same batches give the same rows anywhere."""

    def __init__(self, vit: VitModel, settings: Settings, subfolders: tuple[str, ...] = ()):
        """subfolders: as `PictureSet` has them, for the labels of a folder."""
        self.vit, self.settings = vit, settings
        self._class_of = FolderClasses(vit, subfolders)
        self._schema = schema(vit, settings)
        self._gradients = any(METHODS[method].needs_target for method in settings.methods)

    def __call__(self, batch: list[Prepared]) -> arrow.Table:
        """One row a picture, in order."""
        good = [picture for picture in batch if picture.error is None]
        found = iter(self._each(good) if good else [])
        broken = ({"name": _text(picture.name), "error": picture.error} for picture in batch if picture.error)
        rows = [next(broken if picture.error else found) for picture in batch]
        return arrow.Table.from_pylist(rows, self._schema)

    def _each(self, pictures: list[Prepared]) -> list[dict]:
        """A record of each; of one whose numbers are none the reason, which ends nobody else's."""
        try:
            return [_checked(record, self.vit) for record in self._measured(pictures)]
        except NotFinite as error:
            if len(pictures) > 1:
                return [record for picture in pictures for record in self._each([picture])]
            return [{"name": _text(pictures[0].name), "error": str(error)}]

    def _measured(self, pictures: list[Prepared]) -> list[dict]:
        caps = capture_views(self.vit, [picture.view for picture in pictures], gradients=self._gradients)
        shares = artefact_shares(caps)
        records = [self._record(*found) for found in zip(caps, pictures, shares, strict=True)]
        for method in self.settings.methods:
            heats = []
            for cap, picture, record in zip(caps, pictures, records, strict=True):
                if picture.inside is None and not self.settings.faithfulness:
                    continue
                heats.append(_heat(method, cap, picture))
                if picture.inside is not None:
                    record[f"pointing_{method}"] = points_inside(heats[-1], picture.inside, self.vit.grid)
            if self.settings.faithfulness:
                self._judge(method, heats, caps, records)
        return records

    def _record(self, cap: Capture, picture: Prepared, artefact_share: np.ndarray) -> dict:
        record: dict[str, Any] = {"name": _text(picture.name), "label": self._label(picture)}
        if len(cap.predictions):
            first = foremost(self.vit.outputs, cap.predictions, 1)[0]
            read = "value" if self.vit.outputs == "value" else "probability"
            record |= {"predicted": first, read: float(cap.predictions[first])}
            if record["label"] is not None:
                record["rank"] = 1 + int((cap.logits > cap.logits[record["label"]]).sum())
        if picture.inside is not None:
            record["object"] = float(picture.inside.mean())
        if picture.boxes is not None:
            record |= {"boxes": picture.boxes, "bad_boxes": len(picture.bad_boxes)}
            record["box_error"] = picture.bad_boxes[0] if picture.bad_boxes else None
        record["artefact_share"] = artefact_share
        measured = head_measures(cap, picture.inside)
        return record | {name: None if values is None else values.ravel() for name, values in measured.items()}

    def _judge(self, method: str, heats: list[np.ndarray], caps: list[Capture], records: list[dict]) -> None:
        """Areas of one method's maps: the filled pictures of the whole batch share the forward passes."""
        views, targets = [cap.view for cap in caps], [record["predicted"] for record in records]
        steps, fill = self.settings.steps, self.settings.fill
        curves = faithfulness_many(self.vit, views, heats, targets, steps=steps, fill=fill, batch=FORWARD)
        for curve, record in zip(curves, records, strict=True):
            record[f"deletion_{method}"] = curve.deletion_area
            record[f"insertion_{method}"] = curve.insertion_area

    def _label(self, picture: Prepared) -> int | None:
        label, classes = picture.label, 0 if self.vit.outputs == "value" else len(self.vit.labels)
        label = self._class_of(label) if isinstance(label, str) else label
        if label is None or label < 0 or not classes:
            return None
        if label >= classes:
            raise ModelError(
                f"{picture.name} has the label {label}, but {self.vit.name} has classes 0 to {classes - 1}. Study it "
                f"on data of the same classes, or leave the column label out."
            )
        return label


def _heat(method: str, cap: Capture, picture: Prepared) -> np.ndarray:
    # One random order for all pictures would be one draw, however many pictures there are.
    options = {"seed": zlib.crc32(picture.name.encode("utf-8", "replace"))} if method == "random" else {}
    heat = explain(cap.vit, cap.view, method, capture=cap, **options)
    if not np.isfinite(heat).all():
        raise NotFinite(_no_number(f"The map of {method}", cap.vit))
    return heat


def _checked(record: dict, vit: VitModel) -> dict:
    """The record, or the reason why it has none where one of its numbers is none: means are of numbers alone."""
    for column, value in record.items():
        if isinstance(value, float | np.ndarray) and not np.isfinite(value).all():
            return {"name": record["name"], "error": _no_number(f"The column {column}", vit)}
    return record


def _no_number(what: str, vit: VitModel) -> str:
    return (
        f"{what} of {vit.name} holds NaN or infinity on this picture. Check the weights, which a training that "
        f"diverged may have spoilt, or use another precision than {vit.precision}."
    )


def _text(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
