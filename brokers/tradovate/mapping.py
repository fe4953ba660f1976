"""Payload to domain and back: the only place that knows the broker's words, floats and symbols."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

import msgspec

from brokers.tradovate.entities import OrderVersion
from tradehaven.domain.commands import CancelOrder, ChangeOrder, PlaceOrder
from tradehaven.domain.contracts import product_of
from tradehaven.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from tradehaven.domain.errors import ProtocolError
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
ACTIONS = {side: word for word, side in SIDES.items()}
ORDER_TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "StopLimit": OrderType.STOP_LIMIT,
    "MIT": OrderType.MIT,
    "LimitIfTouched": OrderType.LIMIT_IF_TOUCHED,
    "TrailingStop": OrderType.TRAILING_STOP,
    "TrailingStopLimit": OrderType.TRAILING_STOP_LIMIT,
}
TYPE_WORDS = {order_type: word for word, order_type in ORDER_TYPES.items()}
TIMES = {
    "Day": TimeInForce.DAY,
    "GTC": TimeInForce.GTC,
    "GTD": TimeInForce.GTD,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
TIME_WORDS = {tif: word for word, tif in TIMES.items()}
STATUSES = {
    "PendingNew": OrderStatus.PENDING,
    "Working": OrderStatus.WORKING,
    "Suspended": OrderStatus.SUSPENDED,
    "PendingReplace": OrderStatus.PENDING_REPLACE,
    "PendingCancel": OrderStatus.PENDING_CANCEL,
    "Filled": OrderStatus.FILLED,
    "Canceled": OrderStatus.CANCELLED,
    "Rejected": OrderStatus.REJECTED,
    "Expired": OrderStatus.EXPIRED,
    "Completed": OrderStatus.COMPLETED,
}
_TICK_SLACK = 1e-6
"""Prices arrive as binary floats: further than this from a tick, it is not one."""


def status_of(word: str) -> OrderStatus:
    """Return the status that a word means; a word that we do not know is not guessed at."""
    return STATUSES.get(word, OrderStatus.UNKNOWN)


def side_of(word: str) -> Side:
    """Return the side of an action."""
    try:
        return SIDES[word]
    except KeyError:
        raise ProtocolError(f"an action that is neither Buy nor Sell: {word!r}") from None


def nanos(text: str) -> Nanos:
    """Return an ISO time of the broker as UTC nanoseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ProtocolError(f"a time that is not readable: {text!r}") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Nanos(int(aware.timestamp() * 1_000_000) * 1000)


@lru_cache(maxsize=1024)
def _tick_size(symbol: Symbol) -> float:
    return float(product_of(symbol).tick_size)


def ticks_of(symbol: Symbol, price: float) -> Ticks:
    """Return a price in points as ticks of its contract."""
    tick = _tick_size(symbol)
    number = price / tick
    nearest = round(number)
    if abs(number - nearest) > _TICK_SLACK * max(1.0, abs(number)):
        raise ProtocolError(f"{symbol}: {price} lies between two ticks of {tick}")
    return Ticks(nearest)


@lru_cache(maxsize=4096)
def price_text(symbol: Symbol, ticks: Ticks) -> str:
    """Return ticks as the JSON number of a price, exact."""
    return format(product_of(symbol).to_price(ticks), "f")


def spec_of(symbol: Symbol, version: OrderVersion) -> OrderSpec:
    """Return what one version of an order says."""
    order_type = ORDER_TYPES.get(version.orderType)
    tif = TIMES.get(version.timeInForce or "Day")
    if order_type is None or tif is None:
        raise ProtocolError(f"an order of unknown kind: {version.orderType} {version.timeInForce}")
    limit, stop, trail = version.price, version.stopPrice, version.pegDifference
    if order_type is OrderType.MIT:
        # Which of the two carries the touch is not documented; clients differ (protocol 10.1).
        limit, stop = None, limit if stop is None else stop
    elif order_type is OrderType.LIMIT_IF_TOUCHED:
        stop = version.limitIfTouchedPrice
    return OrderSpec(
        order_type=order_type,
        qty=version.orderQty,
        limit=None if limit is None else ticks_of(symbol, limit),
        stop=None if stop is None else ticks_of(symbol, stop),
        trail=None if trail is None else ticks_of(symbol, trail),
        tif=tif,
        expire_at=datetime.fromisoformat(version.expireTime) if version.expireTime else None,
    )


