"""An order of nobody's, played now and then through all that a leader's order goes through.

A processor forgets code within a millisecond of other work: the first follower of a lone order costs five
times what the twentieth does, and what is done once for each order as much. A rehearsal keeps that code in
its caches. Plan, book, journal, links and gateways are its own, of the real kinds; there is no socket under
them and no file behind them, so nothing of it can reach an account, a record or a page.
"""

import os
from decimal import Decimal
from pathlib import Path

from brokers.ports import Clock
from brokers.stage import SYMBOL, StagedLink, order_frame
from risk.core.rules import NO_RULES, Caps, DayLimit, Drawdown, Rules, Trail
from syncgroups.core.book import Book
from syncgroups.core.plan import AccountPlan, FollowerPlan, GroupPlan, OwnerPlan
from syncgroups.engine.dispatch import Dispatch
from syncgroups.engine.journal import Journal
from syncgroups.engine.mailbox import Mailbox
from tradehaven.domain.enums import Environment, TradingState
from tradehaven.domain.events import BalanceReported, GateChanged, PriceMoved
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, GroupId, OwnerId
from tradehaven.domain.money import Ticks

ACTS = 64
"""Orders before the book of the stage is begun anew, so that it stays small."""
_LEADER = AccountId(1)
_FOLLOWERS = (AccountId(2), AccountId(3))
_RULES = Rules(
    daily_loss=DayLimit(amount=Decimal(1_000)),
    drawdown=Drawdown(trail=Trail.INTRADAY, amount=Decimal(2_500), start=Decimal(50_000)),
    caps=Caps(instrument=10_000, account=10_000),
)


class _Unwritten(Journal):
    """A journal whose records are gone as soon as they are written."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull).parent, epoch=0)

    def _open(self) -> int:
        return os.open(os.devnull, os.O_WRONLY)


class Rehearsal:
    """The stage with all that stands on it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._links: dict[ConnectionId, StagedLink] = {}
        dispatch = Dispatch(self._links, clock.nanos, lambda: True)
        self._mailbox = Mailbox(_plan(), Book(), _Unwritten(), dispatch, clock.nanos)
        for account in (_LEADER, *_FOLLOWERS):
            self._links[ConnectionId(account)] = StagedLink(account, self._mailbox.post, clock)
        self._frames = [order_frame(_LEADER, number, "Buy") for number in range(1, ACTS + 1)]
        self._left: list[bytes] = []

    @property
    def sent(self) -> int:
        """Return how many orders the followers were sent so far."""
        return sum(self._links[ConnectionId(account)].gateway.nowhere.taken for account in _FOLLOWERS)

    def play(self) -> None:
        """Let the leader give one order; raise `RuntimeError` where not every follower gets its own."""
        if not self._left:
            self._begin()
        before = self.sent
        self._links[ConnectionId(_LEADER)].gateway.on_frame(memoryview(self._left.pop()))
        if self.sent != before + len(_FOLLOWERS) or self._mailbox.failures:
            raise RuntimeError("a rehearsed order did not reach every follower on the stage")

    def _begin(self) -> None:
        """Begin a day with an empty book: all gates open, money and price known."""
        self._left = self._frames[::-1]
        for link in self._links.values():
            link.gateway.forget()
        self._mailbox.book, at = Book(), self._clock.nanos()
        self._mailbox.book.links.update(self._links)
        for gate in (GateId(0), *(GateId(account) for account in _FOLLOWERS)):
            self._mailbox.post(
                GateChanged(gate=gate, state=TradingState.ACTIVE, flatten=False, version=1, at=at)
            )
        for account in _FOLLOWERS:
            self._mailbox.post(
                BalanceReported(account=account, cash=Decimal(50_000), realized=Decimal(0), at=at)
            )
        bid, ask = Ticks(24_000), Ticks(24_001)
        self._mailbox.post(
            PriceMoved(environment=Environment.PAPER, symbol=SYMBOL, bid=bid, ask=ask, last=None, at=at)
        )


def _plan() -> OwnerPlan:
    rules = {_LEADER: NO_RULES, **dict.fromkeys(_FOLLOWERS, _RULES)}
    accounts = {
        account: AccountPlan(
            account=account, connection=ConnectionId(account), gates=(GateId(account),), rules=of_it
        )
        for account, of_it in rules.items()
    }
    members = tuple(
        FollowerPlan(account=account, gates=(GateId(0), GateId(account))) for account in _FOLLOWERS
    )
    group = GroupPlan(group=GroupId(1), name="stage", leader=_LEADER, followers=members)
    return OwnerPlan(owner=OwnerId(0), accounts=accounts, groups=(group,))
