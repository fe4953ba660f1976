"""What rules say of an account whatever the order is: right, and never that of another moment."""

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal

import pytest

from risk.core.clearance import Clearance, clearance
from risk.core.drawdown import begin, failed
from risk.core.guard import review
from risk.core.proposal import ALLOWED
from risk.core.rules import (
    NO_RULES,
    Caps,
    Collar,
    Consistency,
    DayLimit,
    Flat,
    GiveBack,
    NewsWindow,
    Offset,
    Protection,
    Rate,
    Rules,
    Window,
)
from risk.core.standing import Lock, Money, Standing
from risk.tests.asking import ACTIVE, EOD, LOSS, NOW, START, asks, capped, reason_of, stands
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import Nanos

BOTH = replace(LOSS, drawdown=EOD)
NEWS = NewsWindow(label="CPI", start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC))


def test_its_figures_are_those_of_the_standing() -> None:
    found = clearance(BOTH, stands(-300, floor=begin(EOD, START)))
    assert (found.equity, found.profit, found.floor) == ("49700", "-300", "48000")
    assert found.objection is None
    assert clearance(LOSS, stands(250)).floor is None


def test_what_speaks_against_every_entry_is_known_before_one_comes() -> None:
    lost = clearance(LOSS, stands(-950)).objection
    assert lost is not None
    assert lost.reason is RefusalReason.DAILY_LOSS
    gone = clearance(BOTH, stands(-950, floor=failed(begin(EOD, START), START - 2_000))).objection
    assert gone is not None
    assert gone.reason is RefusalReason.DRAWDOWN  # the floor goes before the day
    assert clearance(replace(LOSS, daily_loss=None), stands(-950)).objection is None


def _other(known: Standing, name: str) -> tuple[Rules, Standing]:
    """Return rules and standing of which one part is equal and yet another one."""
    money, floor, day = known.money, known.floor, known.day
    assert floor is not None
    parts = {
        "rules": (replace(BOTH), known),
        "money": (BOTH, known.changed(money=Money(balance=money.balance))),
        "floor": (BOTH, known.changed(floor=floor.changed())),
        "reference": (BOTH, known.changed(day=day.changed(reference=Decimal(str(day.reference))))),
        "best": (BOTH, known.changed(day=day.changed(best=Decimal(str(day.best))))),
    }
    return parts[name]


@pytest.mark.parametrize("name", ["rules", "money", "floor", "reference", "best"])
def test_it_holds_for_the_very_values_that_it_was_made_of(name: str) -> None:
    standing = stands(-300, floor=begin(EOD, START))
    made = clearance(BOTH, standing)
    assert made.holds(BOTH, standing)
    rules, other = _other(standing, name)
    assert (rules, other) == (BOTH, standing)
    assert not made.holds(rules, other)


def test_it_holds_on_while_the_day_only_counts_what_is_sent() -> None:
    standing = stands(-300, floor=begin(EOD, START))
    made = clearance(BOTH, standing)
    lock = Lock(reason=RefusalReason.DAILY_LOSS, detail="", since=Nanos(0), until=NOW)
    assert made.holds(BOTH, standing.changed(day=standing.day.changed(trades=3, losses=1)))
    assert made.holds(BOTH, standing.changed(lock=lock, tripped=frozenset({RefusalReason.DAILY_LOSS})))


def test_a_lock_stops_entries_whatever_is_known_already() -> None:
    lock = Lock(reason=RefusalReason.DAILY_LOSS, detail="as locked", since=Nanos(0), until=Nanos(NOW + 1))
    standing = stands().changed(lock=lock)
    known = clearance(LOSS, standing)
    assert known.objection is None
    assert reason_of(review(asks(), LOSS, standing, ACTIVE, NOW, known)) is RefusalReason.LOCKED_OUT
    assert review(asks(), LOSS, standing, ACTIVE, Nanos(NOW + 1), known) is ALLOWED


def test_what_is_known_of_yesterday_says_nothing_of_today() -> None:
    standing = stands(-1_000)
    known = clearance(LOSS, standing)
    assert reason_of(review(asks(), LOSS, standing, ACTIVE, NOW, known)) is RefusalReason.DAILY_LOSS
    tomorrow = standing.day.ends
    assert review(asks(), LOSS, standing, ACTIVE, tomorrow, known) is ALLOWED


def test_rules_about_the_order_itself_are_asked_although_the_account_is_clear() -> None:
    rules, standing = replace(LOSS, caps=Caps(order=1)), stands()
    known = clearance(rules, standing)
    assert known.objection is None
    assert known.minds_orders
    asked = asks(enter=2)
    assert reason_of(review(asked, rules, standing, ACTIVE, NOW, known)) is RefusalReason.ORDER_SIZE


def test_an_order_with_a_stop_is_weighed_although_no_rule_minds_orders() -> None:
    standing = stands(-800)
    known = clearance(LOSS, standing)
    assert not known.minds_orders
    asked = asks(enter=1, stop=40)
    assert reason_of(review(asked, LOSS, standing, ACTIVE, NOW, known)) is RefusalReason.WORST_CASE


@pytest.mark.parametrize(
    "rules",
    [
        Rules(protection=Protection(stop=Offset(value=Decimal(8)))),
        Rules(collar=Collar()),
        Rules(rate=Rate()),
        Rules(repeats=0),
        Rules(trades_a_day=0),
        Rules(losses_in_row=0),
        Rules(flat=Flat()),
        Rules(caps=Caps(order=0)),
        Rules(products=frozenset({"ES"})),
        Rules(hours=(Window(start=time(9), end=time(10)),)),
        Rules(news=(NEWS,)),
        Rules(opposite=False),
        Rules(mixing=False),
    ],
)
def test_a_rule_about_the_order_itself_minds_orders(rules: Rules) -> None:
    assert rules.minds_orders is True


@pytest.mark.parametrize(
    "rules",
    [
        NO_RULES,
        BOTH,
        capped(3),
        Rules(caps=Caps(account=2, minis=Decimal(3), products={"ES": 1})),
        Rules(
            daily_profit=DayLimit(amount=Decimal(1)), give_back=GiveBack(after=Decimal(1), amount=Decimal(1))
        ),
        Rules(consistency=Consistency(best_day=Decimal("0.5")), worst_case=False),
    ],
)
def test_rules_about_money_and_caps_mind_none(rules: Rules) -> None:
    assert rules.minds_orders is False


def test_it_is_a_value() -> None:
    standing = stands()
    assert isinstance(clearance(LOSS, standing), Clearance)
    assert clearance(LOSS, standing) == clearance(LOSS, standing)
