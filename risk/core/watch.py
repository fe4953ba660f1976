"""What a price, a fill or a balance does to an account: its floor, its day, its lock, and what it broke.

The drawdown comes before the limits of the day, because it is for good. Everything here is called for
every price of every account with a position, so the usual case touches each limit once and no more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from risk.core import drawdown
from risk.core.bands import band_of, worse
from risk.core.days import turned
from risk.core.lockouts import longer, unlock_at
from risk.core.rules import NEXT_DAY, Breach, Drawdown, Lockout, Rules
from risk.core.standing import FOREVER, ZERO, Band, Day, Floor, Lock, Money, Standing, Survival
from risk.core.words import dollars
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import SessionTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A limit that has just been broken: `value` against `limit` in USD, or trades in a row.

    `breach` says what is done, `lock` what holds from now on.
    """

    reason: RefusalReason
    detail: str
    limit: Decimal
    value: Decimal
    breach: Breach
    lock: Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A standing after what was observed, the limit that this broke, and the nearest limit's band."""

    standing: Standing
    broken: Broken | None
    band: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    reason: RefusalReason
    detail: str
    limit: Decimal
    value: Decimal
    breach: Breach
    lockout: Lockout = NEXT_DAY
    fatal: bool = False


def observed(
    rules: Rules, standing: Standing, money: Money, now: Nanos, template: SessionTemplate | None = None
) -> Observed:
    """Return what an account's money, as it is now, makes of its standing.

    Each limit is told once for as long as its lock runs. A day that has ended ends first, on the money that
    was known before. `template` is the market whose session a lock may last for.
    """
    standing = turned(rules, standing, now)
    floor, day = standing.floor, standing.day
    if floor is not None and rules.drawdown is not None:
        floor = drawdown.observed(rules.drawdown, floor, money)
    profit = money.balance + money.low - day.reference
    if profit > day.best:
        day = day.changed(best=profit)
    lock = standing.lock
    if lock is None or now >= lock.until:
        after = Standing(money=money, day=day, floor=floor)
        band = _band(rules, day, floor, money, profit)
        # A loss limit of which a tenth is left is not broken, so most prices end here.
        if band is not Band.LOCKED and not _is_reached(rules, day, profit):
            return Observed(standing=after, broken=None, band=band)
    else:
        band = Band.LOCKED
        after = Standing(money=money, day=day, floor=floor, lock=lock, tripped=standing.tripped)
    found = _untold(rules, after)
    if found is not None:
        return _acted(rules, after, found, now, template)
    return Observed(standing=after, broken=None, band=band)


def summed(standings: Iterable[Standing]) -> Money:
    """Return what several accounts have made today, as money of a day that began with nothing.

    With a standing of its own, whose day has a reference of zero, the same rules hold for the sum.
    """
    balance = low = high = tick = ZERO
    contracts = 0
    for standing in standings:
        money = standing.money
        balance += money.balance - standing.day.reference
        low += money.low
        high += money.high
        contracts += money.contracts
        tick += money.tick
    return Money(balance=balance, low=low, high=high, contracts=contracts, tick=tick)


def _is_reached(rules: Rules, day: Day, profit: Decimal) -> bool:
    """Tell whether one of the limits that have no band is broken: the target, or the losses in a row."""
    target, streak = rules.daily_profit, rules.losses_in_row
    return (target is not None and profit >= target.amount) or (streak is not None and day.losses >= streak)


def _untold(rules: Rules, standing: Standing) -> _Found | None:
    """Return the first limit that is broken and was not acted on yet.

    Behind one that has flattened the account there is nothing left to do.
    """
    for found in _all(rules, standing):
        if found.reason not in standing.tripped:
            return found
        if found.breach is Breach.FLATTEN:
            return None
    return None


