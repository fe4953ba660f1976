"""The limit day of an account: when it begins and ends, what it counts, and what its end does.

It rolls when Chicago's clock shows the reset time, on every date, holidays too: a day is 23 or 25 hours
long when the clocks change. A day ends once: what ends it makes the next one at the same instant.
"""

from datetime import time
from decimal import Decimal

from risk.core.drawdown import day_ended
from risk.core.instants import moment, nanos
from risk.core.rules import RESET_AT, Rules
from risk.core.standing import Day, Entry, Money, Standing
from tradehaven.domain.calendar import last_reset, next_reset
from tradehaven.domain.ids import Nanos

REMEMBERED = 3600 * 1_000_000_000
"""How long an entry is remembered for rates and repeats, in nanoseconds; no rule may ask for longer."""


def begin_of(now: Nanos, reset_at: time = RESET_AT) -> Nanos:
    """Return when the limit day around an instant began."""
    return nanos(last_reset(moment(now), reset_at))


def end_of(now: Nanos, reset_at: time = RESET_AT) -> Nanos:
    """Return when the limit day around an instant ends, which is after it."""
    return nanos(next_reset(moment(now), reset_at))


def reference_of(money: Money) -> Decimal:
    """Return what a day begins with in USD: the balance, or equity if that is more and something is open.

    Overnight profit that is given back is a loss of the day.
    """
    return max(money.balance, money.equity) if money.contracts else money.balance


def begun(reference: Decimal, now: Nanos, reset_at: time = RESET_AT) -> Day:
    """Return the limit day that runs at an instant, with nothing counted yet."""
    return Day(reference=reference, ends=end_of(now, reset_at))


def turned(rules: Rules, standing: Standing, now: Nanos) -> Standing:
    """Return the standing in the limit day of `now`; the same object while its day still runs.

    A clock that steps back ends no day twice. Days that nobody saw end as one.
    """
    day = standing.day
    if now < day.ends:
        return standing
    floor, balance = standing.floor, standing.money.balance
    if floor is not None and rules.drawdown is not None:
        floor = day_ended(rules.drawdown, floor, balance, balance - day.reference)
    return standing.changed(day=begun(reference_of(standing.money), now, rules.reset_at), floor=floor)


def flowed(standing: Standing, amount: Decimal) -> Standing:
    """Return the standing after a deposit in USD, or a payout below zero: neither gain nor loss of the day.

    The balance itself comes from the broker.
    """
    return standing.changed(day=standing.day.changed(reference=standing.day.reference + amount))


def entered(day: Day, entry: Entry) -> Day:
    """Return the day after an entry was sent."""
    entries, edge, first = day.entries, entry.at - REMEMBERED, 0
    while first < len(entries) and entries[first].at <= edge:
        first += 1
    return day.changed(trades=day.trades + 1, entries=(*entries[first:], entry))


def traded(day: Day, net: Decimal) -> Day:
    """Return the day after a trade was closed with this result in USD; one that made nothing changes none."""
    if net < 0:
        return day.changed(losses=day.losses + 1)
    return day.changed(losses=0) if net > 0 else day
