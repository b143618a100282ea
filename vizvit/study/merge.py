"""From a study's shards to its results: all rows in one file, and each head's and method's mean and spread.

The shards are read in order, one at a time, so that results do not depend on where or in which order they were made,
and memory does not grow with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as arrow
from pyarrow import compute, parquet

from .._version import __version__
from ..errors import ModelError
from ..files import write_text, written
from ..model.vit import VitModel
from ..pictures.parquet import CHANGED
from .measures import MEASURES
from .moments import Moments
from .plan import Plan
from .rows import AREAS, schema
from .settings import Settings
from .shards import Shards

NAMED = 100  # left out pictures that the summary names; `pictures.parquet` names them all
GROUP = 1024  # rows of `pictures.parquet` that are written at a time
PICTURES, HEADS, SUMMARY = "pictures.parquet", "heads.parquet", "summary.json"


def merge(
    vit: VitModel, settings: Settings, plan: Plan, shards: Shards, out: Path, source: dict, expected: int
) -> dict:
    """Write PICTURES and HEADS into the folder `out`; returns what is to stand in SUMMARY once all else is written.

    Raises ModelError, before a file of an earlier study is replaced, where not as many pictures as expected are there,
    and where none could be measured.

    source: of which pictures and when, which stands in the summary alone: the other files are the same for the same
    pictures, whoever made them.
    """
    about = {
        "vizvit": __version__,
        **vit.facts(),
        "opened": vit.opened,
        "layers": vit.num_layers,
        "heads_per_layer": vit.num_heads,
        "settings": asdict(settings),
    }
    sums = _Sums(vit, settings)
    columns = schema(vit, settings).with_metadata({"vizvit": json.dumps(about | {"labels": vit.labels})})

    def gather(partial: Path) -> None:
        with parquet.ParquetWriter(partial, columns) as writer:
            for tables in _gathered(shards.read(plan)):
                for table in tables:
                    sums.add(table)
                writer.write_table(arrow.concat_tables(tables).replace_schema_metadata(columns.metadata))
        sums.check(expected)

    written(out / PICTURES, gather)
    written(out / HEADS, lambda partial: parquet.write_table(_heads_table(vit, sums), partial))
    return _plain(about | {"source": source} | sums.summary())


def write_summary(summary: dict, out: Path) -> None:
    write_text(out / SUMMARY, json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _gathered(tables: Iterable[arrow.Table]) -> Iterator[list[arrow.Table]]:
    """As many at a time as have GROUP rows: a writer keeps something in memory of each group that it has written."""
    some: list[arrow.Table] = []
    for table in tables:
        some.append(table)
        if sum(map(len, some)) >= GROUP:
            yield some
            some = []
    if some:
        yield some


class _Sums:
    """Everything that is counted and averaged over the pictures."""

    def __init__(self, vit: VitModel, settings: Settings):
        self._shape = (vit.num_layers, vit.num_heads)
        self.total = self.broken = self.labelled = self.first = self.fifth = self.objects = 0
        self.named: list[dict] = []
        self.boxes = self.bad_boxes = 0
        self.first_bad: dict | None = None
        self._read = "value" if vit.outputs == "value" else "probability"
        self.read = Moments()
        self.heads = {measure: Moments(self._shape) for measure in MEASURES}
        self.artefacts = Moments((vit.num_layers,))
        scores = ("pointing", *(AREAS if settings.faithfulness else ()))
        self.methods = {method: {score: Moments() for score in scores} for method in settings.methods}

    def add(self, table: arrow.Table) -> None:
        broken = table.filter(compute.is_valid(table["error"])).select(["name", "error"]).to_pylist()
        self.total, self.broken = self.total + len(table), self.broken + len(broken)
        self.named += broken[: NAMED - len(self.named)]
        self.boxes += int(_numbers(table, "boxes").sum())
        self.bad_boxes += int(_numbers(table, "bad_boxes").sum())
        if self.bad_boxes and self.first_bad is None:
            bad = table.filter(compute.is_valid(table["box_error"]))
            self.first_bad = {"name": bad["name"][0].as_py(), "error": bad["box_error"][0].as_py()}
        ranks = _numbers(table, "rank")
        self.labelled += len(ranks)
        self.first, self.fifth = self.first + int((ranks <= 1).sum()), self.fifth + int((ranks <= 5).sum())
        self.objects += len(_numbers(table, "object"))
        self.read.add(_numbers(table, self._read))
        for measure, moments in self.heads.items():
            moments.add(_lists(table, measure, *self._shape))
        self.artefacts.add(_lists(table, "artefact_share", self._shape[0]))
        for method, scores in self.methods.items():
            for score, moments in scores.items():
                moments.add(_numbers(table, f"{score}_{method}"))

    def check(self, expected: int) -> None:
        if self.total != expected:
            raise ModelError(CHANGED)
        if self.broken == self.total:
            first = self.named[0]
            raise ModelError(f"None of {self.total} pictures can be measured; {first['name']}: {first['error']}")

    def summary(self) -> dict:
        count = self.labelled
        accuracy = {"top1": self.first / count, "top5": self.fifth / count, "count": count} if count else None
        return {
            "pictures": self.total,
            "measured": self.total - self.broken,
            "broken": self.broken,
            "broken_named": self.named,
            "objects": self.objects,
            "boxes": {"count": self.boxes, "bad": self.bad_boxes, "first_bad": self.first_bad},
            "accuracy": accuracy,
            self._read: {"mean": self.read.mean, "spread": self.read.spread},
            "methods": {method: _scores(scores) for method, scores in self.methods.items()},
            "heads": {
                measure: {"mean": moments.mean, "spread": moments.spread, "count": moments.count}
                for measure, moments in self.heads.items()
                if moments.count
            },
            "artefact_share": {
                "mean": self.artefacts.mean,
                "spread": self.artefacts.spread,
                "count": self.artefacts.count,
            },
        }


def _scores(scores: dict[str, Moments]) -> dict:
    return {
        score: {"mean": moments.mean, "error": moments.error, "count": moments.count}
        for score, moments in scores.items()
        if moments.count
    }


def _heads_table(vit: VitModel, sums: _Sums) -> arrow.Table:
    """A row a head: layer, head, and for each measure its mean and spread over so many pictures."""
    layers, heads = np.indices((vit.num_layers, vit.num_heads), np.int16)
    columns = {"layer": layers.ravel(), "head": heads.ravel()}
    for measure, moments in sums.heads.items():
        for name, values in (("mean", moments.mean), ("spread", moments.spread)):
            columns[f"{measure}_{name}"] = arrow.array(values.ravel(), arrow.float64(), from_pandas=True)
        columns[f"{measure}_count"] = np.full(layers.size, moments.count, np.int64)
    return arrow.table(columns)


def _numbers(table: arrow.Table, column: str) -> np.ndarray:
    return table[column].drop_null().to_numpy()


def _lists(table: arrow.Table, column: str, *shape: int) -> np.ndarray:
    """[picture, *shape] of a column of lists, without the pictures that have none."""
    values = table[column].drop_null().combine_chunks()
    return values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), *shape)


def _plain(value: Any) -> Any:
    """Without NumPy's types, for JSON; what is not a number becomes null."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not np.isfinite(value) else value
