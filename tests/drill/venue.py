"""The broker of the drill: orders, a walking price, fills, one-cancels-other pairs, and its own log.

A small model written for the drill alone; it shares nothing with the paper exchange or the client.
Whoever asks is told by `tell`: the lines carry that to the engine as badly as the faults want.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from tests.drill.agenda import Agenda
from tests.drill.history import Accepted, Amended, Busted, Finished, History, Image, Priced, Traded
from tests.drill.money import Cash, Purse, purse_of
from tests.drill.people import ES, MES, NQ
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.transitions import is_final

OPEN_PRICE = Ticks(20_000)
TWINS = {ES: MES}
"""Contracts that are one market in two sizes, at the same ticks."""
_TOUCHED = frozenset({OrderType.MIT, OrderType.LIMIT_IF_TOUCHED})


@dataclass
class Resting:
    """An order in the broker's books."""

    image: Image
    filled: int = 0
    woken: bool = False
    partner: OrderId | None = None
    past: list[tuple[Nanos, Image]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Return the contracts that may still trade."""
        return 0 if is_final(self.image.status) else self.image.spec.qty - self.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What an account holds of a contract now; `price` is the average in points, in stories about money."""

    account: AccountId
    symbol: Symbol
    net: int
    price: Decimal | None


News = Image | OrderFilled | Holds | Cash
Tell = Callable[[AccountId, News], None]


class Venue:
    """Every account's orders, fills and positions: the truth of a drill."""

    def __init__(self, agenda: Agenda, history: History, seed: str) -> None:
        self._agenda = agenda
        self._history = history
        self._seed = seed
        self._chance: dict[AccountId, Random] = {}
        self._last: defaultdict[AccountId, int] = defaultdict(int)
        self.tell: Tell = lambda _account, _news: None
        self.splits = 0.0
        """Chance that a fill is only a part."""
        self.slow_fills = 0.0
        """Seconds that a market order may take to trade."""
        self.orders: dict[OrderId, Resting] = {}
        self.fills: defaultdict[AccountId, list[OrderFilled]] = defaultdict(list)
        self.positions: defaultdict[tuple[AccountId, Symbol], int] = defaultdict(int)
        self.prices: defaultdict[Symbol, Ticks] = defaultdict(lambda: OPEN_PRICE)
        self.moved: Callable[[Symbol], None] = lambda _symbol: None
        self.purses: defaultdict[AccountId, Purse] | None = None
        """Everybody's money; None where a story is not about that."""
        self.generous: set[AccountId] = set()
        """Accounts whose next order of ours fills for one contract too many."""

    # -- requests -----------------------------------------------------------------------------------

    def place(
        self,
        account: AccountId,
        client_id: ClientOrderId | None,
        symbol: Symbol,
        side: Side,
        spec: OrderSpec,
        *,
        partner: OrderId | None = None,
        closes: bool = False,
    ) -> OrderId:
        """Take an order; it may trade at once."""
        order_id = OrderId(self._number(account))
        image = Image(
            account=account,
            order_id=order_id,
            client_id=client_id,
            symbol=symbol,
            side=side,
            spec=spec,
            version=1,
            status=OrderStatus.WORKING,
            created_at=self._agenda.nanos(),
            oco=partner,
            closes=closes,
        )
        order = self.orders[order_id] = Resting(image, partner=partner)
        if partner is not None:  # the first leg was told without it; from now on its images name it
            first = self.orders[partner]
            first.partner, first.image = order_id, replace(first.image, oco=order_id)
        self._history.add(Accepted(image.created_at, image))
        self._say(order, image)
        if spec.order_type is OrderType.MARKET and self.slow_fills:
            self._agenda.after(self._luck(account).random() * self.slow_fills, lambda: self._match(order))
        else:
            self._match(order)
        return order_id

    def reject(
        self, account: AccountId, client_id: ClientOrderId | None, symbol: Symbol, side: Side, spec: OrderSpec
    ) -> OrderId:
        """Give an order a number and turn it down afterwards, as a risk check behind the door does."""
        order_id = OrderId(self._number(account))
        image = Image(
            account=account,
            order_id=order_id,
            client_id=client_id,
            symbol=symbol,
            side=side,
            spec=spec,
            version=1,
            status=OrderStatus.REJECTED,
            created_at=self._agenda.nanos(),
            reason="LiquidationOnly",
        )
        self._say(self.orders.setdefault(order_id, Resting(image)), image)
        return order_id

    def change(self, order_id: OrderId, spec: OrderSpec) -> str:
        """Put other parameters in force; return why not."""
        order = self.orders.get(order_id)
        if order is None:
            return "UnknownOrder"
        if is_final(order.image.status):
            return "TooLate"
        self._amend(order, spec)
        if spec.qty <= order.filled:
            self._finish(order, OrderStatus.FILLED)
        else:
            self._match(order)
        return ""

    def cancel(self, order_id: OrderId) -> str:
        """Take an order out; return why not."""
        order = self.orders.get(order_id)
        if order is None:
            return "UnknownOrder"
        if is_final(order.image.status):
            return "TooLate"
        self._finish(order, OrderStatus.CANCELLED)
        return ""

    def liquidate(self, account: AccountId, symbol: Symbol, *, asked: bool = False) -> None:
        """Cancel what works in a contract and trade its position to zero, by hand or because we `asked`."""
        for order in self.working(account):
            if order.image.symbol == symbol:
                self._finish(order, OrderStatus.CANCELLED)
        net = self.positions[account, symbol]
        if net:
            spec = OrderSpec(order_type=OrderType.MARKET, qty=abs(net))
            side = Side.SELL if net > 0 else Side.BUY
            hurried, self.slow_fills = self.slow_fills, 0.0
            self.place(account, None, symbol, side, spec, closes=asked)
            self.slow_fills = hurried

    def bust(self, account: AccountId, pick: int) -> None:
        """Take an execution back: the position and the money are what they were without it."""
        fills = self.fills[account]
        if not fills:
            return
        fill = fills.pop(pick % len(fills))
        self.positions[account, fill.symbol] -= fill.qty * fill.side.sign
        self._history.add(Busted(self._agenda.nanos(), fill, self.positions[account, fill.symbol]))
        if self.purses is not None:
            self.purses[account] = purse_of(fills, self.purses[account].start)
        self._tell_holding(account, fill.symbol)

    # -- questions ----------------------------------------------------------------------------------

    def working(self, account: AccountId) -> list[Resting]:
        """Return an account's live orders, oldest first."""
        return [order for order in self.of(account) if not is_final(order.image.status)]

    def of(self, account: AccountId) -> list[Resting]:
        """Return all of an account's orders, oldest first."""
        return [order for order in self.orders.values() if order.image.account == account]

    # -- the market ---------------------------------------------------------------------------------

    def move(self, symbol: Symbol, price: Ticks) -> None:
        """Let the price go somewhere; whatever that touches trades."""
        if symbol in TWINS:
            self.move(TWINS[symbol], price)
        self.prices[symbol] = price
        if self.purses is not None:
            self._history.add(Priced(self._agenda.nanos(), symbol, price))
            self.moved(symbol)
        for order in list(self.orders.values()):
            if order.image.symbol == symbol and not is_final(order.image.status):
                self._trail(order)
                self._match(order)

    def _trail(self, order: Resting) -> None:
        spec, price, sign = order.image.spec, self.prices[order.image.symbol], order.image.side.sign
        if spec.trail is None or spec.stop is None or order.woken:
            return
        stop = Ticks(price + sign * spec.trail)
        if (spec.stop - stop) * sign > 0:
            drawn = stop - spec.stop
            limit = Ticks(spec.limit + drawn) if spec.limit is not None else None
            self._amend(order, replace(spec, stop=stop, limit=limit))

    def _match(self, order: Resting) -> None:
        while order.left > 0 and self._trades(order):
            part = order.left
            if order.image.client_id is not None and order.image.account in self.generous:
                self.generous.discard(order.image.account)
                part += 1
            luck = self._luck(order.image.account)
            if part > 1 and luck.random() < self.splits:
                part = luck.randrange(1, part)
            self._trade(order, part)
            if order.left > 0 and luck.random() < self.splits:
                return  # the rest waits for the next price

    def _trades(self, order: Resting) -> bool:
        spec, sign = order.image.spec, order.image.side.sign
        price = self.prices[order.image.symbol]
        if spec.stop is not None and not order.woken:
            side = -sign if spec.order_type in _TOUCHED else sign
            order.woken = (price - spec.stop) * side >= 0
            if not order.woken:
                return False
        return spec.limit is None or (spec.limit - price) * sign >= 0

    def _trade(self, order: Resting, qty: int) -> None:
        image = order.image
        account, symbol = image.account, image.symbol
        before = self.positions[account, symbol]
        after = before + qty * image.side.sign
        self.positions[account, symbol] = after
        order.filled += qty
        at = self._agenda.nanos()
        fill = OrderFilled(
            account=account,
            order_id=image.order_id,
            fill_id=FillId(self._number(account)),
            symbol=symbol,
            side=image.side,
            qty=qty,
            price=self.prices[symbol],
            at=at,
            traded_at=at,
        )
        self.fills[account].append(fill)
        self._history.add(Traded(at, fill, before, after))
        if self.purses is not None:
            self.purses[account].take(fill)
        self.tell(account, fill)
        self._tell_holding(account, symbol)
        if order.left <= 0:
            self._finish(order, OrderStatus.FILLED)

    def _tell_holding(self, account: AccountId, symbol: Symbol) -> None:
        net, purse = self.positions[account, symbol], self.purse_of(account)
        price = purse.average(symbol) if purse is not None else None
        self.tell(account, Holds(account=account, symbol=symbol, net=net, price=price))
        if purse is not None:
            self.tell(account, Cash(account=account, cash=purse.cash, realized=purse.realized))

    def purse_of(self, account: AccountId) -> Purse | None:
        """Return an account's money; None where a story is not about that."""
        return self.purses[account] if self.purses is not None else None

    def open_purses(self, balances: dict[AccountId, Decimal]) -> None:
        """Let the story be about money, which begins with these balances."""
        self.purses = defaultdict(Purse)
        self.prices.update(dict.fromkeys((ES, NQ, MES), OPEN_PRICE))
        for account, cash in balances.items():
            self.purses[account] = Purse(start=cash, cash=cash)

    def _finish(self, order: Resting, status: OrderStatus) -> None:
        image = replace(order.image, status=status)
        self._history.add(Finished(self._agenda.nanos(), image))
        self._say(order, image)
        partner = self.orders.get(order.partner) if order.partner is not None else None
        if partner is not None and not is_final(partner.image.status):
            self._finish(partner, OrderStatus.CANCELLED)

    def _amend(self, order: Resting, spec: OrderSpec) -> None:
        image = replace(order.image, spec=spec, version=order.image.version + 1)
        self._history.add(Amended(self._agenda.nanos(), image))
        self._say(order, image)

    def _say(self, order: Resting, image: Image) -> None:
        order.image = image
        order.past.append((self._agenda.now, image))
        self.tell(image.account, image)

    def seen_at(self, account: AccountId, moment: Nanos) -> list[Image]:
        """Return an account's orders as a list that is behind shows them."""
        found: list[Image] = []
        for order in self.of(account):
            found += [image for at, image in order.past if at <= moment][-1:]
        return found

    def _number(self, account: AccountId) -> int:
        # Each account counts by itself, so that one follower's fate never renames another's orders.
        self._last[account] += 1
        return account * 1_000_000 + self._last[account]

    def _luck(self, account: AccountId) -> Random:
        found = self._chance.get(account)
        if found is None:
            found = self._chance[account] = Random(f"{self._seed}/fills/{account}")
        return found
