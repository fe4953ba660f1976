"""OAuth: codes after consent, and the exchange of codes and refresh tokens (protocol 3.6).

Refusals of the token endpoint are HTTP 200 with `error`, as the real service sends them. The page
that asks for log-in and consent stands in `consent`.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from brokers.paper.calls import Answer, Call, OpenHandler
from brokers.paper.exchange import Exchange
from brokers.paper.params import Params
from brokers.paper.store import Login, RefreshGrant
from brokers.paper.tokens import challenge, digest

CODE_SECONDS = 60
_LONG = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeRequest:
    """What an application asks for when it sends a user to the consent page."""

    client_id: str
    redirect_uri: str
    state: str
    code_challenge: str

    def redirect(self, **members: str) -> str:
        """Return the address that the browser goes back to, with the state echoed."""
        if self.state:
            members["state"] = self.state
        joint = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{joint}{urlencode(members)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    user_id: int
    name: str
    request: AuthorizeRequest
    expires: datetime


class OAuthDesk:
    """Issues codes and tokens; codes live for a minute and in memory only."""

    def __init__(self) -> None:
        self._codes: dict[str, _Code] = {}

    def grant(self, request: AuthorizeRequest, login: Login, now: datetime) -> str:
        """Return the address to go back to with a fresh code."""
        self._codes = {code: item for code, item in self._codes.items() if item.expires > now}
        code = f"ac_{secrets.token_urlsafe(24)}"
        expires = now + timedelta(seconds=CODE_SECONDS)
        self._codes[code] = _Code(user_id=login.user_id, name=login.name, request=request, expires=expires)
        return request.redirect(code=code)

    async def token(self, exchange: Exchange, call: Call) -> Answer:
        """Exchange a code or a refresh token; each works once."""
        given = call.body
        client_id, secret = _credentials(given)
        if not await exchange.blocking(exchange.store.client_secret_is, client_id, secret):
            return _refuse("invalid_client", "Unknown client or wrong secret")
        match given.text("grant_type"):
            case "authorization_code":
                return await self._by_code(exchange, call, client_id)
            case "refresh_token":
                return await self._by_refresh(exchange, call, client_id)
            case _:
                return _refuse("invalid_request", "grant_type must be authorization_code or refresh_token")

    def open_actions(self) -> dict[str, OpenHandler]:
        """Return the endpoints that need no caller."""
        return {"auth/oauthtoken": self.token}

    async def _by_code(self, exchange: Exchange, call: Call, client_id: str) -> Answer:
        given = call.body
        # Popped before it is judged: a code that was tried once is worth nothing any more.
        code = self._codes.pop(given.text("code", _LONG) or "", None)
        if code is None or code.expires <= call.now:
            return _refuse("invalid_grant", "Authorization code is expired or already used")
        request = code.request
        if (client_id, given.text("redirect_uri", _LONG)) != (request.client_id, request.redirect_uri):
            return _refuse("invalid_grant", "Code was issued to another client or address")
        verifier = given.text("code_verifier", _LONG)
        if request.code_challenge and (verifier is None or challenge(verifier) != request.code_challenge):
            return _refuse("invalid_grant", "code_verifier does not match")
        return await self._issue(exchange, call.now, code.user_id, client_id)

    async def _by_refresh(self, exchange: Exchange, call: Call, client_id: str) -> Answer:
        token = call.body.text("refresh_token", _LONG) or ""
        found = await exchange.blocking(exchange.store.take_refresh, digest(token))
        if found is None or found.client_id != client_id or found.expires <= call.now:
            return _refuse("invalid_grant", "Refresh token is expired or already used")
        return await self._issue(exchange, call.now, found.user_id, client_id)

    async def _issue(self, exchange: Exchange, now: datetime, user_id: int, client_id: str) -> Answer:
        login = await exchange.blocking(exchange.store.login_of_id, user_id)
        if login is None:
            return _refuse("invalid_grant", "The login does not exist any more")
        exchange.admit(login)
        refresh = f"rt_{secrets.token_urlsafe(32)}"
        life = exchange.options.refresh_seconds
        grant = RefreshGrant(
            digest=digest(refresh),
            user_id=user_id,
            client_id=client_id,
            expires=now + timedelta(seconds=life),
        )
        await exchange.blocking(exchange.store.keep_refresh, grant)
        access, _, caller = exchange.tokens(user_id)
        body = {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": int((caller.expires - now).total_seconds()),
            "refresh_token": refresh,
            "refresh_token_expires_in": life,
        }
        return Answer(payload=body)


def _credentials(given: Params) -> tuple[str, str]:
    basic = given.text("httpAuth", _LONG)
    if basic:
        client_id, colon, secret = _plain(basic).partition(":")
        if colon:
            return client_id, secret
    return given.text("client_id", _LONG) or "", given.text("client_secret", _LONG) or ""


def _plain(basic: str) -> str:
    """Return `id:secret`, given as it is or in base64, with or without `Basic` before it (RFC 7617)."""
    text = basic.strip()
    if text[:6].lower() == "basic ":
        text = text[6:].strip()
    if ":" in text:
        return text
    try:
        return base64.b64decode(text, validate=True).decode().replace("\0", "")
    except ValueError:
        return ""


def _refuse(error: str, description: str) -> Answer:
    return Answer(payload={"error": error, "error_description": description})
