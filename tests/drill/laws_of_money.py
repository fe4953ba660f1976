"""Laws about money: each lock has its reason, each reason its lock, and cash and floors are what they are.

The money is made here from the broker's log, fill by fill, and valued at the market's own prices; of the
engine's code nothing is used but the values of rules. A few ticks and fees lie between: the engine sees fills
and prices one after another, and owes the fees of closing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from risk.core.rules import Drawdown, Rules
from syncgroups.engine.records import StandingsRecord
from tests.drill.agenda import OPENING, SECOND
from tests.drill.history import Busted, Priced, Traded
from tests.drill.laws_of_rules import locks_of
from tests.drill.money import FEE, START, Purse, purse_of, tick_value
from tests.drill.reading import Reading
from tests.drill.venue import OPEN_PRICE
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.events import OrderFilled
from tradehaven.domain.ids import AccountId, Nanos, Symbol

RECENT = 25 * SECOND
"""How old a state may be that the engine acts upon: the worst weather, or a line that dies in silence."""
Prices = Mapping[Symbol, int]


@dataclass(frozen=True, slots=True)
class State:
    """An account's money from a moment on, and what all of its fills so far may have cost in fees."""

    at: Nanos
    purse: Purse
    fees: Decimal


class Books:
    """Everybody's money and every price of a history, by the broker's log alone."""

    def __init__(self, reading: Reading) -> None:
        self.starts = reading.history.starts
        self._states: dict[AccountId, list[State]] = {}
        self._prices: dict[Symbol, list[tuple[Nanos, int]]] = {}
        fills: dict[AccountId, list[OrderFilled]] = {}
        for entry in reading.history.entries:
            if isinstance(entry, Priced):
                self._prices.setdefault(entry.symbol, []).append((entry.at, entry.price))
            elif isinstance(entry, Traded | Busted):
                mine = fills.setdefault(entry.fill.account, [])
                mine.append(entry.fill) if isinstance(entry, Traded) else mine.remove(entry.fill)
                self._note(entry.at, entry.fill.account, mine)

    def _note(self, at: Nanos, account: AccountId, fills: list[OrderFilled]) -> None:
        traded = sum(fill.qty for fill in fills)
        state = State(at, purse_of(fills, self.start(account)), FEE * traded)
        self._states.setdefault(account, []).append(state)

    def start(self, account: AccountId) -> Decimal:
        """Return the cash that an account began with."""
        return self.starts.get(account, START)

    def states(self, account: AccountId, since: int, until: int) -> list[State]:
        """Return how an account stood at any time between two moments."""
        known = [
            State(OPENING, purse_of((), self.start(account)), Decimal(0)),
            *self._states.get(account, []),
        ]
        before = [state for state in known if state.at <= since]
        return before[-1:] + [state for state in known if since < state.at <= until]

    def range_of(self, symbol: Symbol, since: int, until: int) -> tuple[int, int]:
        """Return the lowest and the highest price of a contract between two moments."""
        known = [(OPENING, int(OPEN_PRICE)), *self._prices.get(symbol, [])]
        before = [price for at, price in known if at <= since][-1:]
        prices = before + [price for at, price in known if since < at <= until]
        return min(prices), max(prices)

    def extremes(self, account: AccountId, since: int, until: int) -> tuple[Decimal, Decimal]:
        """Return the worst and the best that an account can have been worth, by any of these prices."""
        worst: list[Decimal] = []
        best: list[Decimal] = []
        for state in self.states(account, since, until):
            held = {symbol: sum(qty for qty, _ in lots) for symbol, lots in state.purse.lots.items()}
            ranges = {symbol: self.range_of(symbol, since, until) for symbol in held}
            slack = sum((abs(net) * (FEE + tick_value(symbol)) for symbol, net in held.items()), Decimal(1))
            slack += state.fees
            low = {symbol: ranges[symbol][0 if net > 0 else 1] for symbol, net in held.items()}
            high = {symbol: ranges[symbol][1 if net > 0 else 0] for symbol, net in held.items()}
            worst.append(state.purse.equity(low) - slack)
            best.append(state.purse.equity(high) + slack)
        return min(worst), max(best)


