"""A session of the app without a browser: it speaks Streamlit's protocol over a WebSocket, as a tab does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlencode

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

LIMIT = 600.0  # seconds for one run
LARGE = 1 << 26  # bytes of one message


class Session:
    """Opened with `async with`, which runs the page, and tells as `run` does; leaving it closes the tab."""

    def __init__(self, address: str, page: str = "", tell: Callable[[str], object] = str, **query: str):
        self._url = address.replace("http://", "ws://") + "/_stcore/stream"
        self._page = page
        self._tell = tell
        self._query = urlencode(query)
        self._socket: ClientConnection
        self._pages: dict[str, str] = {}  # hash by address
        self._buttons: dict[str, str] = {}  # id by key
        self.elements: set[str] = set()  # kinds that the last run drew
        self.place: tuple[int, ...] = ()  # on the page, of what came last: 0 the main area, 1 the sidebar, and on
        self.busy: set[tuple[int, ...]] = set()  # the places of marks that say that work goes on

    async def __aenter__(self) -> Session:
        self._socket = await connect(self._url, max_size=LARGE, subprotocols=["streamlit"])
        await self.run(page=self._page, tell=self._tell)
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._socket.close()

    async def run(
        self, *, page: str | None = None, press: str | None = None, tell: Callable[[str], object] = str
    ) -> float:
        """Seconds until the script has run: with this page open, or this button, by its key, just pressed.

        tell: called with the kind of each element as it is drawn.
        """
        start = time.perf_counter()
        wanted = BackMsg()
        wanted.rerun_script.query_string = self._query
        if page is not None:
            self._page = page
        if self._page in self._pages:
            wanted.rerun_script.page_script_hash = self._pages[self._page]
        else:
            wanted.rerun_script.page_name = self._page
        if press is not None:
            wanted.rerun_script.widget_states.widgets.add(id=self._buttons[press], trigger_value=True)
        self.elements, self.busy = set(), set()
        await self._socket.send(wanted.SerializeToString())
        async with asyncio.timeout(LIMIT):
            while not self._finished(ForwardMsg.FromString(await self._socket.recv()), tell):
                pass
        return time.perf_counter() - start

    def _finished(self, message: ForwardMsg, tell: Callable[[str], object]) -> bool:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            self.elements.add(drawn := element.WhichOneof("type"))
            self._note_busy(message, drawn == "progress")
            tell(drawn)
            if drawn == "exception":
                raise RuntimeError(element.exception.message)
            if drawn == "alert" and element.alert.format == Alert.ERROR:
                raise RuntimeError(element.alert.body)
            if drawn == "button":  # its id ends in its key
                self._buttons[element.button.id.rpartition("-")[2]] = element.button.id
        if kind == "delta" and message.delta.WhichOneof("type") == "new_transient":  # such as a spinner
            self._note_busy(message, bool(message.delta.new_transient.elements))
            tell("transient")
        return kind == "script_finished"

    def _note_busy(self, message: ForwardMsg, busy: bool) -> None:
        self.place = tuple(message.metadata.delta_path)
        (self.busy.add if busy else self.busy.discard)(self.place)
