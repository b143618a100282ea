"""A study on Ray Data: the same rows, measured shard by shard wherever Ray has room.

Each worker holds one copy of the model and reads its pictures by their paths, which every machine of the cluster must
see. The shards' files are written here, where the study was started.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import CaptureError, ModelError
from ..model.vit import VitModel
from ..pictures.collection import PictureSet, Place
from .plan import Plan
from .prepare import prepare
from .rows import Measurer
from .shards import Shards, packed

WINDOW = 1024  # shards that are planned at a time: what is held does not grow with the pictures
LOCAL, AUTO, CLIENT = "local", "auto", "ray://"
CLIENT_PORT = 10001  # Ray's own default
PATIENCE = 5  # seconds for a cluster's machine to answer at all; Ray itself would try for a quarter of an hour

log = logging.getLogger(__name__)


def run_on_ray(
    measurer: Measurer,
    plan: Plan,
    finished: Collection[int],
    shards: Shards,
    *,
    address: str,
    batch: int,
    workers: int | None,
    progress: Callable[[int], None],
) -> None:
    """Measure and write every shard that is not finished.

    address: of a cluster, "auto", or "local" for processes of this machine alone. workers: how many there are at a
    time; None is one for each CPU of the cluster (or GPU, where the model is on one).
    Raises ModelError where Ray is not installed or does not answer. Ray is ended again where it was begun here.
    """
    with _ray(address, workers) as ray:
        gpu = measurer.vit.device.type == "cuda"
        room = int(ray.cluster_resources().get("GPU" if gpu else "CPU", 1))
        about = ray.put((measurer.vit, measurer.settings, plan.pictures, plan.study, batch))
        waiting = (shard for shard in plan.shards() if shard.number not in finished)
        while some := list(islice(waiting, WINDOW)):
            tasks = [{"number": shard.number, "shard": pickle.dumps((shard.places, shard.digest))} for shard in some]
            found = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map(
                _Worker,
                fn_args=[[about]],  # in a list, so that it is fetched by the worker, once
                compute=ray.data.ActorPoolStrategy(size=max(1, min(workers or room, len(tasks)))),
                num_cpus=1,
                num_gpus=1 if gpu else 0,
            )
            for row in found.iter_rows():
                if row["error"]:
                    raise ModelError(row["error"])
                log.info("shard %d: %d pictures by %s", row["number"], row["pictures"], row["worker"])
                shards.write(row["number"], row["content"])
                progress(row["pictures"])


class _Worker:
    """One process with the model in it; from a shard's places to the bytes of its file."""

    def __init__(self):
        self._measure: Measurer | None = None

    def __call__(self, row: dict, about: list) -> dict:
        if self._measure is None:
            self._begin(about)
        places, digest = pickle.loads(row["shard"])
        done = {"number": row["number"], "pictures": len(places), "content": b"", "error": ""}
        done["worker"] = f"{socket.gethostname()}:{os.getpid()}"
        try:
            done["content"] = packed(list(self._tables(places)), digest, self._study)
        except (ModelError, CaptureError) as error:  # raised here, it would be a Ray error with a trace of its own
            done["error"] = str(error)
        return done

    def _begin(self, about: list) -> None:
        import ray

        self._vit: VitModel
        self._pictures: PictureSet
        self._vit, settings, self._pictures, self._study, self._batch = ray.get(about[0])
        self._measure = Measurer(self._vit, settings, self._pictures.subfolders)

    def _tables(self, places: Iterable[Place]) -> Iterator:
        items = self._pictures.read(places)
        while some := [prepare(self._vit, item) for item in islice(items, self._batch)]:
            yield self._measure(some)


@contextmanager
def _ray(address: str, workers: int | None) -> Iterator:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of what Ray Data itself does
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ModelError('--ray needs Ray, which is not installed: pip install "ray[data]".') from error
    begun = not ray.is_initialized()
    if begun:
        _knock(address)
        where = {"address": address} | ({"num_cpus": workers, "include_dashboard": False} if address == LOCAL else {})
        package = str(Path(__file__).parents[1])
        try:
            with _hushed():
                ray.init(**where, runtime_env={"py_modules": [package]}, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise _absent(address, str(error).splitlines()[0]) from error
    data_log, context = logging.getLogger("ray.data"), ray.data.DataContext.get_current()
    before = data_log.level, context.enable_progress_bars
    data_log.setLevel(logging.ERROR)
    context.enable_progress_bars = False
    try:
        yield ray
    finally:
        data_log.setLevel(before[0])
        context.enable_progress_bars = before[1]
        if begun:
            ray.shutdown()


@contextmanager
def _hushed() -> Iterator[None]:
    """Nothing is written to stderr, not by C++ code either: Ray says there that it was told to say little."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _knock(address: str) -> None:
    """ModelError where nothing listens at the address."""
    plain = address.removeprefix(CLIENT)
    if plain in (LOCAL, AUTO) or "://" in plain:
        return
    try:
        parts = urlsplit(f"//{plain}")
        host, port = parts.hostname, parts.port or (CLIENT_PORT if address.startswith(CLIENT) else None)
    except ValueError:
        host = port = None
    if not host or not port:
        raise _absent(address, "an address has the form HOST:PORT")
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError as error:
        raise _absent(address, error.strerror or str(error)) from error


def _absent(address: str, reason: str) -> ModelError:
    return ModelError(f'There is no Ray at "{address}" ({reason}). Give its address, or local.')