def every_lock_has_its_reason(reading: Reading) -> Iterator[str]:
    """F40: no account is locked for money that it cannot have lost or made at any price of the market.

    A wild print is no price of the market. Locks of sums, streaks and of what was given back are left out,
    and so are accounts of which the engine was told less than there was.
    """
    books = Books(reading) if reading.history.money else None
    for one in locks_of(reading) if books is not None else ():
        rules = reading.plan_at(one.since).accounts[one.account].rules
        if ":" in one.lock.detail or reading.has_missed(one.account) or reading.was_busted(one.account):
            continue
        assert books is not None
        worst, best = books.extremes(one.account, one.lock.since - RECENT, one.lock.since)
        start = books.start(one.account)
        limit = _limit_of(rules, one.lock.reason, books, one.account, one.lock.since)
        if limit is None:
            continue
        if one.lock.reason is RefusalReason.DAILY_PROFIT and best - start < limit:
            yield f"{one.account} was locked for {limit} of profit, {best - start} was the most it made"
        elif one.lock.reason is not RefusalReason.DAILY_PROFIT and worst > limit:
            yield f"{one.account} was locked at {limit}, it was worth {worst} at least: {one.lock.detail}"


def _limit_of(
    rules: Rules, reason: RefusalReason, books: Books, account: AccountId, at: Nanos
) -> Decimal | None:
    """Return the equity at which a rule acts, or the profit that a target asks for; None for other rules."""
    start = books.start(account)
    if reason is RefusalReason.DAILY_LOSS and rules.daily_loss is not None:
        return start - rules.daily_loss.amount
    if reason is RefusalReason.DAILY_PROFIT and rules.daily_profit is not None:
        return rules.daily_profit.amount
    if reason is RefusalReason.DRAWDOWN and rules.drawdown is not None:
        _, peak = books.extremes(account, OPENING, at)
        return _floor_under(rules.drawdown, peak, books, account, at)
    return None


def _floor_under(rule: Drawdown, peak: Decimal, books: Books, account: AccountId, at: Nanos) -> Decimal:
    """Return the highest equity at which a drawdown may act: the floor under the best peak, and reserves."""
    held = [
        sum((abs(qty) * tick_value(symbol) for symbol, lots in state.purse.lots.items() for qty, _ in lots))
        for state in books.states(account, at - RECENT, at)
    ]
    return max(peak, rule.start) - rule.amount + rule.reserve + rule.reserve_ticks * Decimal(max(held))


def a_broken_limit_locks(reading: Reading) -> Iterator[str]:
    """F38: at rest, whoever has lost or made what its limit says is locked, whatever happened on the way."""
    rest = reading.history.rest
    if rest is None or not reading.history.money:
        return
    books, end = Books(reading), reading.history.entries[-1].at
    for account, known in reading.plans[-1][1].accounts.items():
        worst, best = books.extremes(account, end, end)
        middle, slack = (worst + best) / 2, (best - worst) / 2
        profit, rules = middle - books.start(account), known.rules
        lost = rules.daily_loss is not None and -profit - slack >= rules.daily_loss.amount
        made = rules.daily_profit is not None and profit - slack >= rules.daily_profit.amount
        if (lost or made) and account not in rest.locks and not reading.has_missed(account):
            yield f"{account} stands at {profit:+} USD today and is not locked"


def money_is_counted(reading: Reading) -> Iterator[str]:
    """I15: at rest the equity by which rules judge is that of the broker's log, also for who lost news.

    Of an execution that was taken back only the next figure tells when its own was lost: that is left out.
    """
    rest = reading.history.rest
    if rest is None or not reading.history.money:
        return
    books, end = Books(reading), reading.history.entries[-1].at
    watched = reading.plans[-1][1].watched
    for account, believed in sorted(rest.equities.items()):
        if account not in watched:
            continue  # it had rules once, and nobody has looked since
        worst, best = books.extremes(account, end, end)
        blind = reading.has_missed(account) and reading.was_busted(account)
        if not blind and not worst <= believed <= best:
            yield f"the engine believes that {account} is worth {believed}, it is worth {worst} to {best}"


def floors_never_fall(reading: Reading) -> Iterator[str]:
    """I9, F41: a floor that was written down is never lower afterwards, over every start."""
    floors: dict[AccountId, Decimal] = {}
    for record in reading.history.recorded:
        for account, stood in record.accounts.items() if isinstance(record, StandingsRecord) else ():
            floor = stood.standing.floor
            if floor is None:
                continue
            if floor.floor < floors.get(account, floor.floor):
                yield f"the floor of {account} fell from {floors[account]} to {floor.floor}"
            floors[account] = floor.floor
    rest = reading.history.rest
    for account, last in floors.items() if rest is not None else ():
        assert rest is not None
        if account in rest.floors and rest.floors[account] < last:
            yield f"the floor of {account} stands at {rest.floors[account]}, {last} is on record"
