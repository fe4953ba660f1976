"""Puts an exchange on one port: REST, sockets, the consent page and the operator's endpoints."""

import asyncio

from aiohttp import web

from brokers.paper import actions, auth, bodies, marketdata, strategy_calls, syncing, trader_limits
from brokers.paper.calls import Calls
from brokers.paper.consent import ConsentPage
from brokers.paper.exchange import Exchange
from brokers.paper.oauth import OAuthDesk
from brokers.paper.operator import OperatorDesk
from brokers.paper.rest import RestShell
from brokers.paper.sockets import SocketShell

_SHUTDOWN_SECONDS = 0.5
_GOODBYE_SECONDS = 0.1


class Server:
    """One exchange on one port; port 0 takes a free one."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """Return the address that clients put in place of the real one."""
        return f"http://{self.exchange.options.host}:{self.port}/v1"

    async def start(self) -> None:
        """Resume the exchange, then listen."""
        await self.exchange.start()
        runner = web.AppRunner(
            _application(self.exchange), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await runner.setup()
        site = web.TCPSite(runner, self.exchange.options.host, self.exchange.options.port)
        await site.start()
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening, end the sockets, store what is left."""
        for connection in list(self.exchange.hub.connections):
            connection.end()
        # A moment for the goodbyes; whoever does not read them is cut off below.
        await asyncio.sleep(_GOODBYE_SECONDS if self.exchange.hub.connections else 0)
        if self._runner is not None:
            await self._runner.cleanup()
        await self.exchange.stop()


def _application(exchange: Exchange) -> web.Application:
    desk = OAuthDesk()
    calls = Calls(
        {
            **actions.ACTIONS,
            **strategy_calls.ACTIONS,
            **auth.ACTIONS,
            **marketdata.ACTIONS,
            **syncing.ACTIONS,
            **trader_limits.ACTIONS,
        },
        {**auth.OPEN_ACTIONS, **desk.open_actions()},
    )
    rest, sockets = RestShell(exchange, calls), SocketShell(exchange, calls)
    page, operator = ConsentPage(exchange, desk), OperatorDesk(exchange)

    async def anything(request: web.Request) -> web.StreamResponse:
        return await (sockets if bodies.endpoint(request.path) == "websocket" else rest).handle(request)

    application = web.Application(client_max_size=1 << 20)
    application.router.add_get("/oauth", page.show)
    application.router.add_post("/oauth", page.decide)
    application.router.add_route("*", "/operator/{command}", operator.handle)
    application.router.add_route("*", "/{path:.*}", anything)
    return application
