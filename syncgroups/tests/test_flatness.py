"""An account that is closed out is flat when its broker has said so since, not by what is known (F39)."""

from collections.abc import Callable

import pytest

from risk.core.standing import Lock
from syncgroups.core import flatness
from syncgroups.core.book import Book
from syncgroups.core.decision import RemarkKind
from syncgroups.core.keys import close_id
from syncgroups.tests.drifting import Desk, desk
from syncgroups.tests.plans import ES, LEADER, SECOND, follower, gate_of
from syncgroups.tests.test_breaches import lock as locked
from tradehaven.domain.commands import ClosePosition
from tradehaven.domain.enums import Ask, RefusalReason, Side, TradingState
from tradehaven.domain.ids import AccountId, ClientOrderId, Nanos, OrderId

BUY, SELL = Side.BUY, Side.SELL
TWO = AccountId(2)


def unheard() -> Desk:
    """Return a desk with an account whose line is dead, unnoticed, and whose hand has just sold five."""
    world = desk(follower(2), follower(3))
    world.is_answering = False
    order = world.trade(SELL, 5, account=TWO, seen=False)
    world.fill(order, seen=False)
    return world


def lock(world: Desk) -> None:
    """Let a broken rule close the account out."""
    world.step(locked(world, flatten=True))


def press(world: Desk) -> None:
    """Let a person close the account out behind its gate."""
    world.press(gate_of(TWO), flatten=True)


@pytest.mark.parametrize("shut", [lock, press])
def test_what_a_dead_line_hid_is_closed_when_it_is_back(shut: Callable[[Desk], None]) -> None:
    """2300489: it counted as flat by what was known, and what the hand had sold was left alone."""
    world = unheard()
    shut(world)
    world.look(5)
    assert "flat" not in world.remarks()
    world.lose(TWO)
    world.connect(TWO)
    world.wait(1)
    close = close_id(TWO, ES, world.now // SECOND)
    assert world.outbox == [ClosePosition(account=TWO, client_order_id=close, symbol=ES)]
    world.is_answering = True
    world.settle()
    world.look(2)
    assert world.held(2) == 0
    assert world.remarks() == ["flat"]


@pytest.mark.parametrize("shut", [lock, press])
def test_what_lost_frames_hid_is_closed_when_two_lists_have_said_so(
    shut: Callable[[Desk], None],
) -> None:
    world = unheard()
    shut(world)
    world.is_answering = True
    world.look(9)
    assert "flat" not in world.remarks()
    world.settle()
    world.look(7)
    world.list_again(TWO)  # the fills alone make it hold the other side: that settles it
    world.look(3)
    assert world.held(2) == 0
    assert "flat" in world.remarks()


def test_a_list_from_before_the_closing_says_nothing_about_it() -> None:
    world = desk()
    world.is_answering = False
    press(world)
    world.list_again(TWO)
    world.wait(1)
    world.wait(1)
    assert "flat" not in world.remarks()
    world.list_again(TWO)
    world.wait(1)
    assert world.remarks() == ["flat"]


def test_a_list_of_the_closing_before_says_nothing_about_this_one() -> None:
    world = desk()
    press(world)
    world.look(2)
    world.shut(gate_of(TWO), state=TradingState.ACTIVE)
    world.is_answering = False
    world.press(gate_of(TWO), flatten=True, name="2")
    world.look(5)
    assert world.remarks() == ["flat"]


def test_a_list_that_shows_something_is_not_flat_and_the_next_one_is_asked_for() -> None:
    world = desk()
    world.is_answering = False
    press(world)
    world.wait(1)
    world.list_again(TWO, **{ES: 1})
    assert list(flatness.to_ask(world.book)) == [TWO]
    world.wait(1)
    assert "flat" not in world.remarks()
    world.list_again(TWO)
    assert list(flatness.to_ask(world.book)) == []
    world.wait(1)
    assert world.remarks() == ["flat"]


def test_only_what_looks_flat_is_asked_for() -> None:
    world = desk()
    world.market(BUY, 1)
    world.settle()
    assert list(flatness.to_ask(world.book)) == []
    press(world)
    world.wait(1)
    assert list(flatness.to_ask(world.book)) == [], "its close is under way"


def test_where_a_person_closes_and_shuts_nothing_what_is_known_is_enough() -> None:
    """What its leader enters next would be closed, too, while a list is waited for."""
    world = desk()
    world.market(BUY, 1)
    world.settle()
    world.is_answering = False
    world.ask(Ask.FLATTEN, "2")
    world.settle()
    world.wait(1)
    assert RemarkKind.FLAT in world.remarks()


def test_a_lock_that_has_ended_bars_nothing() -> None:
    world = desk()
    world.is_answering = False
    now = Nanos(world.now)
    ended = Lock(reason=RefusalReason.DAILY_LOSS, detail="", since=Nanos(now - 2), until=now)
    world.book.risk.locked(TWO, ended)
    world.ask(Ask.FLATTEN, "2")
    world.wait(1)
    assert world.remarks() == ["flat"]
    assert LEADER not in world.book.flattening


# -- what flat is -------------------------------------------------------------------------------------


def listed_flat() -> Desk:
    """Return a desk whose follower is closed out, and of which a list has said since that it is flat."""
    world = desk()
    world.press(gate_of(TWO), flatten=True)
    world.wait(1)
    assert flat(world)
    return world


def flat(world: Desk) -> bool:
    return flatness.is_flat(world.plan, world.book, TWO, Nanos(world.now))


@pytest.mark.parametrize(
    "left",
    [
        lambda book: book.working[TWO].add(OrderId(5)),
        lambda book: book.open_copies[TWO].update({ClientOrderId("th1"): None}),
        lambda book: book.positions.__setitem__((TWO, ES), 1),
        lambda book: book.reported.update({(TWO, ES): 1}),
    ],
)
def test_what_a_list_does_not_know_of_is_not_flat_and_not_asked_for(left: Callable[[Book], object]) -> None:
    world = listed_flat()
    left(world.book)
    assert not flat(world)
    world.book.listed.clear()
    assert list(flatness.to_ask(world.book)) == []


def test_an_account_that_was_never_listed_is_not_flat() -> None:
    world = listed_flat()
    world.book.listed.clear()
    assert not flat(world)
    assert list(flatness.to_ask(world.book)) == [TWO]


@pytest.mark.parametrize(("late", "is_flat"), [(-1, False), (0, False), (1, True)])
def test_a_list_counts_from_after_the_closing_began(late: int, is_flat: bool) -> None:
    world = listed_flat()
    world.book.listed[TWO] = Nanos(world.book.at_work.out_since[TWO] + late), {ES: 0}
    assert flat(world) is is_flat


def test_an_account_out_of_sight_is_not_flat_whoever_closed_it() -> None:
    world = desk()
    world.lose(TWO)
    world.ask(Ask.FLATTEN, "2")
    world.look(3)
    assert world.remarks() == []
    world.connect(TWO)
    world.wait(1)
    assert world.remarks() == ["flat"]
