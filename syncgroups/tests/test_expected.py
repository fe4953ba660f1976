"""When what an account holds is certain, and what its order beside the leader's is worth."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from syncgroups.core.book import Book
from syncgroups.core.copies import MAX_REFUSALS, Copy, CopyState
from syncgroups.core.expected import ahead_of_leader, entitled, excess, is_moving, is_sure, pair_of, pairs
from syncgroups.tests.desk import Desk, desk
from syncgroups.tests.plans import ES, GROUP, LEADER, SECOND, follower, group_of, plan_of
from tradehaven.domain.enums import OrderType, Side, SizingMode, SyncMode
from tradehaven.domain.ids import AccountId, ClientOrderId, GroupId, Nanos, Symbol

BUY, SELL = Side.BUY, Side.SELL
TWO, THREE = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")
HOLDING = (GROUP, TWO, ES, ES)


def resting() -> tuple[Desk, Copy]:
    """Return a desk whose follower has one order at rest, and its copy."""
    world = desk(follower(2), follower(3))
    world.trade(BUY, 1, OrderType.LIMIT, limit=19_000)
    world.settle()
    (copy,) = (copy for copy in world.book.copies.values() if copy.follower == TWO)
    return world, copy


def test_an_account_at_rest_does_not_move() -> None:
    world, _ = resting()
    assert not is_moving(world.book, TWO, ES)
    assert not is_moving(Book(), TWO, ES)


Trouble = Callable[[Book, Copy], None]
MOVES: dict[str, Trouble] = {
    "flattening": lambda book, copy: book.flattening.update({TWO: Nanos(0)}),
    "a position in doubt": lambda book, copy: book.assumed.update({(TWO, ES): Nanos(0)}),
    "fills and reports differ": lambda book, copy: book.reported.update({(TWO, ES): 3}),
    "an order chased": lambda book, copy: book.chasing.update({copy.key: Nanos(0)}),
    "unanswered": lambda book, copy: book.keep(copy.changed(state=CopyState.UNRESOLVED)),
    "told": lambda book, copy: book.keep(copy.changed(in_flight=ClientOrderId("x"))),
    "held back": lambda book, copy: book.keep(copy.changed(held_until=Nanos(SECOND))),
    "to be cancelled": lambda book, copy: book.keep(copy.changed(target=None)),
}


@pytest.mark.parametrize("trouble", MOVES)
def test_a_contract_moves_while_anything_about_it_is_open_and_no_other_one_does(trouble: str) -> None:
    world, copy = resting()
    MOVES[trouble](world.book, copy)
    assert is_moving(world.book, TWO, ES)
    assert not is_moving(world.book, THREE, ES)
    assert is_moving(world.book, TWO, NQ) is (trouble == "flattening")


def test_a_cancel_that_is_stuck_moves_nothing_any_more() -> None:
    world, copy = resting()
    world.book.keep(copy.changed(target=None, refusals=MAX_REFUSALS))
    assert not is_moving(world.book, TWO, ES)


def test_a_report_of_nothing_where_nothing_was_traded_moves_nothing() -> None:
    world, _ = resting()
    world.report(TWO, NQ)
    assert not is_moving(world.book, TWO, NQ)


def test_what_is_held_is_not_sure_while_an_exit_of_the_account_waits() -> None:
    """It waits for an entry that rests although its leader's has filled: nothing moves, and it may fill."""
    world = desk(follower(2), follower(3))
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.fill(world.resting(3)[0].order_id)
    world.fill(order)
    world.market(SELL, 1)
    world.settle()
    assert [waiting.follower for waiting in world.book.waiting.values()] == [TWO]
    for account, sure in ((TWO, False), (THREE, True)):
        pair = pair_of(world.plan.groups[0], (GROUP, account, ES, ES), world.book)
        assert pair is not None
        assert not is_moving(world.book, account, ES)
        assert is_sure(world.plan, world.book, pair) is sure


def test_an_order_at_the_market_moves_its_contract() -> None:
    world = desk(follower(2))
    world.trade(BUY, 1)
    assert is_moving(world.book, LEADER, ES)
    assert not is_moving(world.book, LEADER, NQ)


def test_a_flat_leader_entitles_to_nothing_and_a_fixed_size_bounds_nothing_else() -> None:
    fixed = follower(2, sizing=SizingMode.FIXED, fixed_qty=2)
    world = desk(fixed)
    pair = pair_of(world.plan.groups[0], HOLDING, world.book)
    assert pair is not None
    assert entitled(world.book, pair) == (0, 0)
    world.book.positions[LEADER, ES] = 3
    assert entitled(world.book, pair) == (3, None)


