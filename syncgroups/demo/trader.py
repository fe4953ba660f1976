"""The demo's leader: trades by hand, so to speak, through the exchange's own REST, a few times a minute.

Each round is a small story of the kind that a copier must get right: a market entry, a stop and a target
around it, the stop moved, an exit; sometimes a limit order that is pulled again.
"""

import logging
import time
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import requests

from tradehaven.domain.contracts import front
from tradehaven.domain.enums import Side
from tradehaven.domain.instruments import Product, product
from tradehaven.domain.money import Ticks

log = logging.getLogger(__name__)

ROOTS = ("MES", "MNQ", "ES")
WORDS = {Side.BUY: "Buy", Side.SELL: "Sell"}
TIMEOUT = 10


class Desk:
    """A trader's screen: places orders for one account and reads what became of them."""

    def __init__(self, base_url: str, name: str, password: str, account: str) -> None:
        self._base = base_url
        self._session = requests.Session()
        answer = self._post("auth/accesstokenrequest", {"name": name, "password": password})
        self._session.headers["Authorization"] = f"Bearer {answer['accessToken']}"
        accounts = self._get("account/list")
        self._account = next(found for found in accounts if found["name"] == account)

    def place(self, traded: Product, symbol: str, side: Side, qty: int, **order: Any) -> int:
        """Place an order; prices in ticks. Return its number, or 0 when it was refused."""
        body: dict[str, Any] = {"accountSpec": self._account["name"], "accountId": self._account["id"]}
        body |= {"symbol": symbol, "action": WORDS[side], "orderQty": qty, "isAutomated": False}
        body["orderType"] = order["type"]
        for name in ("price", "stopPrice"):
            if name in order:
                body[name] = float(traded.to_price(order[name]))
        answer = self._post("order/placeorder", body)
        if "orderId" not in answer:
            log.warning("the exchange refused: %s", answer)
        return int(answer.get("orderId", 0))

    def move_stop(self, traded: Product, order: int, qty: int, stop: int) -> None:
        """Move a stop order."""
        body = {"orderId": order, "orderQty": qty, "orderType": "Stop", "isAutomated": False}
        self._post("order/modifyorder", body | {"stopPrice": float(traded.to_price(stop))})

    def cancel(self, order: int) -> None:
        """Pull an order."""
        self._post("order/cancelorder", {"orderId": order, "isAutomated": False})

    def flatten(self) -> None:
        """Close whatever is open, as the platform's own button does."""
        for position in self._get("position/list"):
            if position["accountId"] == self._account["id"] and position["netPos"]:
                body = {
                    "accountId": self._account["id"],
                    "contractId": position["contractId"],
                    "admin": False,
                }
                self._post("order/liquidateposition", body)

    def price(self, traded: Product, symbol: str) -> int | None:
        """Return the price at which this account last traded a contract, in ticks."""
        contract = self._get("contract/find", name=symbol)["id"]
        fills = [fill for fill in self._get("fill/list") if fill["contractId"] == contract]
        return traded.to_ticks(Decimal(str(fills[-1]["price"]))) if fills else None

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._session.post(f"{self._base}/{path}", json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    def _get(self, path: str, **query: str) -> Any:
        answer = self._session.get(f"{self._base}/{path}", params=query, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()


def trade(desk: Desk, chance: Random, today: Any, pause: float = 4.0) -> Iterator[str]:
    """Trade for ever; yield a line for each round. `pause` is the mean wait between two steps, in seconds."""
    while True:
        root = chance.choice(ROOTS)
        traded = product(root)
        symbol = front(traded, today()).code
        side = chance.choice((Side.BUY, Side.SELL))
        qty = chance.choice((1, 2, 2, 4))
        yield f"{side} {qty} {symbol}"
        yield from _round(desk, traded, symbol, side, qty, chance, pause)
        desk.flatten()
        time.sleep(pause * 2)


def _round(
    desk: Desk, traded: Product, symbol: str, side: Side, qty: int, chance: Random, pause: float
) -> Iterator[str]:
    desk.place(traded, symbol, side, qty, type="Market")
    time.sleep(pause / 2)
    price = desk.price(traded, symbol)
    if price is None:
        return
    away = side.sign * chance.randint(20, 40)
    stop = desk.place(traded, symbol, side.opposite, qty, type="Stop", stopPrice=Ticks(price - away))
    target = desk.place(traded, symbol, side.opposite, qty, type="Limit", price=Ticks(price + away))
    time.sleep(pause * chance.uniform(0.5, 1.5))
    if stop:
        yield f"stop of {symbol} moves"
        desk.move_stop(traded, stop, qty, Ticks(price - away // 2))
    time.sleep(pause * chance.uniform(0.5, 1.5))
    for order in (stop, target):
        if order:
            desk.cancel(order)
    if qty > 1:
        yield f"half of {symbol} goes out"
        desk.place(traded, symbol, side.opposite, qty // 2, type="Market")
        time.sleep(pause)
