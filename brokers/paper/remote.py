"""The pages' way to a running exchange: what the operator may ask, as typed values.

Speaks to the operator's endpoints and to nothing else; whose logins may be asked for is decided by
the pages. Raises `Unavailable` when the exchange does not answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests
from django.conf import settings

from brokers.paper.faults import Drill
from tradehaven.domain.enums import Environment
from tradehaven.domain.errors import Unavailable

_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A contract and its outside prices, in points."""

    symbol: str
    product: str
    last: Decimal
    bid: Decimal
    offer: Decimal
    volume: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Contracts that wait at a price."""

    price: Decimal
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The best levels of one contract, best first."""

    symbol: str
    bids: tuple[Level, ...]
    offers: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountThere:
    """An account as the exchange knows it, amounts in USD, with the drills that wait for it."""

    account_id: int
    name: str
    cash: Decimal
    open_profit: Decimal
    working: int
    positions: tuple[tuple[str, int], ...]
    reject: bool
    partial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginThere:
    """A login as the exchange knows it, with the drills that wait for it."""

    user_id: int
    name: str
    sockets: int
    offline: bool
    penalty: bool
    accounts: tuple[AccountThere, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What the exchange shows to the owner of some logins."""

    paused: bool
    markets: tuple[Market, ...]
    book: Book
    logins: tuple[LoginThere, ...]


def configured() -> bool:
    """Say whether there is a paper exchange whose operator this site is."""
    return bool(settings.PAPER_OPERATOR_TOKEN and settings.BROKERS[Environment.PAPER]["client_id"])


def venue(user_ids: Iterable[int], symbol: str = "") -> Venue:
    """Return the venue as the owner of these logins sees it."""
    body = _ask("venue", {"userIds": list(user_ids), "symbol": symbol})
    return Venue(
        paused=body["paused"],
        markets=tuple(_market(item) for item in body["markets"]),
        book=Book(
            symbol=body["book"]["symbol"],
            bids=_levels(body["book"], "bids"),
            offers=_levels(body["book"], "offers"),
        ),
        logins=tuple(_login(item) for item in body["logins"]),
    )


def switch(drill: Drill, number: int, *, on: bool) -> None:
    """Switch a drill on or off, for the broker's number of a login or of an account."""
    whom = "userId" if drill.of_login else "accountId"
    _ask("switch", {"kind": drill.value, "on": on, whom: number})


def _ask(command: str, members: dict[str, Any]) -> dict[str, Any]:
    root = settings.BROKERS[Environment.PAPER]["rest_url"].removesuffix("/v1")
    headers = {"X-Operator-Token": settings.PAPER_OPERATOR_TOKEN}
    try:
        answer = requests.post(f"{root}/operator/{command}", json=members, headers=headers, timeout=_SECONDS)
        answer.raise_for_status()
        body: dict[str, Any] = answer.json(parse_float=Decimal)
    except requests.RequestException as error:
        raise Unavailable(f"The paper exchange did not answer: {error}") from error
    return body


def _market(item: dict[str, Any]) -> Market:
    return Market(
        symbol=item["symbol"],
        product=item["product"],
        last=_price(item, item["last"]),
        bid=_price(item, item["bid"]),
        offer=_price(item, item["offer"]),
        volume=item["volume"],
    )


def _levels(book: dict[str, Any], side: str) -> tuple[Level, ...]:
    return tuple(Level(price=_price(book, item["price"]), size=item["size"]) for item in book[side])


def _price(item: dict[str, Any], given: Decimal | int) -> Decimal:
    # With the decimals of its tick, so that prices stand under each other.
    return Decimal(given).quantize(Decimal(1).scaleb(-int(item["decimals"])))


def _login(item: dict[str, Any]) -> LoginThere:
    return LoginThere(
        user_id=item["userId"],
        name=item["name"],
        sockets=item["sockets"],
        offline=item["offline"],
        penalty=item["penalty"],
        accounts=tuple(_account(account) for account in item["accounts"]),
    )


def _account(item: dict[str, Any]) -> AccountThere:
    return AccountThere(
        account_id=item["accountId"],
        name=item["name"],
        cash=Decimal(item["cash"]),
        open_profit=Decimal(item["openPnL"]),
        working=item["working"],
        positions=tuple((row["symbol"], row["net"]) for row in item["positions"]),
        reject=item["reject"],
        partial=item["partial"],
    )
