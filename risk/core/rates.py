"""How often: entries in some seconds, the same entry again, entries in a day, losses in a row."""

from decimal import Decimal

from risk.core.proposal import Objection, Proposal
from risk.core.rules import Rate, Rules
from risk.core.standing import Day
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos

_SECOND = 1_000_000_000


def objection(rules: Rules, day: Day, proposal: Proposal, now: Nanos) -> Objection | None:
    """Return what speaks against one more entry now."""
    if rules.rate is not None and (found := _too_fast(rules.rate, day, now)):
        return found
    if rules.repeats is not None and (found := _again(rules.repeats, day, proposal, now)):
        return found
    if rules.trades_a_day is not None and day.trades >= rules.trades_a_day:
        return Objection(
            reason=RefusalReason.MAX_TRADES,
            detail=f"{day.trades} entries today, the limit is {rules.trades_a_day}",
            limit=Decimal(rules.trades_a_day),
            value=Decimal(day.trades + 1),
            until=day.ends,
        )
    if rules.losses_in_row is not None and day.losses >= rules.losses_in_row:
        return Objection(
            reason=RefusalReason.LOSING_STREAK,
            detail=f"{day.losses} trades in a row are lost, the limit is {rules.losses_in_row}",
            limit=Decimal(rules.losses_in_row),
            value=Decimal(day.losses),
        )
    return None


def _too_fast(rate: Rate, day: Day, now: Nanos) -> Objection | None:
    since = now - rate.seconds * _SECOND
    recent = [entry.at for entry in day.entries if entry.at > since]
    if len(recent) < rate.entries:
        return None
    return Objection(
        reason=RefusalReason.ORDER_RATE,
        detail=f"{len(recent)} entries in the last {rate.seconds} s, the limit is {rate.entries}",
        limit=Decimal(rate.entries),
        value=Decimal(len(recent) + 1),
        until=Nanos(recent[-rate.entries] + rate.seconds * _SECOND),
    )


def _again(seconds: int, day: Day, proposal: Proposal, now: Nanos) -> Objection | None:
    since = now - seconds * _SECOND
    same = (proposal.symbol, proposal.side, proposal.enter)
    for entry in reversed(day.entries):
        if entry.at <= since:
            return None
        if (entry.symbol, entry.side, entry.qty) == same:
            return Objection(
                reason=RefusalReason.REPEATED,
                detail=f"the same entry was sent less than {seconds} s ago",
                limit=Decimal(seconds),
                value=Decimal(now - entry.at) / _SECOND,
                until=Nanos(entry.at + seconds * _SECOND),
            )
    return None
