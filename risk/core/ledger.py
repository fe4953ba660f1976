"""An account's money from what the broker says of it: cash, fills, positions. Exact; no rules in here.

The broker's cash and positions arrive beside its fills, sometimes before and sometimes after them. So
fills count at once, and the broker's figures replace what they made once no fill is near in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from risk.core.marks import Mark
from risk.core.standing import ZERO, Money
from tradehaven.domain.contracts import product_of
from tradehaven.domain.events import AccountSnapshot, BalanceReported, OrderFilled, PositionReported
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.positions import FLAT, Position, adopt, apply_fill

Word = TypeVar("Word")
NEAR = 1_000_000_000
"""Nanoseconds between a fill and a cash figure within which the one may or may not be in the other."""
BURST = 100_000_000
"""Nanoseconds within which two cash figures may have overtaken each other."""
PATIENCE = 15 * NEAR
"""Nanoseconds for which a word on a position keeps cash waiting; what lists do not say by then is old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """One open position. `cost` is what its lots sum to, signed, in ticks times contracts.

    `result` is what has been realised since it was opened from flat, in USD before fees.

    Of its `averaged` oldest contracts only the broker's average is known, not their own prices: closing some
    of them splits profit into realised and open as nobody but the broker can tell. `split_at` is when that
    happened last, zero once the broker has told. `told` is its last word on a position of which it had said
    meanwhile, while nothing was filled, that it was another: these may be other lots than those known here.
    """

    position: Position
    cost: int
    tick_value: Decimal
    result: Decimal = ZERO
    averaged: int = 0
    split_at: Nanos = Nanos(0)
    told: PositionReported | None = None

    @property
    def price(self) -> Ticks:
        """Return what was paid for a contract of it on the average, to the nearest tick."""
        return Ticks(round(self.cost / self.position.net))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What a broker has said of an account that is not in force yet, or was not for good.

    `cash` are its newest cash figures, those of one burst, the last one last; `passed` are those of the burst
    in force that the fills did not bear out. `positions` are its newest words on positions, `doubted` those
    that it has said, since the last fill, to be others than those known here, and when.
    """

    cash: tuple[BalanceReported, ...] = ()
    passed: tuple[BalanceReported, ...] = ()
    positions: Mapping[Symbol, PositionReported] = field(default_factory=dict)
    doubted: Mapping[Symbol, Nanos] = field(default_factory=dict)

    def without(self, symbol: Symbol) -> "Unsettled":
        """Return what is left when the word on one position is taken."""
        return replace(
            self, positions=_without(self.positions, symbol), doubted=_without(self.doubted, symbol)
        )


NOTHING_SAID = Unsettled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """An account's money. `cash` is the broker's figure, `realized` what fills made of it since, in USD.

    `unbilled` are the contracts traded since then, whose fees are not in `cash` yet. `profit` is the broker's
    own realised profit of its trading day at `cash`; `flows` what was paid in and out while we watched.
    `ahead` is what the broker's profit has that no fill of ours has made, `ahead_at` since when. `filled_at`
    is when the last fill was told, `traded_at` when it was made.
    """

    cash: Decimal
    profit: Decimal
    realized: Decimal = ZERO
    unbilled: int = 0
    ahead: Decimal = ZERO
    ahead_at: Nanos = Nanos(0)
    filled_at: Nanos = Nanos(0)
    traded_at: Nanos = Nanos(0)
    flows: Decimal = ZERO
    stakes: Mapping[Symbol, Stake] = field(default_factory=dict)
    unsettled: Unsettled = NOTHING_SAID

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
    # By a broker's clock that runs ahead of ours a fill is made no later than it is told.
    traded_at = max(ledger.traded_at, min(fill.traded_at, fill.at))
    changed = replace(ledger, filled_at=max(ledger.filled_at, fill.at), traded_at=traded_at, stakes=stakes)
    if ledger.ahead and fill.traded_at <= ledger.ahead_at:
        # The cash in force overtook it: what it has made, and its fees, are in there.
        changed = replace(changed, ahead=ledger.ahead - made)
    else:
        changed = replace(changed, realized=ledger.realized + made, unbilled=ledger.unbilled + fill.qty)
    return changed, result if over else None


def _split(stake: Stake, known: Stake, fill: OrderFilled) -> Stake:
    """Return a stake after a fill, with what is still known of it by an average only."""
    closed = max(0, abs(known.position.net) - abs(stake.position.net))
    averaged = max(0, known.averaged - closed)
    split_at = fill.at if closed else known.split_at
    return replace(stake, averaged=averaged, split_at=split_at if averaged else Nanos(0))


def balanced(ledger: Ledger, said: BalanceReported) -> Ledger:
    """Return the ledger that remembers what the broker says its cash is; `settled` takes it over."""
    waits = ledger.unsettled
    near = (one for one in waits.cash if said.at - one.at < BURST)
    return replace(ledger, unsettled=replace(waits, cash=(*near, said)))


def positioned(ledger: Ledger, stated: PositionReported) -> Ledger:
    """Return the ledger that remembers what the broker says a position is, where it knows another or less."""
    known, waits = ledger.stakes.get(stated.symbol), ledger.unsettled
    agrees = stated.net == _net(ledger, stated.symbol)
    if agrees and stated.symbol not in waits.positions and (known is None or not known.split_at):
        return ledger
    doubted = waits.doubted if agrees else {stated.symbol: stated.at, **waits.doubted}
    positions = {**waits.positions, stated.symbol: stated}
    return replace(ledger, unsettled=replace(waits, positions=positions, doubted=doubted))


def settled(ledger: Ledger, now: Nanos, nets: Mapping[Symbol, int]) -> Ledger:
    """Return the ledger with the broker's last figures in force, once no fill is too near to tell.

    `nets` are the signed contracts that count: a word on a position that they do not bear out may be an old
    one, and waits until one of the two gives way.
    """
    if now - ledger.filled_at < NEAR:
        return ledger
    for stated in ledger.unsettled.positions.values():
        if now - stated.at >= NEAR and stated.net == nets.get(stated.symbol, 0):
            ledger = _with_position(ledger, stated)
    # Until it is known which lots are left, the cash would count what they still hold a second time, or not.
    split = any(stake.split_at for stake in ledger.stakes.values())
    waits = ledger.unsettled
    disputed = any(now - since < PATIENCE for since in waits.doubted.values())
    if waits.cash and not split and now - waits.cash[-1].at >= NEAR:
        said = _in_force(ledger, disputed=disputed)
        ledger = ledger if said is None else _with_cash(ledger, said)
    return ledger


def _in_force(ledger: Ledger, *, disputed: bool) -> BalanceReported | None:
    """Return the last figure that has in it what the fills have made, or else the last: news may overtake.

    None where that is older than what the fills have made, which the next figure will have, or where it is
    `disputed` what is held: its profit would count beside the open one of what it closed.
    """
    made = ledger.profit + ledger.realized
    for said in reversed(ledger.unsettled.cash):
        if said.realized == made:
            return said if said.at >= ledger.traded_at - NEAR else None
    last = ledger.unsettled.cash[-1]
    return last if last.at >= ledger.filled_at and not disputed else None


def _with_cash(ledger: Ledger, said: BalanceReported) -> Ledger:
    untold, waits = said.realized - ledger.profit - ledger.realized, ledger.unsettled
    passed = tuple(other for other in waits.cash if other is not said and other.at >= said.at)
    return replace(
        ledger,
        cash=said.cash,
        profit=said.realized,
        realized=ZERO,
        unbilled=0,
        stakes=_restated(ledger) if untold else ledger.stakes,
        ahead=ledger.ahead + untold,
        ahead_at=said.at if untold else ledger.ahead_at,
        flows=ledger.flows + _paid(ledger, said),
        unsettled=replace(waits, cash=(), passed=passed),
    )


def _restated(ledger: Ledger) -> dict[Symbol, Stake]:
    """Return the stakes with the lots that the broker has told of, now that the profit is another as well."""
    return {
        symbol: stake if stake.told is None else replace(stake_of(stake.told), result=stake.result)
        for symbol, stake in ledger.stakes.items()
    }


def _paid(ledger: Ledger, said: BalanceReported) -> Decimal:
    """Return what of a change in cash was paid in or out: neither fills, nor fees, nor profit."""
    change, won = said.cash - ledger.cash, said.realized - ledger.profit
    rest = change - won
    if ledger.unbilled or 2 * abs(rest) <= abs(change):
        return ZERO  # fills that we know, or mostly profit: of fills untold or taken back, with their fees
    return rest if said.realized else change  # a profit of nothing is that of another day


def _with_position(ledger: Ledger, stated: PositionReported) -> Ledger:
    symbol, since = stated.symbol, ledger.unsettled.doubted.get(stated.symbol)
    waits = ledger.unsettled.without(symbol)
    ledger = replace(ledger, unsettled=waits)
    known = ledger.stakes.get(symbol)
    if stated.net == _net(ledger, symbol):
        if known is None or stated.price is None:
            return ledger
        if known.split_at:
            late = stated.at < known.split_at - NEAR
            return ledger if late else _with_average(ledger, stated, known)
        if since is None or since - ledger.filled_at < NEAR:
            return ledger
        return replace(ledger, stakes={**ledger.stakes, symbol: replace(known, told=stated)})
    stakes = _without(ledger.stakes, symbol)
    if stated.net and stated.price is not None:
        stakes[symbol] = replace(stake_of(stated), result=known.result if known is not None else ZERO)
    # The fills are not all there is, or not all of them stand: what they did not bear out may be right.
    cash = tuple(_said_again(one, ledger.filled_at) for one in waits.cash or waits.passed)
    return replace(ledger, stakes=stakes, unsettled=replace(waits, cash=cash))


def _said_again(said: BalanceReported, filled_at: Nanos) -> BalanceReported:
    """Return a cash figure that may have a fill in it as one that came no earlier than that fill."""
    return replace(said, at=max(said.at, filled_at)) if said.at >= filled_at - NEAR else said


def _net(ledger: Ledger, symbol: Symbol) -> int:
    return ledger.stakes[symbol].position.net if symbol in ledger.stakes else 0


def _without(words: Mapping[Symbol, Word], symbol: Symbol) -> dict[Symbol, Word]:
    return {known: word for known, word in words.items() if known != symbol}


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
