"""What the values of rules must be, beyond their types: amounts above zero, products that exist.

Raises `InvalidInput` with the dotted name of the field and the fix; says nothing of what is wise.
"""

from collections.abc import Iterable
from datetime import time
from decimal import Decimal

from risk.core.collar import USUAL
from risk.core.rules import (
    Caps,
    Collar,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    Lockout,
    NewsWindow,
    Offset,
    Protection,
    Rules,
    Scaling,
    Unit,
    Window,
)
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.instruments import products

MOST_USD = Decimal(100_000_000)
MOST_CONTRACTS = 10_000
MOST_MINUTES = 30 * 24 * 60
MOST_SECONDS = 3_600
"""As long as entries are remembered."""
MOST_WINDOWS = 10
MOST_NEWS = 500
_FINEST = -4
_ONE = Decimal(1)


def checked(rules: Rules) -> Rules:
    """Return the rules unchanged, or raise `InvalidInput`."""
    for name, limit in (("daily_loss", rules.daily_loss), ("daily_profit", rules.daily_profit)):
        if limit is not None:
            _day_limit(name, limit)
    if rules.give_back is not None:
        _give_back(rules.give_back)
    _clock("reset_at", rules.reset_at)
    if rules.drawdown is not None:
        _drawdown(rules.drawdown)
    if rules.consistency is not None:
        _share("consistency.best_day", rules.consistency.best_day)
    _caps(rules.caps)
    if rules.collar is not None:
        _collar(rules.collar)
    _counts(rules)
    _lockout("streak_lockout", rules.streak_lockout)
    _roots("products", rules.products)
    _hours(rules.hours)
    _news(rules.news)
    if rules.protection is not None:
        _protection(rules.protection)
    if rules.flat is not None:
        _flat(rules.flat)
    _between("fee", rules.fee, Decimal(0), Decimal(1_000))
    return rules


def _counts(rules: Rules) -> None:
    if rules.rate is not None:
        _whole("rate.entries", rules.rate.entries, 1, MOST_CONTRACTS)
        _whole("rate.seconds", rules.rate.seconds, 1, MOST_SECONDS)
    _whole("repeats", rules.repeats, 1, MOST_SECONDS)
    _whole("trades_a_day", rules.trades_a_day, 1, MOST_CONTRACTS)
    _whole("losses_in_row", rules.losses_in_row, 1, 100)


def _day_limit(name: str, limit: DayLimit) -> None:
    _amount(f"{name}.amount", limit.amount)
    _share(f"{name}.block_at", limit.block_at)
    _lockout(f"{name}.lockout", limit.lockout)


def _give_back(rule: GiveBack) -> None:
    _amount("give_back.after", rule.after)
    _amount("give_back.amount", rule.amount)
    _lockout("give_back.lockout", rule.lockout)


def _lockout(name: str, lockout: Lockout) -> None:
    _whole(f"{name}.minutes", lockout.minutes, 1, MOST_MINUTES)


def _drawdown(rule: Drawdown) -> None:
    _amount("drawdown.amount", rule.amount)
    _between("drawdown.start", rule.start, Decimal(0), MOST_USD)
    if rule.lock is not None:
        _between("drawdown.lock", rule.lock, rule.start - rule.amount, MOST_USD)
    _between("drawdown.reserve", rule.reserve, Decimal(0), MOST_USD)
    if rule.reserve >= rule.amount:
        raise InvalidInput("drawdown.reserve", "The reserve is smaller than the drawdown itself.")
    if rule.known is not None:
        _between("drawdown.known", rule.known, rule.start - rule.amount, MOST_USD)
    _whole("drawdown.reserve_ticks", rule.reserve_ticks, 0, 1_000)
    _share("drawdown.block_at", rule.block_at)


def _caps(caps: Caps) -> None:
    _whole("caps.instrument", caps.instrument, 1, MOST_CONTRACTS)
    _whole("caps.account", caps.account, 1, MOST_CONTRACTS)
    _whole("caps.order", caps.order, 1, MOST_CONTRACTS)
    if caps.minis is not None:
        _between("caps.minis", caps.minis, Decimal("0.1"), Decimal(MOST_CONTRACTS))
    _roots("caps.products", caps.products)
    for root, most in caps.products.items():
        _whole(f"caps.products.{root}", most, 1, MOST_CONTRACTS)
    if caps.scaling is not None:
        _scaling(caps.scaling)


