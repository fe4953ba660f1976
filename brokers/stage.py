"""A broker that exists in this process only: rehearsals play on it, and what it is sent gets nowhere.

Links, gateways and views are the real ones, so that the same code runs; they have no socket under them.
"""

from random import Random

import msgspec

from brokers.core.budget import CallLimits
from brokers.core.governor import Governor
from brokers.core.vitals import Vitals
from brokers.link import Link
from brokers.ports import Clock, Fence, Login, Sink
from brokers.tradovate.gateway import TradovateGateway
from brokers.tradovate.mapping import AccountName
from tradehaven.domain.commands import Lane
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos, OrderId, Symbol

SYMBOL = Symbol("ESZ9")
_CONTRACT = 1
_LIMITS = CallLimits(per_minute=1_000, per_hour=10_000)


class _Nowhere:
    """A transport without another end. `taken` counts the frames that it was given."""

    buffered = 0

    def __init__(self) -> None:
        self.taken = 0

    def send(self, frame: bytes) -> None:
        self.taken += 1

    def ping(self) -> None:
        """Measure nothing: nobody is there to answer."""

    def close(self) -> None:
        """End nothing."""


class _Uncounted(Governor):
    """A budget that asks all its questions and is never used up."""

    def _count(self, lane: Lane, now: Nanos, order: OrderId | None) -> None:
        super()._count(lane, now, order)
        self.give_back(lane, order)


class StagedGateway(TradovateGateway):
    """A gateway that is ready from the start and has no socket."""

    def __init__(
        self, login: Login, sink: Sink, clock: Clock, fence: Fence, vitals: Vitals | None = None
    ) -> None:
        super().__init__(login, sink, clock, fence, vitals)
        self._view.symbols[_CONTRACT] = SYMBOL
        for number, account in login.accounts.items():
            self._view.names[account] = AccountName(number=number, name=f"STAGE{number}")
        self._transport = self.nowhere = _Nowhere()
        self._ready = True

    def forget(self) -> None:
        """Be as new: no order is known, and no answer is waited for."""
        self._view.forget_orders()
        self._asked.clear()


class StagedLink(Link):
    """One account's link on the stage, up for good."""

    def __init__(self, account: AccountId, sink: Sink, clock: Clock) -> None:
        login = Login(
            connection=ConnectionId(account),
            socket_url="",
            token="",
            user_id=None,
            accounts={int(account): account},
        )
        super().__init__(
            f"stage {account}",
            _nobody,
            sink,
            clock,
            Random(0),  # noqa: S311  # nothing is drawn from it
            _Uncounted(_LIMITS),
            _nothing,
            _always,
        )
        self.gateway = self._gateway = StagedGateway(login, self.take, clock, _always, self.vitals)


async def _nobody(_refused: bool) -> None:
    """Give no login: nothing connects from here."""


def _nothing(_until: Nanos) -> None:
    """Wake nobody."""


def _always() -> bool:
    return True


def order_frame(account: AccountId, order: int, side: str) -> bytes:
    """Return the frame in which a broker tells of a new order for one contract, in all its parts."""
    stamp = "2026-01-02T15:00:00.000Z"
    parts = {
        "command": {"commandType": "New", "commandStatus": "AtExecution", "isAutomated": False},
        "orderVersion": {"orderQty": 1, "orderType": "Limit", "price": 6000.25, "timeInForce": "Day"},
        "order": {"accountId": account, "contractId": _CONTRACT, "action": side, "ordStatus": "Working"},
    }
    told = [
        {
            "e": "props",
            "d": {
                "entityType": kind,
                "eventType": "Created",
                "entity": {"id": order, "orderId": order, "timestamp": stamp, **entity},
            },
        }
        for kind, entity in parts.items()
    ]
    return b"a" + msgspec.json.encode(told)
