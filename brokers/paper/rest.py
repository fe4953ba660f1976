"""The REST shell: HTTP requests to calls and answers to HTTP (protocol 5)."""

import asyncio

from aiohttp import web

from brokers.paper import bodies, tokens
from brokers.paper.calls import Answer, Call, Calls
from brokers.paper.exchange import Exchange
from brokers.paper.hub import dump
from brokers.paper.params import Params

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
    "Access-Control-Max-Age": "86400",
}
_FORM = "application/x-www-form-urlencoded"


class RestShell:
    """Answers every path that is no page and no socket."""

    def __init__(self, exchange: Exchange, calls: Calls) -> None:
        self._exchange = exchange
        self._calls = calls

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one HTTP request; the method is not enforced, as on the real service."""
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=_CORS)
        exchange = self._exchange
        query = bodies.query_members(request.query_string)
        text = bodies.text_of(await request.read())
        body = None if text is None else bodies.body_members(text, form=request.content_type == _FORM)
        if body is None:
            return web.Response(status=400, headers=_CORS)
        authorization = request.headers.get("Authorization", "")
        if authorization[:6].lower() == "basic ":
            # Where most OAuth libraries put the client's id and secret (RFC 6749, 2.3.1).
            body.setdefault("httpAuth", authorization)
            authorization = ""
        token = tokens.clean(authorization)
        call = Call(
            endpoint=bodies.endpoint(request.path),
            # Members may come either way; where both say something, each kind of call has its own side.
            query=Params({**body, **query}),
            body=Params({**query, **body}),
            now=exchange.clock(),
            caller=exchange.caller(token) if token else None,
            address=request.remote or "",
        )
        user_id = call.caller.user_id if call.caller else None
        exchange.logbook.request(user_id=user_id, via="rest", endpoint=call.endpoint, query=query, body=body)
        answer = await self._calls.answer(exchange, call)
        await self._stored(answer)
        if answer.mute:
            # A client whose request is never answered sees its own time limit, not an empty reply.
            await asyncio.sleep(exchange.options.mute_seconds)
            if request.transport is not None:
                request.transport.abort()
        return _response(answer)

    async def _stored(self, answer: Answer) -> None:
        stored = asyncio.Event()
        self._exchange.publish(answer.frames, stored.set)
        await stored.wait()


def _response(answer: Answer) -> web.Response:
    if answer.status != 200:
        return web.Response(status=answer.status, text=str(answer.payload or ""), headers=_CORS)
    payload = {} if answer.payload is None else answer.payload
    return web.Response(text=dump(payload), content_type="application/json", headers=_CORS)