@pytest.mark.parametrize(
    ("leader", "own", "held", "many"), [(0, 2, 2, 2), (0, 2, 1, 1), (1, 3, 3, 2), (-1, 2, 2, 2), (3, 3, 3, 0)]
)
def test_too_much_is_what_is_held_beyond_the_leaders_share(
    leader: int, own: int, held: int, many: int
) -> None:
    world = desk(follower(2))
    world.book.positions[LEADER, ES], world.book.positions[TWO, ES] = leader, held
    world.book.hold(HOLDING, own)
    pair = pair_of(world.plan.groups[0], HOLDING, world.book)
    assert pair is not None
    assert excess(world.book, pair) == many


def test_nothing_is_too_much_where_no_position_is_known() -> None:
    world = desk(follower(2))
    world.book.hold(HOLDING, 2)
    pair = pair_of(world.plan.groups[0], HOLDING, world.book)
    assert pair is not None
    assert excess(world.book, pair) == 0


def test_what_came_of_an_order_that_still_rests_at_the_leader_is_not_too_much() -> None:
    world, _ = resting()
    (mine,) = world.resting(2)
    world.fill(mine.order_id)
    pair = pair_of(world.plan.groups[0], HOLDING, world.book)
    assert pair is not None
    assert pair.own == 1
    assert excess(world.book, pair) == 0
    (theirs,) = (order for order in world.resting(3))
    world.fill(theirs.order_id)  # another follower's head start is its own
    world.cancel(world.resting(LEADER)[0].order_id)
    assert excess(world.book, pair) == 1


def test_groups_that_are_off_and_holdings_that_are_over_concern_nobody() -> None:
    world = desk(follower(2), follower(3))
    world.book.hold(HOLDING, 1)
    world.book.hold((GROUP, THREE, ES, ES), 0)
    assert [pair.account for pair in pairs(world.plan, world.book)] == [TWO]
    off = replace(world.plan, groups=(replace(world.plan.groups[0], active=False),))
    assert not list(pairs(off, world.book))


def test_a_holding_of_no_running_group_or_of_no_follower_is_nobodys() -> None:
    world = desk(follower(2))
    (group,) = world.plan.groups
    assert pair_of(group, HOLDING, world.book) is not None
    assert pair_of(group, (GROUP, AccountId(7), ES, ES), world.book) is None
    assert pair_of(group, (GroupId(10), TWO, ES, ES), world.book) is None
    assert pair_of(replace(group, active=False), HOLDING, world.book) is None
    assert pair_of(None, HOLDING, world.book) is None


def test_only_what_an_account_filled_itself_on_its_own_side_puts_it_ahead() -> None:
    world = desk(follower(2), follower(3))
    world.market(BUY, 3)
    world.settle()
    world.trade(SELL, 2, OrderType.LIMIT, limit=21_000)
    world.trade(BUY, 2, OrderType.LIMIT, limit=19_000)
    world.settle()
    target, _ = world.resting(2)
    world.fill(target.order_id, 1)
    _, entry = world.resting(3)
    world.fill(entry.order_id)
    world.book.positions[LEADER, ES] = 1
    found = [pair_of(world.plan.groups[0], (GROUP, account, ES, ES), world.book) for account in (TWO, THREE)]
    assert [(pair.own, excess(world.book, pair)) for pair in found if pair is not None] == [(2, 1), (5, 2)]


def test_who_holds_nothing_any_more_is_ahead_of_nobody() -> None:
    world, _ = resting()
    world.fill(world.resting(2)[0].order_id)
    pair = pair_of(world.plan.groups[0], HOLDING, world.book)
    assert pair is not None
    assert ahead_of_leader(world.book, pair) == 1
    world.market(SELL, 1, account=TWO)
    pair = pair_of(world.plan.groups[0], HOLDING, world.book)
    assert pair is not None
    assert (pair.own, ahead_of_leader(world.book, pair)) == (0, 0)


def too_much(world: Desk) -> int:
    """Return what account 2 holds too many when its leader has gone flat beside its order."""
    world.book.positions[LEADER, ES] = 0
    pair = pair_of(world.plan.groups[0], HOLDING, world.book)
    assert pair is not None
    return excess(world.book, pair)


