"""The broker of the drill: orders, a walking price, fills, one-cancels-other pairs, and its own log.

A small model written for the drill alone; it shares nothing with the paper exchange or the client.
Whoever asks is told by `tell`: the lines carry that to the engine as badly as the faults want.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from tests.drill.agenda import Agenda
from tests.drill.history import Accepted, Amended, Finished, History, Image, Traded
from tradehaven.domain.enums import OrderStatus, OrderType, Side
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec
from tradehaven.domain.transitions import is_final

OPEN_PRICE = Ticks(20_000)
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


News = Image | OrderFilled | tuple[AccountId, Symbol, int]
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

    def liquidate(self, account: AccountId, symbol: Symbol) -> None:
        """Cancel what works in a contract and trade its position to zero."""
        for order in self.working(account):
            if order.image.symbol == symbol:
                self._finish(order, OrderStatus.CANCELLED)
        net = self.positions[account, symbol]
        if net:
            spec = OrderSpec(order_type=OrderType.MARKET, qty=abs(net))
            side = Side.SELL if net > 0 else Side.BUY
            hurried, self.slow_fills = self.slow_fills, 0.0
            self.place(account, None, symbol, side, spec)
            self.slow_fills = hurried

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
        self.prices[symbol] = price
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
        while order.left and self._trades(order):
            part = order.left
            luck = self._luck(order.image.account)
            if part > 1 and luck.random() < self.splits:
                part = luck.randrange(1, part)
            self._trade(order, part)
            if order.left and luck.random() < self.splits:
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
        self.tell(account, fill)
        self.tell(account, (account, symbol, after))
        if not order.left:
            self._finish(order, OrderStatus.FILLED)

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
