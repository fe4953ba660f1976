"""Sums of what works: what a copy adds is taken back when it trades, shrinks or ends."""

from collections import defaultdict

from syncgroups.core.atwork import AtWork
from syncgroups.core.copies import CopyState
from syncgroups.tests.desk import desk
from syncgroups.tests.plans import ES, LEADER, follower
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import AccountId, Nanos, OrderId, Symbol

TWO = AccountId(2)
NQ = Symbol("NQZ6")


def test_a_copy_counts_by_what_may_still_trade() -> None:
    world = desk(follower(2))
    world.trade(Side.BUY, 3, OrderType.LIMIT, limit=19_000)
    (copy,) = world.book.copies.values()
    traded: defaultdict[AccountId, dict[Symbol, None]] = defaultdict(dict)
    found = AtWork(traded)
    found.keep(None, copy)
    assert (found.outstanding(TWO, ES, Side.BUY), list(traded[TWO])) == (3, [ES])
    assert found.outstanding(TWO, ES, Side.SELL) == found.outstanding(TWO, NQ, Side.BUY) == 0
    assert found.outstanding(LEADER, ES, Side.BUY) == 0
    partly = copy.changed(filled=1)
    found.keep(copy, partly)
    assert found.outstanding(TWO, ES, Side.BUY) == 2
    found.keep(partly, partly.changed(state=CopyState.ENDED))
    assert found.outstanding(TWO, ES, Side.BUY) == 0


def test_an_order_is_another_hands_until_it_turns_out_to_be_a_copy() -> None:
    world = desk(follower(2))
    world.trade(Side.BUY, 3, OrderType.LIMIT, limit=19_000)
    (copy,) = world.book.copies.values()
    found = AtWork(defaultdict(dict))
    for number in (7, 8, 9):
        found.show(TWO, OrderId(number))
    found.keep(copy, copy.changed(order_id=OrderId(8)))
    assert set(found.others_of(TWO)) == {7, 9}
    found.end(TWO, OrderId(7))
    assert set(found.others_of(TWO)) == {9}
    found.forget(TWO)
    assert set(found.others_of(TWO)) == set()


def test_the_twins_of_one_account_are_forgotten_with_its_orders() -> None:
    known = AtWork(defaultdict(dict))
    known.twins = {(TWO, OrderId(5)): Nanos(1), (AccountId(3), OrderId(6)): Nanos(2)}
    known.forget(TWO)
    assert known.twins == {(AccountId(3), OrderId(6)): 2}


def test_only_a_twin_is_noted_as_told_to_go() -> None:
    known = AtWork(defaultdict(dict))
    known.twins = {(TWO, OrderId(5)): Nanos(0)}
    assert not known.told(TWO, OrderId(6), Nanos(7))
    assert known.told(TWO, OrderId(5), Nanos(8))
    assert known.twins == {(TWO, OrderId(5)): 8}
