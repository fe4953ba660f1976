"""Entries that are refused whole: product, pace, hours, news, and other accounts."""

from datetime import time
from decimal import Decimal

from risk.core.days import begun
from risk.core.guard import review
from risk.core.proposal import ALLOWED, Refused, Verdict
from risk.core.rules import (
    Collar,
    Flat,
    NewsWindow,
    Rate,
    Rules,
    Window,
)
from risk.core.standing import Entry
from risk.tests.asking import (
    ACTIVE,
    ES,
    MARKET,
    NOW,
    SECOND,
    START,
    asks,
    capped,
    reason_of,
    stands,
    verdict_on,
)
from risk.tests.times import at, ct
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import Nanos, Symbol
from tradehaven.domain.money import Ticks


def test_an_unknown_contract_is_not_entered() -> None:
    verdict = verdict_on(asks(symbol=Symbol("XXZ6")), capped(5))
    assert reason_of(verdict) is RefusalReason.UNKNOWN_INSTRUMENT


def test_only_permitted_products_are_entered() -> None:
    rules = Rules(products=frozenset({"NQ"}))
    verdict = verdict_on(asks(), rules)
    assert isinstance(verdict, Refused)
    assert verdict.detail == "ES is not among the permitted products"
    assert verdict.reason is RefusalReason.NOT_PERMITTED
    assert verdict_on(asks(symbol=Symbol("NQZ6")), rules) is ALLOWED


def test_entries_come_no_faster_than_their_rate() -> None:
    rules = Rules(rate=Rate(entries=2, seconds=10))

    def after(*ages: int) -> Verdict:
        entries = tuple(
            Entry(symbol=ES, side=Side.SELL, qty=9, at=Nanos(NOW - age)) for age in sorted(ages, reverse=True)
        )
        return verdict_on(asks(), rules, stands(day={"entries": entries}))

    assert after() is ALLOWED
    assert after(1) is ALLOWED
    assert after(1, 10 * SECOND) is ALLOWED
    verdict = after(1, 2, 10 * SECOND - 1)
    assert isinstance(verdict, Refused)
    assert verdict.reason is RefusalReason.ORDER_RATE
    assert verdict.detail == "3 entries in the last 10 s, the limit is 2"
    assert (verdict.because.limit, verdict.because.value) == (Decimal(2), Decimal(4))
    assert verdict.because.until == NOW - 2 + 10 * SECOND


def test_the_same_entry_does_not_come_twice() -> None:
    rules = Rules(repeats=5)
    sent = Entry(symbol=ES, side=Side.BUY, qty=1, at=Nanos(NOW - 5 * SECOND + 1))

    def after(*entries: Entry) -> Verdict:
        return verdict_on(asks(), rules, stands(day={"entries": entries}))

    verdict = after(sent)
    assert isinstance(verdict, Refused)
    assert verdict.reason is RefusalReason.REPEATED
    assert verdict.detail == "the same entry was sent less than 5 s ago"
    assert (verdict.because.limit, verdict.because.value) == (Decimal(5), Decimal("4.999999999"))
    assert verdict.because.until == NOW + 1
    other = sent.changed(side=Side.SELL, at=NOW)
    assert reason_of(after(sent, other)) is RefusalReason.REPEATED
    long_ago = sent.changed(at=Nanos(NOW - 3600 * SECOND))
    assert reason_of(after(long_ago, sent)) is RefusalReason.REPEATED
    assert after() is ALLOWED
    assert after(sent.changed(at=Nanos(NOW - 5 * SECOND))) is ALLOWED
    assert after(sent.changed(side=Side.SELL)) is ALLOWED
    assert after(sent.changed(qty=2)) is ALLOWED
    assert after(sent.changed(symbol=Symbol("ESH7"))) is ALLOWED


