"""Entries that cannot be meant or are not allowed now: product, size, price, pace, hours, other accounts."""

from collections.abc import Iterator
from decimal import Decimal

from risk.core import collar, rates
from risk.core.instants import moment, nanos
from risk.core.proposal import Objection, Proposal
from risk.core.rules import Rules
from risk.core.schedule import in_windows, is_flat_time, news_at
from risk.core.standing import Standing
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos
from tradehaven.domain.instruments import Product


def objection(
    rules: Rules, standing: Standing, proposal: Proposal, traded: Product, now: Nanos
) -> Objection | None:
    """Return the first thing that speaks against an entry as such; it is refused whole."""
    return next(_objections(rules, standing, proposal, traded, now), None)


def _objections(
    rules: Rules, standing: Standing, proposal: Proposal, traded: Product, now: Nanos
) -> Iterator[Objection]:
    if rules.products and traded.symbol not in rules.products:
        yield Objection(
            reason=RefusalReason.NOT_PERMITTED, detail=f"{traded.symbol} is not among the permitted products"
        )
    qty, most = proposal.reduce + proposal.enter, rules.caps.order
    if most is not None and qty > most:
        yield Objection(
            reason=RefusalReason.ORDER_SIZE,
            detail=f"{qty} contracts in one order, the limit is {most}",
            limit=Decimal(most),
            value=Decimal(qty),
            room=max(0, most - proposal.reduce),
        )
    if rules.collar is not None and (found := collar.objection(rules.collar, proposal, traded, now)):
        yield found
    if found := rates.objection(rules, standing.day, proposal, now):
        yield found
    yield from _by_clock(rules, traded, now)
    if proposal.opposite and not rules.opposite:
        yield Objection(
            reason=RefusalReason.OPPOSITE,
            detail="another own account stands on the other side of this market",
        )
    if proposal.mixing and not rules.mixing:
        yield Objection(
            reason=RefusalReason.MIXED_SIZES, detail="minis and micros would be held at the same time"
        )


def _by_clock(rules: Rules, traded: Product, now: Nanos) -> Iterator[Objection]:
    if not rules.hours and not rules.news and rules.flat is None:
        return
    at = moment(now)
    if not in_windows(rules.hours, at):
        yield Objection(reason=RefusalReason.CLOSED_HOURS, detail="outside the permitted hours")
    news = news_at(rules.news, traded, at)
    if news is not None:
        yield Objection(reason=RefusalReason.NEWS, detail=f"around news: {news.label}", until=nanos(news.end))
    if rules.flat is not None and is_flat_time(rules.flat, traded.template, at):
        yield Objection(
            reason=RefusalReason.FLAT_TIME, detail="the time to be flat has passed in this session"
        )
