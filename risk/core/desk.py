"""The broker's own risk figures among ours: it knows what its firm counts, so the stricter of both holds.

Of its figures only those are used whose meaning is published (protocol 8.5): the state of the account, the
high-water mark, the trailing drawdown, and the losses and profits of a day. `low` is shown and no more.
"""

from dataclasses import replace
from decimal import Decimal

from risk.core import drawdown
from risk.core.proposal import Objection
from risk.core.rules import NO_RULES, Breach, DayLimit, Drawdown, Rules, Trail
from risk.core.standing import Floor
from risk.core.tightening import strictest
from tradehaven.domain.enums import RefusalReason, TradingState
from tradehaven.domain.events import LimitsReported

_ZERO = Decimal(0)


def objection(stated: LimitsReported | None) -> Objection | None:
    """Return why the broker would take no entry now, None where it would."""
    if stated is None or stated.state is TradingState.ACTIVE:
        return None
    does = "takes only orders that close" if stated.state is TradingState.REDUCING else "has locked it"
    return Objection(reason=RefusalReason.BROKER_LOCK, detail=f"the broker {does}: {stated.because}")


def joined(own: Rules, stated: LimitsReported) -> Rules:
    """Return rules with the broker's limits among them; the very same where it states none.

    At its own limits it closes the account by itself, so ours only stop entries before them.
    """
    loss, profit = stated.daily_loss, stated.daily_profit
    rules = replace(
        NO_RULES,
        daily_loss=DayLimit(amount=loss, breach=Breach.STOP) if loss else None,
        daily_profit=DayLimit(amount=profit, breach=Breach.STOP) if profit else None,
        drawdown=_trailing(stated) if _fits(own.drawdown, stated) else None,
    )
    if rules == NO_RULES:
        return own
    kept = replace(rules, consistency=own.consistency, worst_case=own.worst_case, fee=own.fee)
    return strictest(own, kept)


def floor_by(rule: Drawdown, floor: Floor, stated: LimitsReported) -> Floor:
    """Return the floor after the broker's high-water mark, where it follows the same money as the rule."""
    if stated.high is None or stated.drawdown is None or rule.trail is not _trail(stated):
        return floor
    return drawdown.marked(rule, floor, stated.high)


def _fits(own: Drawdown | None, stated: LimitsReported) -> bool:
    """Say whether the broker's drawdown may stand beside one's own: both must follow the same money."""
    return own is None or own.trail is _trail(stated)


def _trail(stated: LimitsReported) -> Trail:
    return Trail.END_OF_DAY if stated.by_day_end else Trail.INTRADAY


def _trailing(stated: LimitsReported) -> Drawdown | None:
    """Return the broker's drawdown as a rule; its start is not said, and not needed once its high is."""
    if not stated.drawdown:
        return None
    return Drawdown(
        trail=_trail(stated),
        amount=stated.drawdown,
        start=_ZERO,
        lock=stated.stops_at,
        breach=Breach.STOP,
    )
