"""What a broker tells of an account's money, in short: seconds, contracts, ticks, points."""

from decimal import Decimal

from risk.core.ledger import Ledger, filled
from risk.core.marks import Mark
from tradehaven.domain.enums import Side
from tradehaven.domain.events import BalanceReported, OrderFilled, PositionReported
from tradehaven.domain.ids import AccountId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks

ME, ES, MES = AccountId(1), Symbol("ESZ6"), Symbol("MESZ6")
SECOND = 1_000_000_000
EMPTY = Ledger(cash=Decimal(50_000), profit=Decimal(0))


def fill(qty: int, price: int, at: float = 0, symbol: Symbol = ES) -> OrderFilled:
    """Return a fill: signed contracts at a price in ticks."""
    when = Nanos(int(at * SECOND))
    return OrderFilled(
        account=ME,
        order_id=OrderId(1),
        fill_id=FillId(1),
        symbol=symbol,
        side=Side.BUY if qty > 0 else Side.SELL,
        qty=abs(qty),
        price=Ticks(price),
        at=when,
        traded_at=when,
    )


def cash(amount: str, realized: str = "0", at: float = 0) -> BalanceReported:
    """Return what a broker says of cash and of the profit of its day, in USD."""
    return BalanceReported(
        account=ME, cash=Decimal(amount), realized=Decimal(realized), at=Nanos(int(at * SECOND))
    )


def position(net: int, price: str | None, at: float = 0) -> PositionReported:
    """Return what a broker says of a position: signed contracts at an average in points."""
    points = Decimal(price) if price is not None else None
    return PositionReported(account=ME, symbol=ES, net=net, price=points, at=Nanos(int(at * SECOND)))


def mark(bid: int, ask: int, last: int | None = None) -> Mark:
    """Return a believable price, in ticks."""
    return Mark(bid=Ticks(bid), ask=Ticks(ask), last=Ticks(last) if last is not None else None, at=Nanos(0))


def after(ledger: Ledger, *fills: OrderFilled) -> Ledger:
    """Return a ledger after some fills."""
    for one in fills:
        ledger, _ = filled(ledger, one)
    return ledger
