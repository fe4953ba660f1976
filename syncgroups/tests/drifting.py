"""A desk on which things drift apart: what differs, what the broker lists, what people press."""

from dataclasses import dataclass
from typing import Any

from syncgroups.core.decision import Decision, Remark, RemarkKind
from syncgroups.core.differences import Difference, DriftKind
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests import desk as plain
from syncgroups.tests.plans import ES, LEADER, follower, group_of, plan_of
from tradehaven.domain.enums import Ask, Side
from tradehaven.domain.events import PersonAsked, TimePassed
from tradehaven.domain.ids import AccountId, GroupId, Nanos, OrderId, Symbol

TWO = AccountId(2)


@dataclass
class Desk(plain.Desk):
    """A desk with what the tests of drift need besides."""

    clicks: int = 0

    def look(self, seconds: int = 7) -> None:
        """Look each second."""
        for _ in range(seconds):
            self.wait(1)

    def look_at(self, at: int) -> Decision:
        """Look at exactly this moment (UTC, nanoseconds)."""
        self.now = at
        return self.step(TimePassed(at=Nanos(at)))

    def unseen(self, side: Side, qty: int, account: AccountId = LEADER, symbol: Symbol = ES) -> OrderId:
        """Let an account trade at the market while nobody sees it."""
        self.lose(account)
        order = self.trade(side, qty, account=account, symbol=symbol, seen=False)
        self.fill(order, seen=False)
        self.connect(account)
        return order

    def stated(self, net: int, account: AccountId = TWO, symbol: Symbol = ES) -> None:
        """Let the broker state a position as it has it from now on."""
        self.positions[account, symbol] = net
        self.report(account, symbol)

    def said(self, kind: RemarkKind) -> list[Remark]:
        """Return the remarks of a kind, in order."""
        return [remark for decision in self.decisions for remark in decision.remarks if remark.kind is kind]

    def difference(self, kind: DriftKind, account: AccountId = TWO) -> Difference:
        """Return the one difference of a kind that an account has."""
        found = self.book.differences.items()
        (one,) = [known for key, known in found if key.kind is kind and key.account == account]
        return one

    def ask(self, ask: Ask, subject: str) -> Decision:
        """Press a button."""
        self.clicks += 1
        return self.step(PersonAsked(request=self.clicks, ask=ask, subject=subject, at=self.at()))

    def differs(self) -> list[tuple[str, int, int, int]]:
        """Return what is in drift: kind, account, expected, actual."""
        found = sorted(self.book.differences.items())
        return [(str(key.kind), key.account, d.expected, d.actual) for key, d in found]

    def name_of(self, kind: DriftKind) -> str:
        """Return the name of the one difference of a kind."""
        (key,) = [key for key in self.book.differences if key.kind is kind]
        return key.name


def desk(*followers: FollowerPlan, **settings: Any) -> Desk:
    """Return a connected desk with one group."""
    found = Desk(plan_of(group_of(*(followers or (follower(2),)), **settings)))
    found.connect()
    return found


def entered(side: Side = Side.BUY, qty: int = 2, *followers: Any, **settings: Any) -> Desk:
    """Return a desk whose followers have entered with their leader."""
    world = desk(*followers, **settings)
    world.market(side, qty)
    world.settle()
    return world


def two_groups() -> Desk:
    """Return a desk on which account 2 follows two leaders, 1 and 3."""
    other = group_of(follower(2), leader=AccountId(3), group=GroupId(10))
    world = Desk(plan_of(group_of(follower(2)), other))
    world.connect()
    return world