@pytest.mark.parametrize(
    ("ratio", "leaders", "left_behind"),
    [("1", 0, 0), ("1", 3, 3), ("1", 4, 0), ("3/5", 1, 0), ("3/5", 2, 0), ("3/5", 3, 1)],
)
def test_what_the_leader_has_filled_of_an_order_that_rests_is_no_head_start(
    ratio: str, leaders: int, left_behind: int
) -> None:
    """Seed 322287: one contract that its leader still waits for excused all that was left behind."""
    world = desk(follower(2, ratio=ratio))
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=19_000)
    world.settle()
    if leaders < 4:
        world.fill(world.resting(2)[0].order_id)
    if leaders:
        world.fill(order, leaders)
    assert too_much(world) == left_behind


@pytest.mark.parametrize(("then", "left_behind"), [("1", 4), ("2", 4), ("3", 2), ("4", 0)])
def test_a_head_start_has_the_size_in_which_it_was_sent_or_a_larger_one_of_today(
    then: str, left_behind: int
) -> None:
    world = desk(follower(2, ratio="2"))
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=19_000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.fill(order, 2)
    world.plan = plan_of(group_of(follower(2, ratio=then)))
    assert too_much(world) == left_behind


@pytest.mark.parametrize("moves", [(1,), (4, 1), (1, 4, 1)])
def test_a_head_start_beyond_what_its_leaders_order_is_for_by_now_is_too_much(moves: tuple[int, ...]) -> None:
    """Seed 1320599: three were filled before the leader's order became one for one."""
    world = desk(follower(2))
    order = world.trade(BUY, 3, OrderType.LIMIT, limit=19_000)
    world.settle()
    for qty in moves[:-1]:
        world.change(order, qty=qty)
        world.settle()
    (mine,) = world.resting(2)
    world.fill(mine.order_id)
    assert too_much(world) == 0
    world.change(order, qty=moves[-1])
    world.settle()
    assert too_much(world) == mine.filled - 1


@pytest.mark.parametrize(
    ("ratio", "now", "excused"), [("1", "1", 1), ("2", "2", 2), ("2", "1", 2), ("1", "2", 2)]
)
def test_a_head_start_that_turned_its_follower_has_the_size_of_its_share(
    ratio: str, now: str, excused: int
) -> None:
    """Seed 2121408: it closed all that was held, more than its share, and that counted as its size."""
    world = desk(follower(2, ratio=ratio))
    world.market(SELL, 4)
    world.settle()
    world.market(BUY, 3, account=LEADER, seen=False)
    order = world.trade(BUY, 4, OrderType.STOP, stop=20_100)
    world.settle()
    (mine,) = world.resting(2)
    world.fill(mine.order_id)
    assert mine.filled == int(ratio) * (4 + 3)
    assert world.held(2) == 3 * int(ratio)
    world.plan = plan_of(group_of(follower(2, ratio=now)))
    world.change(order, qty=1)
    world.settle()
    assert too_much(world) == 3 * int(ratio) - excused


def test_of_an_order_known_by_its_name_alone_the_leaders_is_taken_as_it_is_now() -> None:
    world = desk(follower(2))
    world.trade(BUY, 2, OrderType.LIMIT, limit=19_000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    (copy,) = world.book.copies.values()
    world.book.keep(copy.changed(share_of=0))
    world.plan = plan_of(group_of(follower(2, ratio="1/2")))
    assert (copy.share_of, too_much(world)) == (2, 0)


def test_an_order_that_took_the_place_of_another_has_the_size_of_the_first() -> None:
    world = desk(follower(2))
    world.trade(BUY, 4, OrderType.LIMIT, limit=19_000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    (copy,) = world.book.copies.values()
    rest = copy.changed(key=ClientOrderId(f"{copy.key}.r1"), filled=0, sent=replace(copy.sent, qty=1))
    world.book.keep(rest)
    world.plan = plan_of(group_of(follower(2, ratio="1/4")))
    assert too_much(world) == 0


def test_a_fixed_size_belongs_to_a_whole_order_as_long_as_that_rests() -> None:
    world = desk(follower(2, sizing=SizingMode.FIXED, fixed_qty=3))
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=19_000)
    world.settle()
    world.fill(world.resting(2)[0].order_id)
    world.fill(order, 3)
    assert too_much(world) == 0
    world.fill(order, 1)
    assert too_much(world) == 3


def test_an_answer_to_a_fill_is_no_head_start() -> None:
    world = desk(follower(2), mode=SyncMode.CONFIRMED)
    order = world.trade(BUY, 4, OrderType.LIMIT, limit=19_000)
    world.fill(order, 2)
    world.settle()
    assert world.held(2) == 2
    assert too_much(world) == 2
