"""What rules, standings and proposals mean where nothing was said: these values are promises."""

from datetime import time
from decimal import Decimal

from risk.core.proposal import (
    ALLOWED,
    NOTHING_HELD,
    NOTHING_TO_ATTACH,
    Allowed,
    Attach,
    Changed,
    Exposure,
    Objection,
    Proposal,
    Refused,
)
from risk.core.rules import (
    FLAT_AT,
    NEXT_DAY,
    NO_RULES,
    RESET_AT,
    Breach,
    Caps,
    Collar,
    Consistency,
    DayLimit,
    Drawdown,
    Flat,
    GiveBack,
    Lockout,
    LockUntil,
    Naked,
    NewsWindow,
    Offset,
    Protection,
    Rate,
    Rules,
    Scaling,
    Trail,
    Unit,
)
from risk.core.standing import FOREVER, ZERO, Band, Day, Floor, Money, Standing, Survival
from risk.tests.times import ct
from tradehaven.domain.enums import OrderType, RefusalReason, Side
from tradehaven.domain.ids import Nanos, Symbol

D = Decimal


def test_no_rules_ask_for_nothing() -> None:
    assert (
        Rules(
            daily_loss=None,
            daily_profit=None,
            give_back=None,
            reset_at=time(17),
            drawdown=None,
            consistency=None,
            caps=Caps(instrument=None, account=None, minis=None, order=None, products={}, scaling=None),
            collar=None,
            rate=None,
            repeats=None,
            trades_a_day=None,
            losses_in_row=None,
            streak_lockout=Lockout(until=LockUntil.RESET, minutes=60),
            products=frozenset(),
            hours=(),
            news=(),
            protection=None,
            flat=None,
            worst_case=True,
            opposite=True,
            mixing=True,
            fee=D("2.50"),
        )
        == NO_RULES
    )
    assert (time(17), time(15, 55)) == (RESET_AT, FLAT_AT)
    assert Lockout(until=LockUntil.RESET, minutes=60) == NEXT_DAY


def test_a_limit_flattens_and_locks_to_the_next_day_unless_told_otherwise() -> None:
    assert DayLimit(amount=D(1)) == DayLimit(
        amount=D(1), breach=Breach.FLATTEN, lockout=NEXT_DAY, block_at=D("0.9"), fatal=False
    )
    assert GiveBack(after=D(1), amount=D(2)) == GiveBack(
        after=D(1), amount=D(2), breach=Breach.FLATTEN, lockout=NEXT_DAY
    )
    assert Drawdown(trail=Trail.STATIC, amount=D(1), start=D(2)) == Drawdown(
        trail=Trail.STATIC,
        amount=D(1),
        start=D(2),
        lock=None,
        touch=True,
        reserve=D(0),
        reserve_ticks=4,
        breach=Breach.FLATTEN,
        block_at=D("0.9"),
        payout_locks=False,
    )


def test_the_other_rules_have_their_usual_values() -> None:
    assert Collar() == Collar(percent={}, quote_age=5, on=True)
    assert Rate() == Rate(entries=10, seconds=10)
    assert Flat() == Flat(at=time(15, 55), firm_at=None, lead=5)
    assert Offset(value=D(1)) == Offset(value=D(1), unit=Unit.TICKS)
    assert Protection() == Protection(stop=None, target=None, naked=Naked.ATTACH)
    assert Consistency(best_day=D("0.5")).touch is True
    assert Scaling(start=D(0), tiers=()).live is False
    news = NewsWindow(label="jobs", start=ct("2026-11-06T07:29"), end=ct("2026-11-06T07:31"))
    assert (news.products, news.flat) == (frozenset(), False)


def test_the_words_of_rules_are_what_rows_hold() -> None:
    assert [*Breach] == ["stop", "flatten"]
    assert [*LockUntil] == ["reset", "session", "duration"]
    assert [*Trail] == ["intraday", "end_of_day", "closed", "static"]
    assert [*Unit] == ["ticks", "percent", "usd"]
    assert [*Naked] == ["attach", "flatten", "alert"]
    assert [*Survival] == ["active", "failed"]
    assert [*Band] == ["safe", "warning", "danger", "locked"]


def test_a_standing_begins_with_nothing_counted() -> None:
    money = Money(balance=D(5))
    assert money == Money(balance=D(5), low=ZERO, high=ZERO, contracts=0, tick=ZERO)
    assert money.equity == D(5)
    assert Money(balance=D(5), low=D(-2)).equity == D(3)
    day = Day(reference=D(5), ends=Nanos(1))
    assert day == Day(reference=D(5), ends=Nanos(1), best=ZERO, trades=0, losses=0, entries=())
    assert Floor(high=D(5), floor=D(1)) == Floor(
        high=D(5), floor=D(1), survival=Survival.ACTIVE, nets=(), certain=True, gaps=False, failed_at=None
    )
    assert Standing(money=money, day=day) == Standing(
        money=money, day=day, floor=None, lock=None, tripped=frozenset()
    )
    assert D(0) == ZERO
    assert FOREVER == 9_223_372_036_854_775_807


def test_a_proposal_is_a_plain_market_order_of_an_account_that_holds_nothing() -> None:
    plain = Proposal(symbol=Symbol("ESZ6"), side=Side.BUY, reduce=1, enter=2)
    assert plain == Proposal(
        symbol=Symbol("ESZ6"),
        side=Side.BUY,
        reduce=1,
        enter=2,
        exposure=NOTHING_HELD,
        order_type=OrderType.MARKET,
        limit=None,
        trigger=None,
        quote=None,
        stop=None,
        target=None,
        at_risk=ZERO,
        opposite=False,
        mixing=False,
    )
    assert Exposure(instrument=0, product=0, account=0, minis=ZERO) == NOTHING_HELD


def test_verdicts_say_why_and_how_much() -> None:
    why = Objection(reason=RefusalReason.NEWS, detail="news")
    assert why == Objection(
        reason=RefusalReason.NEWS, detail="news", limit=None, value=None, room=0, until=None
    )
    cut = Changed(qty=3, enter=1, because=Objection(reason=RefusalReason.NEWS, detail="x", room=7))
    assert (cut.reason, cut.detail, cut.room) == (RefusalReason.NEWS, "x", 7)
    no = Refused(because=cut.because)
    assert (no.reason, no.detail, no.room) == (RefusalReason.NEWS, "x", 7)
    assert Allowed() == ALLOWED
    assert ALLOWED.attach is NOTHING_TO_ATTACH
    assert Attach(stop=None, target=None) == NOTHING_TO_ATTACH
