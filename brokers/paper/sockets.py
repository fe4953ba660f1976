"""The WebSocket shell: frames in and out, heartbeats, silence (protocol 6)."""

import asyncio
import contextlib
import logging

from aiohttp import WSMsgType, web

from brokers.paper import bodies, tokens
from brokers.paper.bodies import SocketRequest
from brokers.paper.calls import DENIED, Answer, Call, Calls
from brokers.paper.exchange import Exchange
from brokers.paper.hub import Connection, array
from brokers.paper.params import Params

logger = logging.getLogger(__name__)

# Some minutes of a busy day; a client so far behind is better served by a fresh snapshot.
_OUTBOX_LIMIT = 20_000
_QUOTE_REQUESTS = ("md/",)
_GO_AWAY = 'c[3000,"Go away!"]'


class SocketShell:
    """Serves sockets of every role; what a socket is for shows in its requests."""

    def __init__(self, exchange: Exchange, calls: Calls) -> None:
        self._exchange = exchange
        self._calls = calls

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket until either side ends it."""
        if self._exchange.faults.door_is_closed():
            return web.Response(status=429)
        # Heartbeats are the protocol's own, so aiohttp's pings stay off.
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        session = _Session(self._exchange, self._calls, socket, request)
        await session.serve()
        return socket


class _Session:
    def __init__(
        self,
        exchange: Exchange,
        calls: Calls,
        socket: web.WebSocketResponse,
        request: web.Request,
    ) -> None:
        self._exchange = exchange
        self._calls = calls
        self._socket = socket
        self._transport = request.transport
        self._address = request.remote or ""
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._opened = self._heard = self._said = self._nudged = self._loop.time()
        self._frozen = False
        self._connection = Connection(send=self._send, close=self._close, end=self._end, freeze=self._freeze)

    async def serve(self) -> None:
        # Before the connection is listed, or an event could come first and existing clients would fail.
        await self._socket.send_str("o")
        self._exchange.hub.connections[self._connection] = None
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._beat())]
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._heard = self._loop.time()
                    await self._receive(message.data)
        finally:
            self._exchange.hub.connections.pop(self._connection, None)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, text: str) -> None:
        if text.strip() == "[]":
            return
        request = bodies.socket_request(text)
        if request is None:
            logger.info("A frame without a request id was ignored")
        elif bodies.authorizes(request):
            self._authorize(request)
        else:
            await self._answer(request)

    def _authorize(self, request: SocketRequest) -> None:
        caller = self._exchange.caller(tokens.clean(bodies.token_text(request.body or request.query)))
        if caller is None:
            self._reply(request, Answer(status=401, payload=DENIED))
            return
        if caller.user_id in self._exchange.faults.offline:
            self._close()
            return
        self._connection.caller = caller
        # Widely used clients refuse a reply to authorize that carries anything else.
        self._exchange.publish((), lambda: self._send(f'a[{{"s":200,"i":{request.request_id}}}]'))

    async def _answer(self, request: SocketRequest) -> None:
        exchange = self._exchange
        query = bodies.query_members(request.query)
        body = self._body(request)
        if body is None:
            self._reply(request, Answer(status=400, payload=""))
            return
        caller = self._connection.caller
        user_id = caller.user_id if caller else None
        exchange.logbook.request(user_id=user_id, via="ws", endpoint=request.endpoint, query=query, body=body)
        call = Call(
            endpoint=request.endpoint,
            query=Params(query),
            # Actions read the body, but some clients put their members into the query line.
            body=Params(body or query),
            now=exchange.clock(),
            caller=caller,
            connection=self._connection,
            address=self._address,
        )
        self._reply(request, await self._calls.answer(exchange, call))

    def _body(self, request: SocketRequest) -> dict[str, object] | None:
        # One client sends the bare symbol as the body of a subscription.
        if request.endpoint.startswith(_QUOTE_REQUESTS) and request.body and request.body[0] not in "{[":
            return {"symbol": request.body.strip('"')}
        return bodies.body_members(request.body)

    def _reply(self, request: SocketRequest, answer: Answer) -> None:
        payload = {} if answer.payload is None else answer.payload
        text = array({"s": answer.status, "i": request.request_id, "d": payload})

        def deliver() -> None:
            if not answer.mute:
                self._send(text)
            if answer.then is not None:
                answer.then()

        self._exchange.publish(answer.frames, deliver)

    def _send(self, text: str) -> None:
        if self._frozen:
            return
        if self._outbox.qsize() < _OUTBOX_LIMIT:
            self._outbox.put_nowait(text)
        else:
            logger.warning("A client does not read; its socket is closed")
            self._close()

    def _close(self) -> None:
        self._exchange.hub.connections.pop(self._connection, None)
        if self._transport is not None:
            self._transport.abort()

    def _freeze(self, seconds: float) -> None:
        self._frozen = True
        if self._transport is not None:
            self._transport.pause_reading()
            # Nobody hears the client go any more, so a line that is left like this is cut in the end.
            self._loop.call_later(seconds, self._transport.abort)

    def _end(self) -> None:
        if self._frozen:
            self._close()
        self._outbox.put_nowait(_GO_AWAY)
        self._outbox.put_nowait(None)

    async def _write(self) -> None:
        while True:
            text = await self._outbox.get()
            if self._frozen:
                continue
            if text is None:
                await self._socket.close()
                return
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                return
            self._said = self._loop.time()

    async def _beat(self) -> None:
        options = self._exchange.options
        while True:
            await asyncio.sleep(options.heartbeat / 5)
            if self._frozen:
                return
            now = self._loop.time()
            unknown = self._connection.caller is None and now - self._opened > options.authorize_limit
            if unknown or now - self._heard > options.silence_limit:
                self._end()
                return
            idle = now - self._said >= options.heartbeat and self._outbox.empty()
            # Some clients beat only in answer to ours, and would fall silent while data flows.
            asleep = now - max(self._heard, self._nudged) > options.silence_limit / 3
            if idle or asleep:
                with contextlib.suppress(ConnectionError):
                    await self._socket.send_str("h")
                self._said = self._nudged = now