def _scaling(plan: Scaling) -> None:
    _between("caps.scaling.start", plan.start, Decimal(0), MOST_USD)
    steps = [tier.profit for tier in plan.tiers]
    if not steps or len(steps) > MOST_WINDOWS * 2 or len(set(steps)) < len(steps):
        raise InvalidInput("caps.scaling.tiers", "A plan has 1 to 20 tiers, each from another profit on.")
    for index, tier in enumerate(plan.tiers):
        name = f"caps.scaling.tiers.{index}"
        _between(f"{name}.profit", tier.profit, -MOST_USD, MOST_USD)
        _between(f"{name}.minis", tier.minis, Decimal(0), Decimal(MOST_CONTRACTS))


def _collar(collar: Collar) -> None:
    for group, percent in collar.percent.items():
        if group not in USUAL:
            raise InvalidInput("collar.percent", f"There is no such group; there are {', '.join(USUAL)}.")
        _between(f"collar.percent.{group}", percent, Decimal(0), Decimal(100))
    _whole("collar.quote_age", collar.quote_age, 1, MOST_SECONDS)


def _hours(hours: tuple[Window, ...]) -> None:
    if len(hours) > MOST_WINDOWS:
        raise InvalidInput("hours", f"At most {MOST_WINDOWS} windows.")
    for index, window in enumerate(hours):
        _clock(f"hours.{index}.start", window.start)
        _clock(f"hours.{index}.end", window.end)
        if window.start == window.end:
            raise InvalidInput(
                f"hours.{index}.end", "A window ends at another time than it starts; none is all day."
            )


def _news(news: tuple[NewsWindow, ...]) -> None:
    if len(news) > MOST_NEWS:
        raise InvalidInput("news", f"At most {MOST_NEWS} stretches of news.")
    for index, window in enumerate(news):
        name = f"news.{index}"
        if not 0 < len(window.label.strip()) <= 80:
            raise InvalidInput(f"{name}.label", "Name the event in 1 to 80 characters.")
        if window.start.tzinfo is None or window.end.tzinfo is None:
            raise InvalidInput(f"{name}.start", "Give times with their zone, such as 2026-11-06T13:29:00Z.")
        if window.end <= window.start:
            raise InvalidInput(f"{name}.end", "News end after they start.")
        _roots(f"{name}.products", window.products)


def _protection(rule: Protection) -> None:
    if rule.stop is None and rule.target is None:
        raise InvalidInput("protection.stop", "Name a stop, a target, or both.")
    for name, offset in (("stop", rule.stop), ("target", rule.target)):
        if offset is not None:
            _offset(f"protection.{name}.value", offset)


def _offset(name: str, offset: Offset) -> None:
    if offset.unit is Unit.TICKS:
        _between(name, offset.value, _ONE, Decimal(100_000))
        if offset.value != int(offset.value):
            raise InvalidInput(name, "Ticks are whole.")
    elif offset.unit is Unit.PERCENT:
        _between(name, offset.value, Decimal("0.001"), Decimal(99))
    else:
        _amount(name, offset.value)


def _flat(flat: Flat) -> None:
    for name, at in (("at", flat.at), ("firm_at", flat.firm_at)):
        if at is not None:
            _clock(f"flat.{name}", at)
    _whole("flat.lead", flat.lead, 1, 120)


def _amount(name: str, amount: Decimal) -> None:
    _between(name, amount, Decimal("0.01"), MOST_USD)


def _share(name: str, share: Decimal) -> None:
    _between(name, share, Decimal("0.01"), _ONE)


def _between(name: str, value: Decimal, least: Decimal, most: Decimal) -> None:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not least <= value <= most:
        raise InvalidInput(name, f"Give a number from {least:,f} to {most:,f}.")
    if exponent < _FINEST:
        raise InvalidInput(name, "At most four digits after the point.")


def _whole(name: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidInput(name, f"Give a whole number from {least:,} to {most:,}.")


def _clock(name: str, at: time) -> None:
    if at.tzinfo is not None or at.second or at.microsecond:
        raise InvalidInput(name, "Give hours and minutes of Chicago's clock, such as 15:55.")


def _roots(name: str, roots: Iterable[str]) -> None:
    known = {traded.symbol for traded in products()}
    for root in roots:
        if root not in known:
            raise InvalidInput(name, f"{root[:20]!r} is not a product; write roots such as ES, MNQ or 6E.")
