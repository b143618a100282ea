"""Brings the weights that timm would use into the local cache: once, with progress, or says why not."""

from __future__ import annotations

import errno
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import torch
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from timm.models import get_deprecated_models, get_pretrained_cfg, list_pretrained

from ..errors import ModelError
from ..numbers import megabytes

WAYS_ON = (
    'What works without it: the shipped model ("vizvit-tiny"), a checkpoint of your own (a directory of timm or '
    "transformers, or a file such as .safetensors, .pth or .ckpt), or random weights "
    '(weights="random") to study shapes.'
)
# Seconds without a sign of life before a caller is told. Plain HTTP shows one only every 10 MB.
QUIET_XET = 30.0
QUIET_HTTP = 180.0


def is_cached(name: str) -> bool:
    """Whether the weights of this timm name are on this machine already; never asks the network."""
    return cached_file(name) is not None


def cached_file(name: str) -> Path | None:
    """The local file with the weights of this timm name (with its tag or the default one), or None."""
    try:
        source = _source(name)
    except ModelError:
        return None
    if isinstance(source, _Plain):
        return source.path if source.path.is_file() else None
    return source.cached()


def fetch(name: str, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Download the weights that `timm.create_model(name, pretrained=True)` uses, to where timm finds them.

    on_progress: called with (done, total) bytes, on the caller's own thread; what it raises ends the wait.

    Returns at once, without the network, where they are cached. Callers who want the same weights share one
    download, which goes on when one of them leaves. Weights that timm has at a plain address, outside the
    hub, are left to timm.
    Raises ModelError, with the ways on, for whatever keeps the weights from arriving.
    """
    source = _source(name)
    if not isinstance(source, _Plain):
        bring(source, name, on_progress)


def bring(source: Hub, name: str, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Download one file of a repository into the local cache, as `fetch` does; name: what the caller calls it."""
    if source.cached() is not None:
        return
    with _lock:
        download = _running.get(source)
        if download is None:
            if source.cached() is not None:  # it arrived while this caller came to the lock
                return
            download = _running[source] = _Download(source)
            download.start()
    download.wait(name, on_progress)


@dataclass(frozen=True)
class Hub:
    """Weights in a hub repository, under the first of `filenames` that is there."""

    repo: str
    revision: str | None
    filenames: tuple[str, ...]

    def cached(self) -> Path | None:
        for filename in self.filenames:
            found = try_to_load_from_cache(self.repo, filename, revision=self.revision)
            if isinstance(found, str):
                return Path(found)
        return None


@dataclass(frozen=True)
class _Plain:
    """Weights at a plain address, which torch.hub keeps at `path`."""

    path: Path


@cache
def _source(name: str) -> Hub | _Plain:
    """Where timm takes the weights from; ModelError where it has none of this name."""
    current = get_deprecated_models().get(name) or name
    try:
        config = get_pretrained_cfg(current)
    except RuntimeError:
        config = None
    if config is None or not (config.hf_hub_id or config.url):
        architecture = current.partition(".")[0]
        known = list_pretrained(f"{architecture}.*") or list_pretrained(f"{architecture}*")[:3]
        others = f" It has {', '.join(known)}." if known else ""
        raise ModelError(f"timm has no pretrained weights called {name}.{others} {WAYS_ON}")
    if not config.hf_hub_id:
        address, filename = config.url if isinstance(config.url, (tuple, list)) else (config.url, None)
        filename = filename or PurePosixPath(urlsplit(address).path).name
        return _Plain(Path(torch.hub.get_dir()) / "checkpoints" / filename)
    repo, _, revision = config.hf_hub_id.partition("@")
    return Hub(repo, revision or None, _filenames(config.hf_hub_filename or "pytorch_model.bin"))


def _filenames(filename: str) -> tuple[str, ...]:
    """The names that timm tries for a configured one, in its order: safetensors before a pickle."""
    if not filename.endswith(".bin"):
        return (filename,)
    safe = {
        "pytorch_model.bin": "model.safetensors",
        "open_clip_pytorch_model.bin": "open_clip_model.safetensors",
    }
    return (safe.get(filename, filename.removesuffix(".bin") + ".safetensors"), filename)


class _Download(threading.Thread):
    """One download on its own thread, for any number of callers to wait for."""

    def __init__(self, source: Hub):
        super().__init__(name=f"download {source.repo}", daemon=True)
        self.source = source
        self.done = 0  # bytes
        self.total = 0  # bytes, 0 until the hub has said
        self.signs_of_life = 0
        self.patience = QUIET_XET + constants.HF_HUB_ETAG_TIMEOUT
        self.advice = "try again later"
        self.error: Exception | None = None
        self.finished = threading.Event()

    def run(self) -> None:
        try:
            self._download()
        except Exception as error:  # told to every caller by `wait`
            self.error = error
        finally:
            with _lock:
                del _running[self.source]
            self.finished.set()

    def _download(self) -> None:
        source = self.source
        for filename in source.filenames:
            # Asked here first because hf_hub_download repeats a failed request for minutes.
            url = hf_hub_url(source.repo, filename, revision=source.revision)
            try:
                found = get_hf_file_metadata(url, timeout=constants.HF_HUB_ETAG_TIMEOUT)
                break
            except EntryNotFoundError as error:
                missing = error
        else:
            raise missing
        if not (found.commit_hash and found.etag):
            raise FileMetadataError(f"no model hub at {url}")
        self.total = found.size or 0
        if _free_space(Path(constants.HF_HUB_CACHE)) < self.total:
            raise OSError(errno.ENOSPC, "less room than the file needs")
        self.patience = QUIET_HTTP
        if found.xet_file_data is not None and not constants.HF_HUB_DISABLE_XET and find_spec("hf_xet"):
            # The content comes from another host, which a firewall may block though the hub answers.
            self.patience = QUIET_XET
            self.advice = "try again later, or with HF_HUB_DISABLE_XET=1 set"
        self.signs_of_life += 1
        bar = type("Bar", (_Bar,), {"download": self})
        hf_hub_download(source.repo, filename, revision=source.revision, library_name="vizvit", tqdm_class=bar)
        self.done = self.total

    def wait(self, name: str, on_progress: Callable[[int, int], None] | None) -> None:
        told = (0, 0)
        signs, since = self.signs_of_life, time.monotonic()
        finished = False
        while not finished:
            finished = self.finished.wait(0.1)
            progress = (self.done, self.total)
            if on_progress and progress != told and progress[1]:
                told = progress
                on_progress(*told)
            if self.signs_of_life != signs:
                signs, since = self.signs_of_life, time.monotonic()
            elif not finished and time.monotonic() - since > self.patience:
                seconds = round(time.monotonic() - since)
                raise _unavailable(name, f"no data has come for {seconds} seconds; {self.advice}")
        if self.error is not None:
            raise _unavailable(name, self._reason(self.error)) from self.error

    def _reason(self, error: Exception) -> str:
        if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        # By name, because huggingface_hub 1 stands on httpx and huggingface_hub 2 on httpx2.
        kinds = {kind.__name__ for kind in type(error).__mro__}
        repo, hub, folder = self.source.repo, constants.ENDPOINT, constants.HF_HUB_CACHE
        if isinstance(error, OfflineModeIsEnabled):
            return "they are not in the local cache, and HF_HUB_OFFLINE is set"
        if isinstance(error, GatedRepoError):
            return f"{repo} is gated: accept its terms on its page at {hub}, then set HF_TOKEN"
        if isinstance(error, RepositoryNotFoundError):
            return f"{hub} has no repository {repo} that is open to you (a private one needs HF_TOKEN)"
        if isinstance(error, EntryNotFoundError):
            return f"{repo} at {hub} holds no {' or '.join(self.source.filenames)}"
        if isinstance(error, HfHubHTTPError):
            status = error.response.status_code
            if status in (401, 403):
                return f"{hub} refuses access to {repo} (HTTP {status}); check HF_TOKEN"
            return f"{hub} answers with an error (HTTP {status}); try again in a few minutes"
        if isinstance(error, FileMetadataError):
            return f"what answers at {hub} is no model hub (a sign-in page, a proxy, a wrong HF_ENDPOINT?)"
        if "TimeoutException" in kinds:
            return f"{hub} does not answer in time"
        if "ConnectError" in kinds or "ProxyError" in kinds:
            return f"{hub} cannot be reached ({_first_line(error)})"
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"the disk is full: {megabytes(self.total)} MB are needed in {folder}"
        if isinstance(error, OSError) and error.errno is not None:
            return f"the cache folder {folder} cannot be written ({error.strerror}); HF_HOME names another one"
        return f"the download broke off ({_first_line(error)}); {self.advice}"


_lock = threading.Lock()
_running: dict[Hub, _Download] = {}


class _Bar:
    """What huggingface_hub takes for a tqdm class; of several for one file the furthest counts."""

    download: _Download

    def __init__(self, *_, total: int | None = None, initial: int = 0, **__):
        self.total = total
        self.n = initial

    def update(self, n: int = 1) -> None:
        self.n += n
        download = self.download
        download.signs_of_life += 1
        download.total = download.total or self.total or 0
        download.done = max(download.done, min(self.n, download.total))

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_) -> None:
        pass

    def _nothing(self, *_, **__) -> None:
        pass

    close = refresh = clear = _nothing
    set_description = set_description_str = set_postfix = set_postfix_str = _nothing


def _unavailable(name: str, reason: str) -> ModelError:
    return ModelError(f"The weights of {name} could not be downloaded: {reason}. {WAYS_ON}")


def _free_space(folder: Path) -> int:
    """Free bytes where the folder is, or will be."""
    for place in (folder, *folder.parents):
        if place.exists():
            return shutil.disk_usage(place).free
    return 0


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