def test_a_day_has_so_many_entries_and_so_many_losses_in_a_row() -> None:
    few = Rules(trades_a_day=3)
    assert verdict_on(asks(), few, stands(day={"trades": 2})) is ALLOWED
    verdict = verdict_on(asks(), few, stands(day={"trades": 3}))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RefusalReason.MAX_TRADES
    assert verdict.detail == "3 entries today, the limit is 3"
    assert (verdict.because.limit, verdict.because.value) == (Decimal(3), Decimal(4))
    assert verdict.because.until == begun(START, NOW).ends
    streak = Rules(losses_in_row=2)
    assert verdict_on(asks(), streak, stands(day={"losses": 1})) is ALLOWED
    lost = verdict_on(asks(), streak, stands(day={"losses": 2}))
    assert isinstance(lost, Refused)
    assert lost.reason is RefusalReason.LOSING_STREAK
    assert lost.detail == "2 trades in a row are lost, the limit is 2"
    assert (lost.because.limit, lost.because.value) == (Decimal(2), Decimal(2))


def test_entries_keep_to_hours_news_and_the_time_to_be_flat() -> None:
    def asked_at(rules: Rules, when: str) -> RefusalReason | None:
        return reason_of(review(asks(), rules, None, ACTIVE, at(when)))

    hours = Rules(hours=(Window(start=time(8, 30), end=time(15)),))
    assert asked_at(hours, "2026-11-18T08:30") is None
    assert asked_at(hours, "2026-11-18T08:29:59") is RefusalReason.CLOSED_HOURS
    news = NewsWindow(label="rates", start=ct("2026-11-18T12:58"), end=ct("2026-11-18T13:02"))
    assert asked_at(Rules(news=(news,)), "2026-11-18T12:57") is None
    verdict = review(asks(), Rules(news=(news,)), None, ACTIVE, at("2026-11-18T13:00"))
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.detail) == (RefusalReason.NEWS, "around news: rates")
    assert verdict.because.until == at("2026-11-18T13:02")
    flat = Rules(flat=Flat())
    assert asked_at(flat, "2026-11-18T15:54:59") is None
    assert asked_at(flat, "2026-11-18T15:55") is RefusalReason.FLAT_TIME
    assert asked_at(flat, "2026-11-26T11:55") is RefusalReason.FLAT_TIME
    assert asked_at(flat, "2026-11-18T17:00") is None


def test_standing_against_or_mixing_with_another_account_is_refused_only_where_forbidden() -> None:
    asked = asks(opposite=True, mixing=True)
    assert verdict_on(asked, capped(5)) is ALLOWED
    assert reason_of(verdict_on(asked, Rules(opposite=False))) is RefusalReason.OPPOSITE
    assert reason_of(verdict_on(asked, Rules(mixing=False))) is RefusalReason.MIXED_SIZES
    assert verdict_on(asks(), Rules(opposite=False, mixing=False)) is ALLOWED


def _detail(verdict: Verdict) -> str:
    assert isinstance(verdict, Refused)
    return verdict.detail


def test_what_is_refused_is_said_in_words() -> None:
    asked = asks(opposite=True, mixing=True)
    assert _detail(verdict_on(asked, Rules(opposite=False))) == (
        "another own account stands on the other side of this market"
    )
    assert _detail(verdict_on(asked, Rules(mixing=False))) == (
        "minis and micros would be held at the same time"
    )
    night = Rules(hours=(Window(start=time(1), end=time(2)),))
    assert _detail(verdict_on(asks(), night)) == "outside the permitted hours"
    assert _detail(verdict_on(asks(), Rules(flat=Flat(at=time(9))))) == (
        "the time to be flat has passed in this session"
    )


def test_prices_wait_for_a_market_and_stay_near_it() -> None:
    rules = Rules(collar=Collar())
    assert reason_of(verdict_on(asks(order_type=OrderType.LIMIT, limit=Ticks(1)), rules)) is (
        RefusalReason.STALE_QUOTE
    )
    far = asks(order_type=OrderType.LIMIT, limit=Ticks(1), quote=MARKET)
    assert reason_of(verdict_on(far, rules)) is RefusalReason.PRICE_COLLAR
    assert verdict_on(asks(quote=MARKET), rules) is ALLOWED
