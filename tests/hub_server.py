"""A model hub on the loopback interface: enough of its protocol for huggingface_hub, and faults on demand."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PIECE = 1 << 16


class Request(NamedTuple):
    method: str
    path: str
    range: str | None
    status: int


class HubServer:
    """Serves {repo_id: {filename: content}}.

        with HubServer({"timm/test_vit.r160_in1k": {"model.safetensors": content}}) as server:
            run(..., env={**os.environ, **server.environment(tmp_path)})

    Faults, which may be set at any time:
    gated: repositories that ask for a sign-in.
    status: an HTTP status that every request gets (503, 429).
    portal: every request gets a web page, as in a network with a sign-in page.
    hang: requests are taken (with status 0 in `requests`) and never answered.
    drop_after: bytes of content after which the connection is cut; `drops`: how many times, None for always.
    hold_at: bytes of content after which the server waits for `release()`.
    bytes_per_second: a slow line.
    """

    def __init__(self, files: dict[str, dict[str, bytes]] | None = None, *, gated: Iterable[str] = ()):
        self.files = files or {}
        self.gated = set(gated)
        self.status: int | None = None
        self.portal = False
        self.hang = False
        self.drop_after: int | None = None
        self.drops: int | None = None
        self.hold_at: int | None = None
        self.bytes_per_second: float | None = None
        self.requests: list[Request] = []
        self._released = threading.Event()
        self._closing = threading.Event()

    def __enter__(self) -> HubServer:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._closing.set()
        self._released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def environment(self, home: Path | str) -> dict[str, str]:
        """Environment variables that send a new process to this hub, with its cache in `home`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

    def count(self, method: str, filename: str = "") -> int:
        return sum(request.method == method and request.path.endswith(filename) for request in self.requests)

    def release(self) -> None:
        self._released.set()


def use_hub(monkeypatch, url: str, home: Path) -> None:
    """Send this process to the hub at `url`, with its cache in `home`, as `environment` does a new one."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        hub = self.hub
        if "/resolve/" not in self.path:  # what huggingface_hub asks on its own account, at some time in a process
            self.send_response(404)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if hub.hang:
            hub.requests.append(Request(self.command, self.path, self.headers.get("Range"), 0))
            hub._closing.wait()
            self.close_connection = True
            return None
        if hub.portal:
            return self._reply(200, {"Content-Type": "text/html"}, b"<html>Sign in to the network</html>" * with_body)
        if hub.status is not None:
            return self._reply(hub.status)
        repo, _, rest = unquote(urlsplit(self.path).path).lstrip("/").partition("/resolve/")
        filename = rest.partition("/")[2]
        if repo not in hub.files and repo not in hub.gated:
            return self._reply(404, {"X-Error-Code": "RepoNotFound"})
        if repo in hub.gated:
            return self._reply(401, {"X-Error-Code": "GatedRepo"})
        if filename not in hub.files[repo]:
            return self._reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        content = hub.files[repo][filename]
        digest = hashlib.sha256(content).hexdigest()
        headers = {
            "ETag": f'"{digest}"',
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(len(content)),
            "X-Repo-Commit": COMMIT,
            "Accept-Ranges": "bytes",
        }
        start = 0
        if asked := self.headers.get("Range"):
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._reply(206 if asked else 200, headers, content[start:], send=with_body)

    def _reply(self, status: int, headers: dict | None = None, content: bytes = b"", send: bool = True) -> None:
        self.hub.requests.append(Request(self.command, self.path, self.headers.get("Range"), status))
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if send and content:
            self._send(content)

    def _send(self, content: bytes) -> None:
        hub = self.hub
        stops = {len(content)}
        dropping = hub.drop_after is not None and hub.drops != 0
        if dropping:
            stops.add(hub.drop_after)
        if hub.hold_at is not None:
            stops.add(hub.hold_at)
        sent = 0
        try:
            while sent < len(content):
                if dropping and sent >= hub.drop_after:
                    hub.drops = None if hub.drops is None else hub.drops - 1
                    self.close_connection = True
                    return None
                if sent == hub.hold_at:
                    hub._released.wait()
                end = min(sent + _PIECE, *(stop for stop in stops if stop > sent), len(content))
                self.wfile.write(content[sent:end])
                if hub.bytes_per_second:
                    time.sleep((end - sent) / hub.bytes_per_second)
                sent = end
        except OSError:  # the client has left
            self.close_connection = True
        return None

    def log_message(self, *_) -> None:
        pass
