"""A desk on which somebody orders for chosen followers, and the legs behind those orders rest."""

from dataclasses import dataclass
from typing import Any

from syncgroups.core.copies import Copy
from syncgroups.core.decision import Decision
from syncgroups.core.keys import manual_group, parse_manual
from syncgroups.core.plan import FollowerPlan
from syncgroups.tests import desk as plain
from syncgroups.tests.answers import BrokerOrder
from syncgroups.tests.plans import ES, LEADER, follower, group_of, plan_of
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.events import OrderAsked
from tradehaven.domain.ids import AccountId, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

NUMBER = 5


@dataclass
class Desk(plain.Desk):
    """A desk with what the tests of manual copies need besides."""

    def order(
        self,
        side: Side,
        qty: int,
        *followers: int,
        number: int = NUMBER,
        stop_loss: int | None = 20,
        take_profit: int | None = 40,
        order_type: OrderType = OrderType.MARKET,
        limit: int | None = None,
        symbol: Symbol = ES,
        leader: AccountId = LEADER,
    ) -> Decision:
        """Ask for one order in these accounts, or in the first follower's."""
        price = None if limit is None else Ticks(limit)
        return self.step(
            OrderAsked(
                number=number,
                leader=leader,
                followers=tuple(AccountId(account) for account in followers or (2,)),
                symbol=symbol,
                side=side,
                spec=OrderSpec(order_type=order_type, qty=qty, limit=price),
                stop_loss=stop_loss,
                take_profit=take_profit,
                at=self.at(),
            )
        )

    def entered(self, side: Side, qty: int, *fills: tuple[int, int], **asked: int | None) -> OrderId:
        """Order for the first follower and fill it: quantities and prices in ticks; return the order."""
        self.order(side, qty, order_type=OrderType.LIMIT, limit=20000, **asked)  # type: ignore[arg-type]
        self.settle()
        (entry,) = self.resting(2)
        for filled, price in fills:
            self.fill(entry.order_id, filled, price=price)
            self.settle()
        return entry.order_id

    def leg(self, order_type: OrderType, account: int = 2) -> BrokerOrder | None:
        """Return the one working leg of a kind, or None."""
        named = [(order, parse_manual(order.client_order_id)) for order in self.resting(account)]
        found = [order for order, name in named if name and name.leg and order.spec.order_type is order_type]
        assert len(found) <= 1, found
        return found[0] if found else None

    def entry(self, account: int = 2) -> OrderId:
        """Return the one manual order of an account, whether it works or has ended."""
        mine = [order for order in self.orders.values() if order.account == account]
        named = [(order.order_id, parse_manual(order.client_order_id)) for order in mine]
        (found,) = [order_id for order_id, name in named if name and not name.leg]
        return found

    def entry_order(self, order_id: OrderId) -> BrokerOrder:
        """Return an order as the broker knows it."""
        return self.orders[order_id]

    def legs(self, account: int = 2) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Return what may still trade and its price in ticks, of stop loss and take profit."""
        stop, target = self.leg(OrderType.STOP, account), self.leg(OrderType.LIMIT, account)
        return (
            (stop.spec.qty - stop.filled, stop.spec.stop or 0) if stop else None,
            (target.spec.qty - target.filled, target.spec.limit or 0) if target else None,
        )

    def restarted(self, *copies: Copy) -> "Desk":
        """Return the same broker before a new engine, that knows of these copies, or of all, by its rows."""
        later = Desk(self.plan, orders=self.orders, positions=self.positions, fills=self.fills)
        later.now, later.last_id = self.now, self.last_id
        for copy in copies or tuple(self.book.copies.values()):
            later.book.keep(copy)
        return later

    def manual_held(self, account: int = 2, number: int = NUMBER, symbol: Symbol = ES) -> int:
        """Return what the book holds for a manual copy."""
        return self.book.copied[manual_group(number), AccountId(account), symbol, symbol]


def desk(*followers: FollowerPlan, **settings: Any) -> Desk:
    """Return a connected desk with one group."""
    found = Desk(plan_of(group_of(*(followers or (follower(2),)), **settings)))
    found.connect()
    return found
