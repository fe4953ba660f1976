"""What the book keeps for limits: clearances that are ready before an order asks, entries counted once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.core.clearance import Clearance
from risk.core.standing import Entry, Money
from risk.tests.asking import LOSS, NOW, stands
from syncgroups.core import riskbook
from syncgroups.core.decision import Decision
from syncgroups.core.riskbook import RiskBook
from syncgroups.tests.plans import ES
from tradehaven.domain.enums import Side
from tradehaven.domain.ids import AccountId

ONE, TWO = AccountId(1), AccountId(2)
ENTRY = Entry(symbol=ES, side=Side.BUY, qty=2, at=NOW)


def _nothing_to_work_out(*_: object) -> Clearance:
    raise AssertionError("an order had to wait for a clearance")


def test_a_clearance_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    book, standing = RiskBook(), stands(-300)
    made = book.clearance_of(ONE, LOSS, standing)
    assert made.equity == "49700"
    monkeypatch.setattr(riskbook, "clearance", _nothing_to_work_out)
    assert book.clearance_of(ONE, LOSS, standing) is made


def test_money_that_moves_makes_the_next_one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    book, standing = RiskBook(), stands(-300)
    book.clearance_of(ONE, LOSS, standing)
    poorer = standing.changed(money=Money(balance=Decimal(49_000)))
    book.stand(ONE, poorer)
    monkeypatch.setattr(riskbook, "clearance", _nothing_to_work_out)
    found = book.clearance_of(ONE, LOSS, poorer)
    assert found.equity == "49000"
    assert found.objection is not None


def test_a_standing_that_only_counts_more_keeps_its_clearance(monkeypatch: pytest.MonkeyPatch) -> None:
    book, standing = RiskBook(), stands()
    made = book.clearance_of(ONE, LOSS, standing)
    monkeypatch.setattr(riskbook, "clearance", _nothing_to_work_out)
    book.stand(ONE, standing.changed(day=standing.day.changed(trades=1)))
    assert book.clearance_of(ONE, LOSS, book.standings[ONE]) is made


def test_nothing_is_worked_out_for_accounts_that_no_order_asks_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = RiskBook()
    monkeypatch.setattr(riskbook, "clearance", _nothing_to_work_out)
    book.stand(ONE, stands())
    assert book.standings[ONE] == stands()


def test_other_rules_have_another_clearance() -> None:
    book, standing = RiskBook(), stands(-950)
    assert book.clearance_of(ONE, LOSS, standing).objection is not None
    assert book.clearance_of(ONE, replace(LOSS, daily_loss=None), standing).objection is None
    assert book.clearance_of(TWO, LOSS, standing).objection is not None


def test_an_entry_counts_for_the_day_that_the_same_decision_has_looked_at() -> None:
    book = RiskBook()
    book.stand(ONE, stands())
    book.changed.clear()
    book.apply(Decision(standings=((ONE, stands(-40), None),), entries=((ONE, ENTRY), (ONE, ENTRY))))
    assert book.standings[ONE].money.balance == 49_960
    assert book.standings[ONE].day.trades == 2
    assert book.standings[ONE].day.entries == (ENTRY, ENTRY)
    assert book.changed == {ONE}


def test_an_entry_of_an_account_whose_money_nobody_knows_counts_for_nothing() -> None:
    book = RiskBook()
    book.apply(Decision(entries=((ONE, ENTRY),)))
    assert not book.standings
    assert not book.changed
