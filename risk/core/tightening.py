"""What of a change of rules holds at once: all that tightens. What loosens waits for the next day (BEY-11).

Field by field the stricter of two values holds. Where neither is, such as two sets of products that share
nothing, the one that was there before stays until then.
"""

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import TypeVar

from risk.core.collar import USUAL
from risk.core.rules import (
    RESET_AT,
    Breach,
    Caps,
    Collar,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    Lockout,
    LockUntil,
    Naked,
    Offset,
    Protection,
    Rate,
    Rules,
    Scaling,
    Tier,
    Trail,
    Window,
)
from risk.core.schedule import covers
from risk.core.sizes import minis_at

Value = TypeVar("Value")
Number = TypeVar("Number", int, Decimal)

_BREACH = (Breach.STOP, Breach.FLATTEN)
_NAKED = (Naked.ALERT, Naked.ATTACH, Naked.FLATTEN)
_TRAIL = (Trail.STATIC, Trail.END_OF_DAY, Trail.CLOSED, Trail.INTRADAY)
_LONGEST = {LockUntil.SESSION: 23 * 60, LockUntil.RESET: 24 * 60}


def strictest(old: Rules, new: Rules) -> Rules:
    """Return what is in force from a change of rules to the next limit day."""
    return Rules(
        daily_loss=_both(_day_limit, old.daily_loss, new.daily_loss),
        daily_profit=_both(_day_limit, old.daily_profit, new.daily_profit),
        give_back=_both(_give_back, old.give_back, new.give_back),
        # Another reset now would give a day's budget twice.
        reset_at=old.reset_at,
        drawdown=_both(_drawdown, old.drawdown, new.drawdown),
        consistency=new.consistency,
        caps=_caps(old.caps, new.caps),
        collar=_both(_collar, old.collar, new.collar),
        rate=_both(_rate, old.rate, new.rate),
        repeats=_most(old.repeats, new.repeats),
        trades_a_day=_least(old.trades_a_day, new.trades_a_day),
        losses_in_row=_least(old.losses_in_row, new.losses_in_row),
        streak_lockout=_lockout(old.streak_lockout, new.streak_lockout),
        products=_products(old.products, new.products),
        hours=_hours(old.hours, new.hours),
        news=(*old.news, *(window for window in new.news if window not in old.news)),
        protection=_both(_protection, old.protection, new.protection),
        flat=_both(_flat, old.flat, new.flat),
        worst_case=old.worst_case or new.worst_case,
        opposite=old.opposite and new.opposite,
        mixing=old.mixing and new.mixing,
        fee=max(old.fee, new.fee),
    )


def _both(stricter: Callable[[Value, Value], Value], old: Value | None, new: Value | None) -> Value | None:
    """Return the stricter of two limits; one that is not set is none."""
    if old is None or new is None:
        return old if new is None else new
    return stricter(old, new)


def _least(old: Number | None, new: Number | None) -> Number | None:
    return _both(min, old, new)


def _most(old: Number | None, new: Number | None) -> Number | None:
    return _both(max, old, new)


def _later(order: tuple[Value, ...], old: Value, new: Value) -> Value:
    return max(old, new, key=order.index)


def _day_limit(old: DayLimit, new: DayLimit) -> DayLimit:
    return DayLimit(
        amount=min(old.amount, new.amount),
        breach=_later(_BREACH, old.breach, new.breach),
        lockout=_lockout(old.lockout, new.lockout),
        block_at=min(old.block_at, new.block_at),
        fatal=old.fatal or new.fatal,
    )


def _give_back(old: GiveBack, new: GiveBack) -> GiveBack:
    return GiveBack(
        after=min(old.after, new.after),
        amount=min(old.amount, new.amount),
        breach=_later(_BREACH, old.breach, new.breach),
        lockout=_lockout(old.lockout, new.lockout),
    )


def _lockout(old: Lockout, new: Lockout) -> Lockout:
    """Return the one that may last longer: a session has at most 23 hours, a day 24."""
    return new if _LONGEST.get(new.until, new.minutes) > _LONGEST.get(old.until, old.minutes) else old


