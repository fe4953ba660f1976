"""The hands of people at the broker: orders that no engine sent, and the market's moves."""

from dataclasses import replace

from syncgroups.core.keys import parse_manual
from tests.drill.script import Breakout, Bust, Cancel, Change, Deed, Exits, Flip, Leave, Move, Place, Shift
from tests.drill.venue import OPEN_PRICE, Resting, Venue
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec


class Hands:
    """Carries deeds out. A deed that makes no sense just now (nothing to cancel) is no deed."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def do(self, deed: Deed) -> None:
        """Carry one deed out at the broker."""
        match deed:
            case Place():
                self._place(deed)
            case Exits():
                self._exits(deed)
            case Breakout():
                self._breakout(deed)
            case Change():
                self._change(deed)
            case Cancel():
                if (order := self._picked(self._venue.working(deed.account), deed.pick)) is not None:
                    self._venue.cancel(order.image.order_id)
            case Leave():
                self._leave(deed.account)
            case Flip():
                self._flip(deed)
            case Move():
                self._venue.move(deed.symbol, Ticks(OPEN_PRICE + deed.to))
            case Shift():
                self._shift(deed)
            case Bust():
                self._venue.bust(deed.account, deed.pick)
            case _:
                raise TypeError(f"{deed} is not for hands")

    def _place(self, deed: Place) -> None:
        price = self._venue.prices[deed.symbol]
        spec = OrderSpec(
            order_type=deed.order_type,
            qty=deed.qty,
            limit=None if deed.limit is None else Ticks(price + deed.limit),
            stop=None if deed.stop is None else Ticks(price + deed.stop),
            trail=None if deed.trail is None else Ticks(deed.trail),
        )
        self._venue.place(deed.account, None, deed.symbol, deed.side, spec)

    def _exits(self, deed: Exits) -> None:
        net = self._venue.positions[deed.account, deed.symbol]
        if not net:
            return
        price, sign = self._venue.prices[deed.symbol], 1 if net > 0 else -1
        side = Side.SELL if net > 0 else Side.BUY
        target = OrderSpec(order_type=OrderType.LIMIT, qty=abs(net), limit=Ticks(price + sign * deed.target))
        stop = OrderSpec(order_type=OrderType.STOP, qty=abs(net), stop=Ticks(price - sign * deed.stop))
        first = self._venue.place(deed.account, None, deed.symbol, side, target)
        self._venue.place(deed.account, None, deed.symbol, side, stop, partner=first)

    def _breakout(self, deed: Breakout) -> None:
        price = self._venue.prices[deed.symbol]
        above = OrderSpec(order_type=OrderType.STOP, qty=deed.qty, stop=Ticks(price + deed.above))
        below = OrderSpec(order_type=OrderType.STOP, qty=deed.qty, stop=Ticks(price - deed.below))
        first = self._venue.place(deed.account, None, deed.symbol, Side.BUY, above)
        self._venue.place(deed.account, None, deed.symbol, Side.SELL, below, partner=first)

    def _change(self, deed: Change) -> None:
        self._amend(self._picked(self._venue.working(deed.account), deed.pick), deed)

    def _shift(self, deed: Shift) -> None:
        working = self._venue.working(deed.account)
        ours = [order for order in working if order.image.client_id is not None]
        manual = [order for order in ours if parse_manual(order.image.client_id) is not None]
        self._amend(self._picked(manual if deed.manual else ours, deed.pick), deed)

    def _amend(self, order: Resting | None, deed: Change | Shift) -> None:
        if order is None or order.image.spec.order_type is OrderType.MARKET:
            return
        spec = order.image.spec
        moved = spec
        if not spec.trails:
            moved = replace(
                spec,
                limit=None if spec.limit is None else Ticks(spec.limit + deed.move),
                stop=None if spec.stop is None else Ticks(spec.stop + deed.move),
            )
        if deed.qty is not None and deed.qty > order.filled:
            moved = replace(moved, qty=deed.qty)
        if moved != spec:
            self._venue.change(order.image.order_id, moved)

    def _leave(self, account: AccountId) -> None:
        for order in self._venue.working(account):
            self._venue.cancel(order.image.order_id)
        for holder, symbol in sorted(self._venue.positions):
            if holder == account:
                self._venue.liquidate(account, symbol)

    def _flip(self, deed: Flip) -> None:
        net = self._venue.positions[deed.account, deed.symbol]
        if net:
            side = Side.SELL if net > 0 else Side.BUY
            spec = OrderSpec(order_type=OrderType.MARKET, qty=abs(net) + deed.qty)
            self._venue.place(deed.account, None, deed.symbol, side, spec)

    @staticmethod
    def _picked(working: list[Resting], pick: int) -> Resting | None:
        return working[pick % len(working)] if working else None
