"""What a book keeps of orders, copies and holdings, and what it answers when it is asked about them."""

from dataclasses import replace
from typing import Any

import pytest

from syncgroups.core.book import Book, OrderRecord
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.decision import Action, CopyRefused, CopyStep, Decision, Look, Remark, RemarkKind
from syncgroups.core.guards import GuardLeg, guard_id
from syncgroups.core.keys import manual_group
from syncgroups.core.waiting import LeaderOrder, Waiting
from syncgroups.tests.plans import ES, GROUP, LEADER
from tradehaven.domain.enums import OrderStatus, OrderType, RefusalReason, Side
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, Nanos, OrderId, Symbol
from tradehaven.domain.money import Ticks
from tradehaven.domain.orders import OrderSpec

BUY, SELL = Side.BUY, Side.SELL
ME, OTHER = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")
MARKET = OrderSpec(order_type=OrderType.MARKET, qty=2)
LIMIT = OrderSpec(order_type=OrderType.LIMIT, qty=2, limit=Ticks(19_000))
HOLDING = (GROUP, ME, ES, ES)


def copy(number: int, side: Side = BUY, spec: OrderSpec = MARKET, **changes: Any) -> Copy:
    made = Copy(
        key=ClientOrderId(f"th1.g9.l1.o{number}.f2"),
        group=GROUP,
        leader=LEADER,
        leader_order=OrderId(number),
        follower=ME,
        symbol=ES,
        side=side,
        target=spec,
        sent=spec,
        enters=spec.qty,
        state=CopyState.LIVE,
    )
    return made.changed(**changes)


def record(side: Side = BUY, spec: OrderSpec = MARKET, **changes: Any) -> OrderRecord:
    return replace(OrderRecord(symbol=ES, side=side, spec=spec, status=OrderStatus.WORKING), **changes)


def book_with(*copies: Copy) -> Book:
    book = Book()
    for one in copies:
        book.keep(one)
    return book


# -- what is about to trade --------------------------------------------------------------------------


def test_orders_at_the_market_fly_from_the_moment_they_are_sent_and_each_once() -> None:
    seen = copy(5, order_id=OrderId(70))
    book = book_with(
        seen, copy(6), copy(7, SELL, order_id=OrderId(71)), copy(8, symbol=NQ), copy(9, spec=LIMIT)
    )
    book.set_order(ME, OrderId(70), record(filled=1))
    book.set_order(ME, OrderId(72), record(SELL, symbol=NQ))
    book.set_order(ME, OrderId(73), record(spec=LIMIT))
    assert book.flying(ME, ES) == 1 + 2 - 2
    assert book.flying(ME, NQ) == -2 + 2
    assert book.flying(OTHER, ES) == 0


def test_around_an_order_of_ours_only_what_was_sent_before_it_flies() -> None:
    mine = copy(6, order_id=OrderId(70))
    before = copy(5, spec=replace(MARKET, qty=3))
    after = copy(7, SELL, spec=replace(MARKET, qty=5))
    of_a_later_fill = copy(
        6, key=ClientOrderId("th1.g9.l1.o6.f2.n3"), fill=FillId(3), spec=replace(MARKET, qty=9)
    )
    book = book_with(before, mine, after, of_a_later_fill)
    book.set_order(ME, OrderId(70), record())
    book.set_order(ME, OrderId(71), record(SELL))  # another hand's
    assert book.flying(ME, ES, but=OrderId(70)) == 3 - 2
    assert book.flying(ME, ES, but=OrderId(71)) == 3 + 2 - 5 + 9
    assert book.flying(ME, ES) == 3 + 2 - 5 + 9 - 2


def test_what_was_sent_before_an_order_is_in_doubt_until_somebody_answers_for_it() -> None:
    mine = copy(7, order_id=OrderId(70))
    answered = copy(5, order_id=OrderId(69), spec=replace(MARKET, qty=3))
    book = book_with(copy(4, SELL), answered, copy(6, symbol=NQ), mine, copy(8))
    book.set_order(ME, OrderId(70), record())
    book.set_order(ME, OrderId(71), record(SELL))  # another hand's
    assert book.unanswered(ME, ES, OrderId(70)) == -2
    assert book.unanswered(ME, ES, OrderId(71)) == -2 + 2
    assert book.unanswered(OTHER, ES, OrderId(70)) == 0


def test_an_order_of_ours_does_not_fly_around_itself_before_it_is_seen() -> None:
    book = book_with(copy(5, spec=replace(MARKET, qty=3)), copy(6, order_id=OrderId(70)))
    assert book.flying(ME, ES, but=OrderId(70)) == 3


def test_what_strangers_are_about_to_trade_is_told_apart_by_contract() -> None:
    book = book_with(copy(5, order_id=OrderId(70)))
    book.set_order(ME, OrderId(70), record())
    book.set_order(ME, OrderId(71), record(SELL, filled=1))
    book.set_order(ME, OrderId(72), record(SELL, symbol=NQ))
    assert (book.foreign_flying(ME, ES), book.foreign_flying(ME, NQ)) == (-1, -2)


