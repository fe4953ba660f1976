"""A line between engine and exchange that can go dead without closing, as a failing network does."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 65536


class Proxy:
    """Forwards a port to another one. In a black hole everything is swallowed, and nobody is told."""

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> None:
        """Listen."""
        self._open.set()
        self._thread.start()
        self._do(self._listen())

    def swallow(self) -> None:
        """Let nothing through in either direction; sockets stay open."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def heal(self) -> None:
        """Let everything through again; what was under way is lost with its sockets."""
        self._do(self._heal())

    def stop(self) -> None:
        """Close everything."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)

    async def _heal(self) -> None:
        for writer in list(self._writers):
            writer.close()
        self._open.set()

    async def _close(self) -> None:
        await self._heal()
        if self._server is not None:
            self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._open.wait()  # a connection that is made into the hole is answered by nobody
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(far_writer)
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except OSError:
            writer.close()  # the exchange is down: say so by closing, as its machine would

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(CHUNK):
                if self._open.is_set():
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass  # one side has gone; closing the other is all there is to do
        finally:
            writer.close()
            self._writers.discard(writer)
