"""Which logins are asked for their lists, and how often."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from risk.core.rules import Rules
from syncgroups.core.book import Book
from syncgroups.core.copies import CopyState
from syncgroups.engine.looks import IN_DOUBT, IN_TURN, Looks
from syncgroups.tests.desk import desk
from syncgroups.tests.plans import LEADER, connection_of, follower, gate_of, group_of, plan_of
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId, OrderId, Symbol

TWO, THREE = connection_of(AccountId(2)), connection_of(AccountId(3))
LEADS = connection_of(LEADER)
PLAN = plan_of(group_of(follower(2)))


def _rounds(looks: Looks, seconds: int, book: Book | None = None) -> list[list[int]]:
    return [list(looks.due([(PLAN, book or Book())], 100.0 + second)) for second in range(seconds)]


def test_every_login_that_copies_is_asked_in_turn_and_not_all_at_once() -> None:
    asked = _rounds(Looks(), 61)
    for connection in (LEADS, TWO):
        times = [second for second, found in enumerate(asked) if connection in found]
        assert len(times) == 2
        assert times[1] - times[0] == IN_TURN
    assert max(len(found) for found in asked) == 1


def test_a_login_of_a_group_that_is_off_and_has_nothing_is_left_alone() -> None:
    off = plan_of(replace(group_of(follower(2)), active=False))
    looks = Looks()
    assert not any(looks.due([(off, Book())], float(second)) for second in range(100))


def test_a_login_of_a_group_that_is_off_is_asked_while_something_is_held_or_works_there() -> None:
    """A fill that the socket lost after the group was switched off would stay unknown for good."""
    off = plan_of(replace(group_of(follower(2)), active=False))
    working = desk(follower(2))
    working.trade(Side.BUY, 1, OrderType.LIMIT, limit=19_000)
    holding = Book()
    holding.positions[AccountId(2), Symbol("ESZ6")] = -1
    for book in (working.book, holding):
        looks = Looks()
        asked = {one for second in range(100) for one in looks.due([(off, book)], float(second))}
        assert asked == {TWO}
    holding.positions[AccountId(2), Symbol("ESZ6")] = 0
    looks = Looks()
    assert not any(looks.due([(off, holding)], float(second)) for second in range(100))


def test_a_login_whose_account_has_rules_is_asked_whoever_trades_there() -> None:
    """Seed 2009530: an execution was taken back, its news was lost, and nobody closed it when it was time."""
    off = plan_of(replace(group_of(follower(2)), active=False))
    ruled = replace(off.accounts[AccountId(2)], rules=Rules(worst_case=False))
    plan = replace(off, accounts={**off.accounts, AccountId(2): ruled})
    looks = Looks()
    times = [second for second in range(100) if looks.due([(plan, Book())], float(second)) == [TWO]]
    assert {later - earlier for earlier, later in pairwise(times)} == {IN_TURN}


@pytest.mark.parametrize("doubt", [{"state": CopyState.UNRESOLVED}, {"order_id": OrderId(700)}])
def test_a_login_with_an_order_in_doubt_is_asked_at_once_and_again_soon(doubt: dict[str, Any]) -> None:
    """It was never answered; or its answer named it, and it was never shown."""
    found = desk(follower(2))
    found.trade(Side.BUY, 1)
    (copy,) = found.book.copies.values()
    found.book.keep(copy.changed(**doubt))
    asked = _rounds(Looks(), 30, found.book)
    times = [second for second, logins in enumerate(asked) if TWO in logins]
    assert {later - earlier for earlier, later in pairwise(times)} == {IN_DOUBT}
    assert len([second for second, logins in enumerate(asked) if LEADS in logins]) == 1


def test_a_login_with_an_account_that_is_flat_by_our_own_word_alone_is_asked_soon_until_it_says_so() -> None:
    found = desk(follower(2))
    found.is_answering = False
    found.press(gate_of(AccountId(2)), flatten=True)
    asked = _rounds(Looks(), 30, found.book)
    assert sum(TWO in logins for logins in asked) == 30 / IN_DOUBT
    found.wait(1)
    found.list_again(AccountId(2))
    assert sum(TWO in logins for logins in _rounds(Looks(), 30, found.book)) <= 1


def test_a_login_with_a_position_in_doubt_is_asked_soon_and_one_that_is_gone_never() -> None:
    book = Book()
    book.assumed[AccountId(2), Symbol("ESZ6")] = book.sizing_until
    book.assumed[AccountId(77), Symbol("ESZ6")] = book.sizing_until
    asked = _rounds(Looks(), 30, book)
    assert sum(TWO in logins for logins in asked) == 30 / IN_DOUBT
    assert {connection for logins in asked for connection in logins} == {LEADS, TWO}
