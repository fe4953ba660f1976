"""What is called a difference, from when on and until when: case by case."""

import pytest

from syncgroups.core.decision import RemarkKind
from syncgroups.core.differences import DriftKind
from syncgroups.tests import bracketing
from syncgroups.tests.drifting import Desk, desk, entered, two_groups
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND
from tradehaven.domain.enums import DriftPolicy, OrderStatus, OrderType, Side
from tradehaven.domain.events import OrderEnded
from tradehaven.domain.ids import AccountId, GroupId, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
HOLDING = (GROUP, TWO, ES, ES)
NQ = Symbol("NQZ6")


# -- from when on ------------------------------------------------------------------------------------


def test_a_difference_is_told_when_five_seconds_have_seen_it() -> None:
    world = entered()
    world.unseen(SELL, 2)
    world.wait(1)
    since = world.difference(DriftKind.LEFT_BEHIND).since
    world.look_at(since + 5 * SECOND - 1)
    assert world.remarks() == []
    world.look_at(since + 5 * SECOND)
    assert world.remarks() == ["drift"]


@pytest.mark.parametrize(("side", "stands"), [(BUY, "-3"), (SELL, "+3")])
def test_a_leader_that_turned_is_named_with_what_it_holds(side: Side, stands: str) -> None:
    world = entered(side)
    world.unseen(side.opposite, 5)
    world.look()
    assert world.differs() == [("left_behind", 2, 0, 2 * side.sign)]
    (said,) = world.said(RemarkKind.DRIFT)
    assert said.detail == f"the leader is {stands}, the follower still holds {2 * side.sign:+d}"


def test_a_leader_that_is_out_is_called_flat_and_one_that_is_not_with_the_share() -> None:
    world = entered(BUY, 4)
    world.unseen(SELL, 3)
    world.look()
    world.unseen(SELL, 1)
    world.look()
    assert [said.detail for said in world.said(RemarkKind.DRIFT)] == [
        "the leader holds +1, of which the follower's share is +1; it holds +4",
        "the leader is flat, the follower still holds +4",
    ]


def test_what_changes_is_told_as_a_change_and_not_anew() -> None:
    world = desk()
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=19_000, account=TWO)
    world.look()
    assert world.differs() == [("foreign_order", 2, 0, 3)]
    world.fill(order, 1)
    world.look(3)
    assert world.difference(DriftKind.FOREIGN_ORDER).actual == 2
    first, second = world.said(RemarkKind.DRIFT)[0], world.said(RemarkKind.DRIFT_CHANGED)[0]
    assert first.detail == f"order {order} is not ours: buy 3, left alone"
    assert second.detail == f"order {order} is not ours: buy 2, left alone"
    assert len([one for one in world.said(RemarkKind.DRIFT) if one.difference != first.difference]) == 0


def test_a_share_that_grew_is_expected_from_then_on() -> None:
    world = entered(BUY, 4)
    world.unseen(SELL, 3)
    world.look(2)
    assert world.differs() == [("too_much", 2, 1, 4)]
    world.unseen(BUY, 1)
    world.look(2)
    assert ("too_much", 2, 2, 4) in world.differs()


# -- nothing is concluded from what is not known -----------------------------------------------------


def test_a_copy_that_cannot_be_told_while_its_login_is_down_is_not_astray() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.lose(TWO)
    world.change(order, limit=19_990)
    world.look()
    assert world.differs() == []


def test_a_missing_stop_is_not_missed_while_its_holding_is_moving() -> None:
    world = entered()
    world.lose(LEADER)
    world.trade(SELL, 2, OrderType.STOP, stop=19_000, seen=False)
    world.connect(LEADER)
    world.market(BUY, 1)
    world.look(2)
    assert world.differs() == []


def test_nobody_says_whose_contracts_are_held_before_a_login_was_seen() -> None:
    """As after a start: holdings come from rows, positions only from the broker."""
    world = Desk(two_groups().plan)
    world.book.hold(HOLDING, 2)
    world.book.hold((GroupId(10), TWO, ES, ES), 1)
    world.look(2)
    assert world.differs() == []


def test_what_is_foreign_stays_named_while_its_account_is_away() -> None:
    world = desk()
    world.trade(BUY, 1, OrderType.LIMIT, limit=19_000, account=TWO)
    world.market(SELL, 2, account=TWO, symbol=NQ)
    world.wait(1)
    named = world.differs()
    assert len(named) == 2
    world.lose(TWO)
    world.look(2)
    assert world.differs() == named
    accounts = {account: plan for account, plan in world.plan.accounts.items() if account != TWO}
    object.__setattr__(world.plan, "accounts", accounts)
    world.look(2)
    assert world.differs() == []


def test_an_order_of_which_nothing_is_left_to_trade_is_not_named() -> None:
    world = desk()
    order = world.trade(BUY, 2, OrderType.LIMIT, limit=19_000, account=TWO)
    world.fill(order, 1)
    world.change(order, qty=1)
    world.wait(1)
    assert [row[0] for row in world.differs()] == ["foreign_position"]


def test_a_fill_that_came_before_the_name_of_its_order_is_not_foreign() -> None:
    world = desk()
    world.market(BUY, 2)
    (sent,) = world.outbox
    order = world.trade(BUY, 2, account=TWO, seen=False)
    world.orders[order].client_order_id = sent.client_order_id
    world.fill(order, 1)
    world.wait(1)
    assert world.differs() == []


