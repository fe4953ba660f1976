"""The OAuth dialogue, without a socket: each step yields a request and is sent the answer (protocol 3.6).

Whoever drives a dialogue chooses how to carry it; `rest.converse` does it with `requests`. Secrets have no
`repr`, so that no traceback and no log line can show one.
"""

import base64
import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from brokers.tradovate.answers import check
from tradehaven.domain.errors import ProtocolError

SCOPES = ("account:read", "order:read", "order:write", "position:read")
"""What the registered application asks for; shown before the consent page, never sent (protocol 3.6)."""
DEFAULT_LIFE = 3600
"""Seconds that a token is taken to live where the answer does not say (protocol 3.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Our registration at one place; without a secret the client is public and leans on PKCE alone."""

    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str
    token_url: str
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back. `at` is the time on the broker's clock (UTC), None where it did not say."""

    status: int
    body: bytes = field(repr=False)
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A token and its life in seconds; an empty `refresh` means that the broker gave none.

    `said_at` is the broker's own time (UTC), None where it did not say.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False, default="")
    expires_in: int = DEFAULT_LIFE
    said_at: datetime | None = None


T = TypeVar("T")
Dialogue = Generator[Request, Response, T]


class _TokenAnswer(msgspec.Struct):
    access_token: str = ""
    expires_in: int = DEFAULT_LIFE
    refresh_token: str = ""


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorize_url(client: Client, state: str, challenge: str) -> str:
    """Return the address of the broker's consent page."""
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    joint = "&" if "?" in client.authorize_url else "?"
    return f"{client.authorize_url}{joint}{urlencode(query)}"


def exchange(client: Client, code: str, verifier: str) -> Dialogue[Tokens]:
    """Turn a code into tokens; raise the `BrokerError` that the answer amounts to."""
    answer = yield _token_request(
        client,
        grant_type="authorization_code",
        code=code,
        redirect_uri=client.redirect_uri,
        code_verifier=verifier,
    )
    return _tokens(answer)


def refresh(client: Client, refresh_token: str) -> Dialogue[Tokens]:
    """Turn a refresh token into new tokens; the old one is void as soon as the broker has answered."""
    answer = yield _token_request(client, grant_type="refresh_token", refresh_token=refresh_token)
    return _tokens(answer)


def _token_request(client: Client, **grant: str) -> Request:
    secret = {"client_secret": client.client_secret} if client.client_secret else {}
    return Request(
        method="POST",
        url=client.token_url,
        headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode({**grant, "client_id": client.client_id, **secret}).encode(),
    )


def _tokens(answer: Response) -> Tokens:
    body = check(answer.status, answer.body)
    try:
        said = msgspec.json.decode(body, type=_TokenAnswer)
    except msgspec.MsgspecError:
        # The decoder's own message may quote the body, and the body may hold a token.
        raise ProtocolError("the token endpoint's answer is not readable") from None
    if not said.access_token or said.expires_in <= 0:
        raise ProtocolError("the token endpoint's answer holds no usable token")
    return Tokens(
        access=said.access_token, refresh=said.refresh_token, expires_in=said.expires_in, said_at=answer.at
    )