def money(amount: float | None) -> Decimal:
    """Return an amount of USD; the shortest decimal that the float can mean."""
    return Decimal(repr(amount)) if amount is not None else Decimal(0)


class AccountName(msgspec.Struct, frozen=True):
    """How the broker calls an account: the number that it wants, and the name that it also wants."""

    number: int
    name: str


@lru_cache(maxsize=4096)
def _account_part(account: AccountName) -> str:
    return f'"accountSpec":{msgspec.json.encode(account.name).decode()},"accountId":{account.number}'


def place_body(command: PlaceOrder, account: AccountName) -> bytes:
    """Return the body of `order/placeorder`."""
    return (
        f'{{{_account_part(account)},"action":"{ACTIONS[command.side]}","symbol":"{command.symbol}",'
        f"{_spec_part(command.symbol, command.spec)},"
        f'"clOrdId":"{command.client_order_id}","isAutomated":true}}'
    ).encode()


def change_body(command: ChangeOrder) -> bytes:
    """Return the body of `order/modifyorder`: everything again, for it replaces all (protocol 11.4)."""
    return (
        f'{{"orderId":{command.order_id},{_spec_part(command.symbol, command.spec)},'
        f'"clOrdId":"{command.client_order_id}","isAutomated":true}}'
    ).encode()


def cancel_body(command: CancelOrder) -> bytes:
    """Return the body of `order/cancelorder`."""
    return (
        f'{{"orderId":{command.order_id},"clOrdId":"{command.client_order_id}","isAutomated":true}}'
    ).encode()


def close_body(account: AccountName, contract: int) -> bytes:
    """Return the body of `order/liquidateposition`."""
    return (
        f'{{"accountId":{account.number},"contractId":{contract},"admin":false,"isAutomated":true}}'
    ).encode()


def with_ticket(body: bytes, ticket: str) -> bytes:
    """Return the body of a request that was penalised, as it must be repeated (protocol 4.3)."""
    return body[:-1] + b',"p-ticket":' + msgspec.json.encode(ticket) + b"}"


class _SpecText:
    """The words of the last spec: followers of one order share it, and to look is cheaper than to hash."""

    def __init__(self) -> None:
        self._last: tuple[Symbol, OrderSpec | None, str] = (Symbol(""), None, "")

    def __call__(self, symbol: Symbol, spec: OrderSpec) -> str:
        known, last, text = self._last
        if spec is not last or symbol != known:
            text = _written(symbol, spec)
            self._last = symbol, spec, text
        return text


_spec_part = _SpecText()


def _written(symbol: Symbol, spec: OrderSpec) -> str:
    parts = [f'"orderQty":{spec.qty},"orderType":"{TYPE_WORDS[spec.order_type]}"']
    if spec.limit is not None:
        parts.append(f'"price":{price_text(symbol, spec.limit)}')
    if spec.stop is not None:
        touch = spec.order_type is OrderType.LIMIT_IF_TOUCHED
        name = "limitIfTouchedPrice" if touch else "stopPrice"
        parts.append(f'"{name}":{price_text(symbol, spec.stop)}')
    if spec.trail is not None:
        parts.append(f'"pegDifference":{price_text(symbol, spec.trail)}')
    parts.append(f'"timeInForce":"{TIME_WORDS[spec.tif]}"')
    if spec.expire_at is not None:
        moment = spec.expire_at.astimezone(UTC).isoformat(timespec="milliseconds")
        parts.append(f'"expireTime":"{moment.replace("+00:00", "Z")}"')
    return ",".join(parts)
