"""The page on which a user logs in and allows or denies an application's access."""

import html
from collections.abc import Mapping
from importlib import resources
from string import Template

from aiohttp import web

from brokers.paper.exchange import Exchange
from brokers.paper.oauth import AuthorizeRequest, OAuthDesk
from brokers.paper.store import Client

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


class ConsentPage:
    """Shows the page and handles its form."""

    def __init__(self, exchange: Exchange, desk: OAuthDesk) -> None:
        self._exchange = exchange
        self._desk = desk
        text = resources.files("brokers.paper").joinpath("consent.html").read_text(encoding="utf-8")
        self._template = Template(text)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /oauth."""
        asked, client = await self._asked(request.query)
        if client is None:
            return _unknown()
        if request.query.get("response_type", "code") != "code":
            raise web.HTTPFound(asked.redirect(error="unsupported_response_type"))
        return self._page(client, "")

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Answer POST /oauth: back to the application with a code, or with `access_denied`."""
        asked, client = await self._asked(request.query)
        if client is None:
            return _unknown()
        form = await _form(request)
        if form.get("decision") != "allow":
            raise web.HTTPFound(asked.redirect(error="access_denied"))
        name, password = form.get("name", "").replace("\0", ""), form.get("password", "")
        login = await self._exchange.blocking(self._exchange.store.login, name, password)
        if login is None:
            return self._page(client, "Incorrect username or password.")
        self._exchange.admit(login)
        raise web.HTTPFound(self._desk.grant(asked, login, self._exchange.clock()))

    async def _asked(self, query: Mapping[str, str]) -> tuple[AuthorizeRequest, Client | None]:
        asked = AuthorizeRequest(
            client_id=query.get("client_id", ""),
            redirect_uri=query.get("redirect_uri", ""),
            state=query.get("state", ""),
            code_challenge=query.get("code_challenge", ""),
        )
        # No database looks for a NUL.
        client_id = asked.client_id.replace("\0", "")
        client = await self._exchange.blocking(self._exchange.store.client, client_id)
        # An address that was not registered never gets a redirect, or codes could be stolen.
        known = client is not None and asked.redirect_uri in client.redirect_uris
        plain = bool(asked.code_challenge) and query.get("code_challenge_method", "S256") != "S256"
        return asked, client if known and not plain else None

    def _page(self, client: Client, error: str) -> web.Response:
        text = self._template.substitute(client=html.escape(client.name), error=html.escape(error))
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)


async def _form(request: web.Request) -> Mapping[str, str]:
    try:
        form = await request.post()
    except ValueError:
        # Torn into parts badly or in no text at all: as if nothing had been filled in.
        return {}
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _unknown() -> web.Response:
    text = "This application or its return address is not registered with the paper exchange."
    return web.Response(status=400, text=text, headers=_HEADERS)