def test_what_has_ended_flies_no_more() -> None:
    book = book_with(copy(5), copy(6, order_id=OrderId(70)))
    book.set_order(ME, OrderId(70), record())
    book.keep(copy(5, state=CopyState.ENDED))
    book.set_order(ME, OrderId(70), record(status=OrderStatus.CANCELLED))
    assert book.flying(ME, ES) == 0
    assert not book.market_copies[ME].keys() & {copy(5).key}
    assert not book.working[ME]


def test_orders_are_forgotten_with_every_list_of_them() -> None:
    book = Book()
    book.set_order(ME, OrderId(70), record())
    book.set_order(OTHER, OrderId(71), record())
    book.forget_orders(ME)
    assert list(book.orders) == [(OTHER, OrderId(71))]
    assert (book.working[ME], book.market_orders[ME]) == (set(), set())
    assert book.working[OTHER] == book.market_orders[OTHER] == {OrderId(71)}
    assert list(book.traded[ME]) == [ES], "its prices are still asked for"
    assert (set(book.at_work.others_of(ME)), set(book.at_work.others_of(OTHER))) == (set(), {OrderId(71)})


def test_an_order_of_ours_is_no_strangers_when_it_is_seen_at_work() -> None:
    book = book_with(copy(5, order_id=OrderId(70)))
    book.set_order(ME, OrderId(70), record())
    book.set_order(ME, OrderId(71), record())
    assert set(book.at_work.others_of(ME)) == {OrderId(71)}


def test_of_an_order_that_is_over_nothing_may_still_trade() -> None:
    assert (record(SELL, filled=1).unfilled, record(status=OrderStatus.CANCELLED).unfilled) == (-1, 0)


# -- whose it is -------------------------------------------------------------------------------------


def test_an_order_is_ours_where_a_copy_or_a_guard_is_known_by_its_number() -> None:
    book = book_with(copy(5, order_id=OrderId(70)))
    book.risk.guard_orders[ME, OrderId(71)] = guard_id(ME, ES, GuardLeg.STOP, 1)
    assert [book.is_ours(ME, OrderId(number)) for number in (70, 71, 72)] == [True, True, False]


def test_only_an_order_that_is_not_known_any_more_is_forgotten() -> None:
    book = Book()
    assert not book.is_forgotten(ME, OrderId(1))
    book.past.orders[ME] = OrderId(80)
    book.set_order(ME, OrderId(70), record())
    assert [book.is_forgotten(ME, OrderId(number)) for number in (70, 80, 81)] == [False, True, False]


def test_an_answer_was_given_when_it_is_a_copy_a_refusal_or_waits() -> None:
    book = book_with(copy(5))
    book.apply(Decision(refusals=(refusal(6),)))
    order = LeaderOrder(
        account=LEADER,
        order_id=OrderId(7),
        symbol=ES,
        leads=ES,
        side=SELL,
        spec=MARKET,
        before=2,
        change=-2,
        at=Nanos(1),
    )
    name = copy(7).key
    book.waiting[name] = Waiting(
        key=name, order=order, group=GROUP, follower=ME, own=2, doubts=(), placed=0, enter=0, ahead=()
    )
    assert [book.is_decided(copy(number).key) for number in (5, 6, 7, 8)] == [True, True, True, False]


def refusal(number: int, reason: RefusalReason = RefusalReason.FOLLOWER_OFFLINE) -> CopyRefused:
    return CopyRefused(
        key=copy(number).key,
        group=GROUP,
        leader=LEADER,
        leader_order=OrderId(number),
        follower=ME,
        symbol=NQ,
        action=Action.PLACE,
        reason=reason,
        detail="",
    )


def test_an_order_is_missed_under_the_contract_that_its_leader_traded_as_far_as_that_is_known() -> None:
    book = Book()
    book.set_order(LEADER, OrderId(5), record())
    reasons = (refusal(5), refusal(6), refusal(7, RefusalReason.MAX_POSITION))
    book.apply(Decision(refusals=reasons))
    assert book.missed == {copy(5).key: (GROUP, ME, NQ, ES), copy(6).key: (GROUP, ME, NQ, NQ)}
    assert book.refused[copy(7).key] is RefusalReason.MAX_POSITION
    book.keep(copy(5))
    assert list(book.missed) == [copy(6).key]
    assert copy(5).key not in book.refused


def test_an_order_that_nobody_needs_any_more_is_missed_no_more() -> None:
    book = Book()
    book.apply(Decision(refusals=(refusal(5), refusal(6))))
    look = Look(differences={}, agreed={}, taken={}, over=(copy(5).key, copy(7).key))
    book.apply(Decision(look=look))
    assert list(book.missed) == [copy(6).key]


