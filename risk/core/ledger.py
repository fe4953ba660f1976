"""An account's money from what the broker says of it: cash, fills, positions. Exact; no rules in here.

The broker's cash and positions arrive beside its fills, sometimes before and sometimes after them. So
fills count at once, and the broker's figures replace what they made once no fill is near in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from risk.core.marks import Mark
from risk.core.standing import ZERO, Money
from tradehaven.domain.contracts import product_of
from tradehaven.domain.events import AccountSnapshot, BalanceReported, OrderFilled, PositionReported
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.positions import FLAT, Position, adopt, apply_fill

NEAR = 1_000_000_000
"""Nanoseconds between a fill and a cash figure within which the one may or may not be in the other."""
BURST = 100_000_000
"""Nanoseconds within which two cash figures may have overtaken each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """One open position. `cost` is what its lots sum to, signed, in ticks times contracts.

    `result` is what has been realised since it was opened from flat, in USD before fees.

    Of its `averaged` oldest contracts only the broker's average is known, not their own prices: closing some
    of them splits profit into realised and open as nobody but the broker can tell. `split_at` is when that
    happened last, zero once the broker has told.
    """

    position: Position
    cost: int
    tick_value: Decimal
    result: Decimal = ZERO
    averaged: int = 0
    split_at: Nanos = Nanos(0)

    @property
    def price(self) -> Ticks:
        """Return what was paid for a contract of it on the average, to the nearest tick."""
        return Ticks(round(self.cost / self.position.net))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """An account's money. `cash` is the broker's figure, `realized` what fills made of it since, in USD.

    `unbilled` are the contracts traded since then, whose fees are not in `cash` yet. `profit` is the broker's
    own realised profit of its trading day at `cash`; `flows` what was paid in and out while we watched.
    `said` and `stated` are the broker's newest figures that are not in force yet; of its cash those of one
    burst, the last one last. `passed` are those of the burst in force that the fills did not bear out.
    """

    cash: Decimal
    profit: Decimal
    realized: Decimal = ZERO
    unbilled: int = 0
    said: tuple[BalanceReported, ...] = ()
    passed: tuple[BalanceReported, ...] = ()
    filled_at: Nanos = Nanos(0)
    flows: Decimal = ZERO
    stakes: Mapping[Symbol, Stake] = field(default_factory=dict)
    stated: Mapping[Symbol, PositionReported] = field(default_factory=dict)

    def balance(self, fee: Decimal) -> Decimal:
        """Return what is closed: cash, fills that it lacks, and their fees at `fee` USD a side."""
        return self.cash + self.realized - fee * self.unbilled


def opened(snapshot: AccountSnapshot) -> Ledger | None:
    """Return an account's ledger as a snapshot states it; None where the broker gave no cash."""
    balance = snapshot.balance
    if balance is None:
        return None
    stakes = {
        position.symbol: stake_of(position)
        for position in snapshot.positions
        if position.net and position.price is not None
    }
    return Ledger(cash=balance.cash, profit=balance.realized, stakes=stakes)


def stake_of(stated: PositionReported) -> Stake:
    """Return a stake as the broker states it: signed contracts at an average price in points."""
    traded = product_of(stated.symbol)
    average = Fraction(stated.price or 0) / Fraction(traded.tick_size)
    return replace(_stake(adopt(stated.net, average), traded.tick_value, ZERO), averaged=abs(stated.net))


def filled(ledger: Ledger, fill: OrderFilled) -> tuple[Ledger, Decimal | None]:
    """Return the ledger after a fill, and the result in USD before fees of a trade that it ended."""
    known = ledger.stakes.get(fill.symbol)
    before = known.position if known is not None else FLAT
    value = product_of(fill.symbol).tick_value
    after, ticks = apply_fill(before, side=fill.side, qty=fill.qty, price=fill.price)
    made = value * ticks
    result = (known.result if known is not None else ZERO) + made
    crossed = before.net * after.net < 0
    over = after.net == 0 or crossed
    stakes = dict(ledger.stakes)
    if after.net:
        stake = _stake(after, value, ZERO if crossed else result)
        if known is not None and known.averaged and not crossed:
            stake = _split(stake, known, fill)
        stakes[fill.symbol] = stake
    else:
        stakes.pop(fill.symbol, None)
    changed = replace(
        ledger,
        realized=ledger.realized + made,
        unbilled=ledger.unbilled + fill.qty,
        filled_at=max(ledger.filled_at, fill.at),
        stakes=stakes,
    )
    return changed, result if over else None


def _split(stake: Stake, known: Stake, fill: OrderFilled) -> Stake:
    """Return a stake after a fill, with what is still known of it by an average only."""
    closed = max(0, abs(known.position.net) - abs(stake.position.net))
    averaged = max(0, known.averaged - closed)
    split_at = fill.at if closed else known.split_at
    return replace(stake, averaged=averaged, split_at=split_at if averaged else Nanos(0))


def balanced(ledger: Ledger, said: BalanceReported) -> Ledger:
    """Return the ledger that remembers what the broker says its cash is; `settled` takes it over."""
    near = (one for one in ledger.said if said.at - one.at < BURST)
    return replace(ledger, said=(*near, said))