def test_a_copy_whose_fills_are_on_the_way_is_not_astray() -> None:
    world = desk()
    order = world.trade(BUY, 1, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.change(order, limit=19_990)
    (mine,) = world.resting(2)
    ended = OrderEnded(
        account=TWO,
        order_id=mine.order_id,
        client_order_id=mine.client_order_id,
        status=OrderStatus.FILLED,
        reason="",
        at=world.at(),
    )
    world.step(ended)
    world.wait(1)
    assert world.differs() == []


def test_what_a_copy_astray_should_have_working_is_what_is_left_of_it() -> None:
    world = desk()
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.fill(world.resting(2)[0].order_id, 1)
    world.change(order, limit=19_990, qty=4)
    for _ in range(7):
        while world.outbox:
            world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    assert world.differs() == [("astray", 2, 3, 2)]


def test_what_is_foreign_stays_named_while_its_contract_moves() -> None:
    world = desk()
    world.market(SELL, 2, account=TWO)
    world.wait(1)
    hanging = world.trade(SELL, 1, account=TWO)
    world.wait(1)
    assert ("foreign_position", 2, 0, -2) in world.differs()
    world.cancel(hanging)
    world.market(BUY, 2, account=TWO)
    world.wait(1)
    assert world.differs() == []


def test_a_foreign_order_that_fills_in_part_is_named_with_what_is_left_also_while_another_moves() -> None:
    world = desk()
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=19_000, account=TWO)
    world.wait(1)
    world.trade(SELL, 1, account=TWO)
    world.fill(order, 1)
    world.wait(1)
    assert ("foreign_order", 2, 0, 2) in world.differs()


def test_who_was_left_behind_stays_so_while_its_leader_is_away() -> None:
    world = entered()
    world.unseen(SELL, 2)
    world.wait(1)
    world.lose(LEADER)
    world.look(2)
    assert world.differs() == [("left_behind", 2, 0, 2)]


def test_a_group_that_is_off_has_no_foreign_orders() -> None:
    world = desk(active=False)
    world.trade(BUY, 1, OrderType.LIMIT, limit=19_000, account=TWO)
    world.look(2)
    assert world.differs() == []


def test_a_leg_of_a_manual_copy_that_could_not_be_changed_is_nobodys_difference() -> None:
    world = bracketing.desk()
    entry = world.entered(BUY, 2, (1, 20_000))
    world.fill(entry)
    refused = 0
    for _ in range(8):
        while world.outbox:
            refused += 1
            world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    assert refused >= 5
    assert world.legs() == ((1, 19_980), (1, 20_040))
    assert not world.book.differences


# -- what the broker says ----------------------------------------------------------------------------


def test_a_report_that_the_fills_caught_up_with_is_explained_although_more_is_on_its_way() -> None:
    world = entered()
    world.stated(3)
    world.wait(1)
    assert ("unexplained", 2, 2, 3) in world.differs()
    world.trade(BUY, 1, account=TWO)
    world.stated(2)
    world.wait(1)
    assert not [row for row in world.differs() if row[0] == "unexplained"]


def test_a_report_of_nothing_where_nothing_was_traded_explains_itself() -> None:
    world = desk()
    world.report(TWO, NQ)
    world.wait(1)
    assert world.differs() == []


def test_a_list_counts_when_it_came_five_seconds_after_the_difference() -> None:
    for early, counts in ((1, False), (0, True)):
        world = entered()
        world.stated(5)
        world.wait(1)
        world.now = world.difference(DriftKind.UNEXPLAINED).since + 5 * SECOND - 1000 - early
        world.list_again(TWO)
        world.wait(1)
        assert bool(world.said(RemarkKind.BROKERS_WORD)) is counts


def test_a_list_that_leaves_a_contract_out_says_that_nothing_is_held() -> None:
    world = entered()
    world.stated(0)
    world.look()
    del world.positions[TWO, ES]
    world.list_again(TWO, NQZ6=0)
    world.wait(1)
    (said,) = world.said(RemarkKind.BROKERS_WORD)
    assert said.detail == "the fills made +2; the broker says +0 twice, and that counts"
    assert world.book.positions[TWO, ES] == 0


@pytest.mark.parametrize(
    ("stated", "listed", "detail"),
    [
        (5, 5, "the fills made +2; the broker says +5 twice, and that counts"),
        (0, 2, "the broker's report of +0 was old; +2 counts"),
    ],
)
def test_the_brokers_second_word_is_told_with_its_figures(stated: int, listed: int, detail: str) -> None:
    world = entered(drift_policy=DriftPolicy.OBSERVE)
    world.stated(stated)
    world.look()
    world.list_again(TWO, ESZ6=listed)
    world.wait(1)
    (said,) = world.said(RemarkKind.BROKERS_WORD)
    assert (said.account, said.symbol, said.detail) == (TWO, ES, detail)
    assert said.difference is not None
    assert said.difference.key.kind is DriftKind.UNEXPLAINED
    assert world.book.positions[TWO, ES] == world.book.reported[TWO, ES] == listed


def test_an_account_outside_the_plan_differs_from_nothing() -> None:
    world = desk()
    world.market(BUY, 2, account=AccountId(7))
    world.stated(5, AccountId(7))
    world.look(2)
    assert world.differs() == []
    assert LEADER in world.plan.accounts