def test_what_was_said_to_be_missed_is_looked_for_no_more() -> None:
    book = book_with(copy(5))
    book.absent_since = {copy(5).key: Nanos(1), copy(6).key: Nanos(1)}
    missed = Remark(kind=RemarkKind.MISSED, account=ME, group=GROUP, symbol=ES, detail="", key=copy(5).key)
    book.apply(Decision(remarks=(missed, replace(missed, key=None))))
    assert list(book.absent_since) == [copy(6).key]


def test_a_part_that_is_refused_leaves_the_rest_of_an_order_as_it_is() -> None:
    book = book_with(copy(5))
    book.apply(Decision(refusals=(refusal(5),)))
    assert not book.refused
    assert not book.missed


# -- holdings ----------------------------------------------------------------------------------------


def test_what_is_held_for_a_leaders_contract_is_known_with_its_side() -> None:
    book = book_with(copy(5, reverse=True, leads=NQ))
    assert book.held_for(GROUP, ME, NQ) is None
    book.hold((GROUP, ME, ES, NQ), 2)
    assert book.held_for(GROUP, ME, NQ) == (ES, True)
    book.keep(copy(6, leads=NQ))
    assert book.held_for(GROUP, ME, NQ) == (ES, False)
    book.hold((GROUP, ME, Symbol("MESZ6"), NQ), 0)
    assert book.held_for(GROUP, ME, NQ) == (ES, False), "another contract's end is not this one's"
    book.hold((GROUP, ME, ES, NQ), 0)
    assert book.held_for(GROUP, ME, NQ) is None
    assert book.changed_holdings == {(GROUP, ME, ES, NQ), (GROUP, ME, Symbol("MESZ6"), NQ)}


def test_an_account_that_is_flat_holds_nothing_for_any_group_and_others_keep_theirs() -> None:
    book = Book()
    for account in (ME, OTHER):
        book.hold((GROUP, account, ES, ES), 2)
        book.hold((GROUP, account, NQ, NQ), -1)
        book.flattening[account] = Nanos(5)
    flat = Remark(kind=RemarkKind.FLAT, account=ME, group=None, symbol=None, detail="")
    book.apply(Decision(remarks=(flat,)))
    assert {holding: net for holding, net in book.copied.items() if net} == {
        (GROUP, OTHER, ES, ES): 2,
        (GROUP, OTHER, NQ, NQ): -1,
    }
    assert book.flattening == {OTHER: 5}


def test_what_the_budget_held_back_is_kept_for_as_long_as_it_may_still_go() -> None:
    held = copy(5, held_until=Nanos(9))
    book = book_with(held)
    assert book.held == {held.key}
    book.keep(held.changed(held_until=Nanos(0)))
    assert not book.held
    book.keep(held)
    book.keep(held.changed(state=CopyState.ENDED))
    assert not book.held


def test_a_settled_successor_ends_the_chase() -> None:
    book = Book()
    book.chasing = {copy(5).key: Nanos(1), copy(6).key: Nanos(1)}
    book.apply(Decision(chased=(copy(5).key, copy(7).key)))
    assert list(book.chasing) == [copy(6).key]


# -- manual copies -----------------------------------------------------------------------------------


def manual(number: int, **changes: Any) -> Copy:
    return copy(
        number, key=ClientOrderId(f"th1h.m{number}.l1.f2.s20.t40"), group=manual_group(number), **changes
    )


def test_a_leg_is_bracketed_by_the_entry_that_has_filled_and_by_no_other() -> None:
    leg = manual(5, side=SELL, spec=LIMIT, enters=0)
    leg = leg.changed(key=ClientOrderId(f"{leg.key}.sl1"))
    other = manual(6, filled=2)
    assert not book_with(leg, other).is_bracketed(leg)
    assert not book_with(leg, manual(5)).is_bracketed(leg)
    assert book_with(leg, manual(5, filled=1)).is_bracketed(leg)
    assert book_with(leg, manual(5)).manual[ME] == {manual(5).key}, "a leg is no entry"


@pytest.mark.parametrize(("works", "held", "kept"), [(True, 0, True), (False, 1, True), (False, 0, False)])
def test_a_manual_order_is_forgotten_once_nothing_of_it_is_held_or_works(
    works: bool, held: int, kept: bool
) -> None:
    entry = manual(5, state=CopyState.LIVE if works else CopyState.ENDED)
    book = book_with(entry, manual(6))
    book.hold(manual(6).holding, 1)
    if held:
        book.hold(entry.holding, held)
    book.forget_manual()
    assert book.manual[ME] == ({entry.key} if kept else set()) | {manual(6).key}


def test_a_decision_keeps_its_copies() -> None:
    book = Book()
    book.apply(Decision(steps=(CopyStep(copy=copy(5), command=None),)))
    assert book.copies == {copy(5).key: copy(5)}
    assert book.copies_of_order(LEADER, OrderId(5)) == [copy(5)]
    assert copy(5).holding == HOLDING