def _drawdown(old: Drawdown, new: Drawdown) -> Drawdown:
    # Without a lock the floor rises for ever, which is stricter than any.
    lock = max(old.lock, new.lock) if old.lock is not None and new.lock is not None else None
    return Drawdown(
        trail=_later(_TRAIL, old.trail, new.trail),
        amount=min(old.amount, new.amount),
        start=max(old.start, new.start),
        lock=lock,
        touch=old.touch or new.touch,
        reserve=max(old.reserve, new.reserve),
        reserve_ticks=max(old.reserve_ticks, new.reserve_ticks),
        breach=_later(_BREACH, old.breach, new.breach),
        block_at=min(old.block_at, new.block_at),
        payout_locks=old.payout_locks or new.payout_locks,
        known=new.known if new.known is not None else old.known,  # what is stated never lowers a floor
    )


def _caps(old: Caps, new: Caps) -> Caps:
    roots = {**old.products, **new.products}
    return Caps(
        instrument=_least(old.instrument, new.instrument),
        account=_least(old.account, new.account),
        minis=_least(old.minis, new.minis),
        order=_least(old.order, new.order),
        products={
            root: min(caps.products.get(root, most) for caps in (old, new)) for root, most in roots.items()
        },
        scaling=_both(_scaling, old.scaling, new.scaling),
    )


def _scaling(old: Scaling, new: Scaling) -> Scaling:
    if (old.start, old.live) != (new.start, new.live):
        return old
    steps = sorted({tier.profit for plan in (old, new) for tier in plan.tiers})
    before, after = ([minis_at(plan.tiers, step) for step in steps] for plan in (old, new))
    tiers = [
        Tier(profit=step, minis=min(minis_at(old.tiers, step), minis_at(new.tiers, step))) for step in steps
    ]
    held = [tier.minis for tier in tiers]
    if held in (before, after):
        return old if held == before else new
    return Scaling(start=old.start, tiers=tuple(tiers), live=old.live)


def _collar(old: Collar, new: Collar) -> Collar:
    if not (old.on and new.on):
        return new if new.on else old
    groups = old.percent.keys() | new.percent.keys()
    held = {group: _narrower(_percent(old, group), _percent(new, group)) for group in groups}
    same = (one for one in (old, new) if all(_percent(one, group) == held[group] for group in groups))
    return Collar(
        percent=next((one.percent for one in same), held), quote_age=_least(old.quote_age, new.quote_age)
    )


def _percent(collar: Collar, group: str) -> Decimal:
    return collar.percent.get(group, USUAL[group])


def _narrower(old: Decimal, new: Decimal) -> Decimal:
    """Return the narrower of two distances; zero is none at all."""
    return min(old, new) or max(old, new)


def _rate(old: Rate, new: Rate) -> Rate:
    return Rate(entries=min(old.entries, new.entries), seconds=max(old.seconds, new.seconds))


def _products(old: frozenset[str], new: frozenset[str]) -> frozenset[str]:
    return old & new or old or new


def _hours(old: tuple[Window, ...], new: tuple[Window, ...]) -> tuple[Window, ...]:
    if not old or not new:
        return old or new
    return new if _lies_in(new, old) else old


def _lies_in(inner: tuple[Window, ...], outer: tuple[Window, ...]) -> bool:
    """Tell whether one is never open while the other is shut, which changes only where a window does."""
    moments = {at for window in (*inner, *outer) for at in (window.start, window.end)}
    return all(covers(outer, at) for at in moments if covers(inner, at))


def _protection(old: Protection, new: Protection) -> Protection:
    return Protection(
        stop=_both(_nearer, old.stop, new.stop),
        target=old.target or new.target,
        naked=_later(_NAKED, old.naked, new.naked),
    )


def _nearer(old: Offset, new: Offset) -> Offset:
    return min(old, new, key=lambda offset: offset.value) if new.unit is old.unit else old


def _flat(old: Flat, new: Flat) -> Flat:
    return Flat(
        at=_both(_earlier, old.at, new.at),
        firm_at=_both(_earlier, old.firm_at, new.firm_at),
        lead=max(old.lead, new.lead),
    )


def _earlier(old: time, new: time) -> time:
    """Return the time that comes first in a session, which begins in the evening."""
    return min(old, new, key=lambda at: (at <= RESET_AT, at))
