"""A small shell over `requests`: carries dialogues, and reads what a new login must tell about itself.

Always a time limit; reads are tried again, anything else is sent once. The hot path never comes here.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import sleep
from typing import TypeVar

import msgspec
import requests

from brokers.tradovate.answers import check
from brokers.tradovate.entities import Account, Order, Position
from brokers.tradovate.mapping import AccountName, cancel_body, close_body
from brokers.tradovate.oauth import Dialogue, Request, Response, Tokens
from tradehaven.domain.commands import CancelOrder
from tradehaven.domain.errors import ProtocolError, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
TIMEOUT = (5.0, 10.0)
"""Seconds to connect, and to wait between two bytes of an answer."""
PAUSES = (0.2, 0.8)
"""Seconds before the second and the third attempt at a read."""


class Me(msgspec.Struct):
    """Who a token belongs to (`auth/me`)."""

    userId: int
    name: str = ""
    fullName: str = ""
    organizationName: str = ""


class _Renewed(msgspec.Struct):
    accessToken: str = ""
    expirationTime: datetime | None = None


def converse(dialogue: Dialogue[T]) -> T:
    """Carry a dialogue to its end and return its result; raise `BrokerError`."""
    request = next(dialogue)
    while True:
        answer = _send(request)
        try:
            request = dialogue.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result


def me(base_url: str, token: str) -> Me:
    """Return whose token it is."""
    return _read(f"{base_url}/auth/me", token, Me)


def accounts(base_url: str, token: str) -> list[Account]:
    """Return the accounts of the login that are not closed."""
    found: list[Account] = _read(f"{base_url}/account/list", token, list[Account])
    return [account for account in found if not account.closed]


def orders(base_url: str, token: str) -> list[Order]:
    """Return the login's orders of this session, ended ones too."""
    found: list[Order] = _read(f"{base_url}/order/list", token, list[Order])
    return found


def positions(base_url: str, token: str) -> list[Position]:
    """Return the login's positions, flat ones too."""
    found: list[Position] = _read(f"{base_url}/position/list", token, list[Position])
    return found


def cancel(base_url: str, token: str, command: CancelOrder) -> None:
    """Cancel an order; sent once. Raise `BrokerError` where the broker does not take it."""
    _tell(f"{base_url}/order/cancelorder", token, cancel_body(command))


def liquidate(base_url: str, token: str, account: int, contract: int) -> None:
    """Cancel and close all that an account has in a contract; sent once (protocol 11.6)."""
    _tell(f"{base_url}/order/liquidateposition", token, close_body(AccountName(account, ""), contract))


def renew(base_url: str, token: str, now: datetime) -> Tokens:
    """Extend a token that is still valid, where the broker gave no refresh token (protocol 3.2)."""
    said = _read(f"{base_url}/auth/renewaccesstoken", token, _Renewed)
    if not said.accessToken:
        raise ProtocolError("the renewal holds no token")
    expires = said.expirationTime
    if expires is None:
        return Tokens(access=said.accessToken)
    life = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
    return Tokens(access=said.accessToken, expires_in=max(int((life - now).total_seconds()), 1))


def _read(url: str, token: str, kind: type[T]) -> T:
    request = Request(
        method="GET", url=url, headers={"Accept": "application/json", "Authorization": f"Bearer {token}"}
    )
    body = _attempts(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        raise ProtocolError(f"the answer of {_path(url)} is not readable") from None


def _tell(url: str, token: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    answer = _send(Request(method="POST", url=url, headers=headers, body=body))
    check(answer.status, answer.body)


def _attempts(request: Request) -> bytes:
    for pause in _pauses():
        try:
            answer = _send(request)
            return check(answer.status, answer.body)
        except Unavailable:
            if pause is None:
                raise
            log.info("%s did not answer, trying again", _path(request.url))
            sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _pauses() -> Iterator[float | None]:
    yield from PAUSES
    yield None


def _send(request: Request) -> Response:
    try:
        answer = requests.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            data=request.body or None,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        # The library's error carries the request with its headers and body: it ends here.
        raise Unavailable(f"no answer from {_path(request.url)} ({type(error).__name__})") from None
    return Response(status=answer.status_code, body=answer.content, at=_clock_of(answer))


def _clock_of(answer: requests.Response) -> datetime | None:
    """Return the other side's time (UTC), where its header says one that can be read."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None


def _path(url: str) -> str:
    return url.split("?", 1)[0]