def _all(rules: Rules, standing: Standing) -> Iterator[_Found]:
    money, day = standing.money, standing.day
    if standing.floor is not None and rules.drawdown is not None:
        yield from _floor(rules.drawdown, standing.floor, money)
    profit = money.equity - day.reference
    loss = rules.daily_loss
    if loss is not None and -profit >= loss.amount:
        yield _Found(
            reason=RefusalReason.DAILY_LOSS,
            detail=f"{dollars(-profit)} USD are lost today, the limit is {dollars(loss.amount)}",
            limit=loss.amount,
            value=-profit,
            breach=loss.breach,
            lockout=loss.lockout,
            fatal=loss.fatal,
        )
    target = rules.daily_profit
    if target is not None and profit >= target.amount:
        yield _Found(
            reason=RefusalReason.DAILY_PROFIT,
            detail=f"{dollars(profit)} USD are made today, the target is {dollars(target.amount)}",
            limit=target.amount,
            value=profit,
            breach=target.breach,
            lockout=target.lockout,
        )
    yield from _given_back(rules, day, profit)
    if rules.losses_in_row is not None and day.losses >= rules.losses_in_row:
        yield _Found(
            reason=RefusalReason.LOSING_STREAK,
            detail=f"{day.losses} trades in a row are lost, the limit is {rules.losses_in_row}",
            limit=Decimal(rules.losses_in_row),
            value=Decimal(day.losses),
            breach=Breach.STOP,
            lockout=rules.streak_lockout,
        )


def _floor(rule: Drawdown, floor: Floor, money: Money) -> Iterator[_Found]:
    left = drawdown.room(rule, floor, money)
    dead = floor.survival is Survival.FAILED
    if dead or left < 0 or (left == 0 and rule.touch):
        reached = "is at the floor" if dead else "is within the reserve over the floor"
        yield _Found(
            reason=RefusalReason.DRAWDOWN,
            detail=f"equity {dollars(money.equity)} {reached} {dollars(floor.floor)}",
            limit=floor.floor,
            value=money.equity,
            breach=rule.breach,
            fatal=dead,
        )


def _given_back(rules: Rules, day: Day, profit: Decimal) -> Iterator[_Found]:
    rule = rules.give_back
    if rule is None or day.best < rule.after:
        return
    gone = day.best - profit
    if gone >= rule.amount:
        yield _Found(
            reason=RefusalReason.GIVE_BACK,
            detail=f"{dollars(gone)} of {dollars(day.best)} USD given back, {dollars(rule.amount)} may be",
            limit=rule.amount,
            value=gone,
            breach=rule.breach,
            lockout=rule.lockout,
        )


def _acted(
    rules: Rules, standing: Standing, found: _Found, now: Nanos, template: SessionTemplate | None
) -> Observed:
    until = FOREVER if found.fatal else unlock_at(found.lockout, now, rules.reset_at, template)
    lock = longer(standing.lock, Lock(reason=found.reason, detail=found.detail, since=now, until=until))
    floor, day, told = standing.floor, standing.day, {found.reason}
    if found.fatal and floor is not None and floor.survival is Survival.ACTIVE:
        floor = drawdown.failed(floor, standing.money.equity)
        told.add(RefusalReason.DRAWDOWN)
    if found.reason is RefusalReason.LOSING_STREAK:
        # The lock has answered these losses; after it they count from none.
        day = day.changed(losses=0)
    after = standing.changed(floor=floor, day=day, lock=lock, tripped=standing.tripped | told)
    broken = Broken(
        reason=found.reason,
        detail=found.detail,
        limit=found.limit,
        value=found.value,
        breach=found.breach,
        lock=lock,
    )
    return Observed(standing=after, broken=broken, band=Band.LOCKED)


def _band(rules: Rules, day: Day, floor: Floor | None, money: Money, profit: Decimal) -> Band:
    band = Band.SAFE
    rule = rules.drawdown
    if floor is not None and rule is not None:
        if floor.survival is Survival.FAILED:
            return Band.LOCKED
        band = band_of(rule.amount, drawdown.room(rule, floor, money))
    loss = rules.daily_loss
    if loss is not None:
        band = worse(band, band_of(loss.amount, loss.amount + profit))
    keep = rules.give_back
    if keep is not None and day.best >= keep.after:
        band = worse(band, band_of(keep.amount, keep.amount - (day.best - profit)))
    return band
