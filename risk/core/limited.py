"""Whether an account may enter at all: its floor, and the limits of its day."""

from decimal import Decimal

from risk.core.drawdown import room
from risk.core.proposal import Objection
from risk.core.rules import Rules
from risk.core.standing import Standing, Survival
from risk.core.words import dollars
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos

UNKNOWN = Objection(
    reason=RefusalReason.STANDING_UNKNOWN, detail="the account's balance and day are not known yet"
)


def needs_standing(rules: Rules) -> bool:
    """Tell whether a rule asks for what is only known once the account's money and day are."""
    asked = (
        rules.daily_loss,
        rules.daily_profit,
        rules.give_back,
        rules.drawdown,
        rules.caps.scaling,
        rules.rate,
        rules.repeats,
        rules.trades_a_day,
        rules.losses_in_row,
    )
    return any(rule is not None for rule in asked)


def objection(rules: Rules, standing: Standing) -> Objection | None:
    """Return why nothing may be opened in a standing's own day: the floor first, then the day."""
    return _floor(rules, standing) or _lost(rules, standing) or _made(rules, standing)


def _floor(rules: Rules, standing: Standing) -> Objection | None:
    rule, floor = rules.drawdown, standing.floor
    if rule is None:
        return None
    if floor is None:
        return UNKNOWN
    left = room(rule, floor, standing.money)
    if floor.survival is Survival.FAILED:
        return Objection(
            reason=RefusalReason.DRAWDOWN,
            detail=f"the account has failed at its floor {dollars(floor.floor)}",
            limit=floor.floor,
            value=floor.failed_at,
        )
    if rule.amount - left >= rule.amount * rule.block_at:
        return Objection(
            reason=RefusalReason.DRAWDOWN,
            detail=f"only {dollars(left)} USD are left over the floor {dollars(floor.floor)}",
            limit=floor.floor,
            value=standing.money.equity,
        )
    if not floor.certain:
        return Objection(
            reason=RefusalReason.STANDING_UNKNOWN,
            detail="the floor is uncertain until the broker, or you, have stated it",
            limit=floor.floor,
        )
    return None


def _lost(rules: Rules, standing: Standing) -> Objection | None:
    rule, lost = rules.daily_loss, standing.day.reference - standing.money.equity
    if rule is None or lost < rule.amount * rule.block_at:
        return None
    return Objection(
        reason=RefusalReason.DAILY_LOSS,
        detail=f"{dollars(lost)} of {dollars(rule.amount)} USD are lost today",
        limit=rule.amount,
        value=lost,
        until=standing.day.ends,
    )


def _made(rules: Rules, standing: Standing) -> Objection | None:
    day = standing.day
    profit = standing.money.equity - day.reference
    target, keep = rules.daily_profit, rules.give_back
    if target is not None and profit >= target.amount:
        return _over(RefusalReason.DAILY_PROFIT, "made today", target.amount, profit, day.ends)
    if keep is not None and day.best >= keep.after and day.best - profit >= keep.amount:
        return _over(RefusalReason.GIVE_BACK, "given back today", keep.amount, day.best - profit, day.ends)
    return None


def _over(reason: RefusalReason, what: str, limit: Decimal, value: Decimal, until: Nanos) -> Objection:
    detail = f"{dollars(value)} USD are {what}, the limit is {dollars(limit)}"
    return Objection(reason=reason, detail=detail, limit=limit, value=value, until=until)