def positioned(ledger: Ledger, stated: PositionReported) -> Ledger:
    """Return the ledger that remembers what the broker says a position is, where it knows another or less."""
    known = ledger.stakes.get(stated.symbol)
    agrees = known.position.net == stated.net and not known.split_at if known is not None else not stated.net
    if agrees and stated.symbol not in ledger.stated:
        return ledger
    return replace(ledger, stated={**ledger.stated, stated.symbol: stated})


def settled(ledger: Ledger, now: Nanos, nets: Mapping[Symbol, int]) -> Ledger:
    """Return the ledger with the broker's last figures in force, once no fill is too near to tell.

    `nets` are the signed contracts that count: a word on a position that they do not bear out may be an old
    one, and waits until one of the two gives way.
    """
    if now - ledger.filled_at < NEAR:
        return ledger
    for stated in ledger.stated.values():
        if now - stated.at >= NEAR and stated.net == nets.get(stated.symbol, 0):
            ledger = _with_position(ledger, stated)
    # Until it is known which lots are left, the cash would count what they still hold a second time, or not.
    split = any(stake.split_at for stake in ledger.stakes.values())
    if ledger.said and not split and now - ledger.said[-1].at >= NEAR:
        ledger = _with_cash(ledger, _borne_out(ledger))
    return ledger


def _borne_out(ledger: Ledger) -> BalanceReported:
    """Return the last figure that has in it what the fills have made, or else the last: news may overtake."""
    made = ledger.profit + ledger.realized
    return next((said for said in reversed(ledger.said) if said.realized == made), ledger.said[-1])


def _with_cash(ledger: Ledger, said: BalanceReported) -> Ledger:
    if said.at < ledger.filled_at - NEAR:
        return ledger  # older than the fill: the next figure will have it
    return replace(
        ledger,
        cash=said.cash,
        profit=said.realized,
        realized=ZERO,
        unbilled=0,
        said=(),
        passed=tuple(other for other in ledger.said if other is not said and other.at >= said.at),
        flows=ledger.flows + _paid(ledger, said),
    )


def _paid(ledger: Ledger, said: BalanceReported) -> Decimal:
    """Return what of a change in cash was paid in or out: neither fills, nor fees, nor profit."""
    change, won = said.cash - ledger.cash, said.realized - ledger.profit
    rest = change - won
    if ledger.unbilled or 2 * abs(rest) <= abs(change):
        return ZERO  # fills that we know, or mostly profit: of fills untold or taken back, with their fees
    return rest if said.realized else change  # a profit of nothing is that of another day


def _with_position(ledger: Ledger, stated: PositionReported) -> Ledger:
    rest = {symbol: other for symbol, other in ledger.stated.items() if symbol != stated.symbol}
    stakes = dict(ledger.stakes)
    known = stakes.pop(stated.symbol, None)
    if stated.net == (known.position.net if known is not None else 0):
        if (
            known is not None
            and known.split_at
            and stated.price is not None
            and stated.at >= known.split_at - NEAR
        ):
            return _with_average(replace(ledger, stated=rest), stated, known)
        return replace(ledger, stated=rest)
    if stated.net and stated.price is not None:
        stakes[stated.symbol] = replace(stake_of(stated), result=known.result if known is not None else ZERO)
    # The fills are not all there is, or not all of them stand: what they did not bear out may be right.
    return replace(ledger, stakes=stakes, stated=rest, said=ledger.said or ledger.passed)


def _with_average(ledger: Ledger, stated: PositionReported, known: Stake) -> Ledger:
    """Return the ledger with the broker's own split of a stake: what is open, and so what was realised.

    Both together are what they were. The average that protection hangs on stays, as after any reduction.
    """
    fresh = stake_of(stated)
    position = replace(fresh.position, average=known.position.average)
    moved = known.tick_value * (fresh.cost - known.cost)
    stake = replace(fresh, position=position, result=known.result + moved)
    stakes = {**ledger.stakes, stated.symbol: stake}
    return replace(ledger, realized=ledger.realized + moved, stakes=stakes)


def money_of(ledger: Ledger, marks: Mapping[Symbol, Mark], fee: Decimal) -> Money | None:
    """Return what an account is worth at these marks, less the fees of closing; None where one is missing."""
    low = high = tick = ZERO
    contracts = 0
    for symbol, stake in ledger.stakes.items():
        mark = marks.get(symbol)
        if mark is None:
            return None
        net = stake.position.net
        low += stake.tick_value * (mark.exit_of(net) * net - stake.cost)
        high += stake.tick_value * (mark.best_of(net) * net - stake.cost)
        contracts += abs(net)
        tick += stake.tick_value * abs(net)
    owed = fee * contracts
    return Money(balance=ledger.balance(fee), low=low - owed, high=high, contracts=contracts, tick=tick)


def _stake(position: Position, tick_value: Decimal, result: Decimal) -> Stake:
    sign = 1 if position.net > 0 else -1
    cost = sign * sum(lot.qty * lot.price for lot in position.lots)
    return Stake(position=position, cost=cost, tick_value=tick_value, result=result)
