"""What a snapshot or a list of positions is silent about, and when that silence counts."""

from decimal import Decimal

import pytest

from risk.core.ledger import Ledger
from syncgroups.core.book import Book
from syncgroups.core.stated import SECOND_LOOK, positions_listed, positions_stated, within
from syncgroups.tests.plans import ES, GROUP
from tradehaven.domain.events import AccountSnapshot, PositionReported
from tradehaven.domain.ids import AccountId, Nanos, Symbol

TWO, THREE = AccountId(2), AccountId(3)
NQ = Symbol("NQZ6")
NOW = 1_000 * SECOND_LOOK


def _position(net: int, account: AccountId = TWO, symbol: Symbol = ES) -> PositionReported:
    return PositionReported(account=account, symbol=symbol, net=net, price=None, at=Nanos(NOW))


def _state(book: Book, *positions: PositionReported, at: int = NOW) -> None:
    snapshot = AccountSnapshot(account=TWO, orders=(), fills=(), positions=positions, balance=None)
    positions_stated(book, snapshot, Nanos(at))


def _list(book: Book, *positions: PositionReported, at: int) -> None:
    positions_listed(book, (TWO, THREE), positions, Nanos(at))


def test_of_a_copied_holding_no_more_is_there_than_the_account_holds_on_that_side() -> None:
    assert (within(3, 2), within(2, 3), within(-3, -2), within(-2, -5)) == (2, 2, -2, -2)
    assert (within(3, -2), within(-3, 2), within(3, 0), within(0, 2)) == (0, 0, 0, 0)


def test_a_snapshot_counts_for_its_own_account_alone() -> None:
    book = Book()
    for account in (TWO, THREE):
        book.positions[account, ES] = book.reported[account, ES] = 5
    _state(book, _position(2))
    assert dict(book.positions) == {(TWO, ES): 2, (THREE, ES): 5}
    assert book.reported == {(TWO, ES): 2, (THREE, ES): 5}
    assert not book.assumed


def test_what_a_snapshot_is_silent_about_is_doubted_wherever_it_was_known_from() -> None:
    book = Book()
    book.positions[TWO, ES] = 2
    book.positions[TWO, Symbol("CLZ6")] = 0
    book.copied[GROUP, TWO, NQ, NQ] = 1
    book.copied[GROUP, TWO, Symbol("GCZ6"), Symbol("GCZ6")] = 0
    book.copied[GROUP, THREE, Symbol("YMZ6"), Symbol("YMZ6")] = 4
    _state(book)
    assert set(book.assumed) == {(TWO, ES), (TWO, NQ)}
    assert set(book.assumed.values()) == {NOW}


def test_silence_counts_as_flat_when_it_was_met_twice_far_enough_apart() -> None:
    book = Book()
    book.positions[TWO, ES] = 2
    _state(book)
    _list(book, at=NOW + SECOND_LOOK - 1)
    assert book.assumed == {(TWO, ES): NOW}
    _list(book, at=NOW + SECOND_LOOK)
    assert not book.assumed
    assert book.positions.get((TWO, ES), 0) == 0


def test_a_list_that_names_what_was_doubted_ends_the_doubt_with_its_figure() -> None:
    book = Book()
    book.positions[TWO, ES] = 2
    book.assumed[THREE, ES] = Nanos(NOW)
    _state(book)
    _list(book, _position(1), at=NOW + 1)
    assert book.positions[TWO, ES] == book.reported[TWO, ES] == 1
    assert set(book.assumed) == {(THREE, ES)}
    assert book.listed[TWO] == (NOW + 1, {ES: 1})


def test_a_list_says_nothing_about_what_was_not_in_doubt() -> None:
    book = Book()
    book.positions[TWO, ES] = book.reported[TWO, ES] = 3
    _list(book, _position(1), _position(7, AccountId(9)), at=NOW)
    assert book.positions[TWO, ES] == book.reported[TWO, ES] == 3
    assert (AccountId(9), ES) not in book.positions


def test_a_snapshot_forgets_the_reports_before_it_also_of_what_it_leaves_out() -> None:
    book = Book()
    book.positions[TWO, NQ] = book.reported[TWO, NQ] = 2
    book.reported[THREE, NQ] = 7
    _state(book, _position(1))
    assert book.reported == {(TWO, ES): 1, (THREE, NQ): 7}


def test_two_snapshots_far_enough_apart_end_a_doubt_and_only_that_of_their_account() -> None:
    book = Book()
    book.positions[TWO, ES] = 2
    book.assumed[THREE, NQ] = Nanos(NOW)
    _state(book)
    assert set(book.assumed) == {(TWO, ES), (THREE, NQ)}
    _state(book, at=NOW + SECOND_LOOK)
    assert set(book.assumed) == {(THREE, NQ)}


# -- lists that go on saying what nobody reported ----------------------------------------------------


@pytest.fixture
def lost() -> Book:
    """Return a book in which fills and reports agree: one account holds five, another one."""
    book = Book()
    for account, net in ((TWO, 5), (THREE, 1)):
        book.positions[account, ES] = book.reported[account, ES] = net
    return book


def test_a_list_becomes_a_report_when_it_says_the_same_five_seconds_later(lost: Book) -> None:
    _list(lost, _position(1), _position(1, THREE), at=NOW)
    _list(lost, _position(1), _position(1, THREE), at=NOW + SECOND_LOOK - 1)
    assert lost.reported[TWO, ES] == 5
    _list(lost, _position(1), _position(1, THREE), at=NOW + SECOND_LOOK)
    assert lost.reported == {(TWO, ES): 1, (THREE, ES): 1}
    assert lost.positions[TWO, ES] == 5, "what it really holds is for a second look"


def test_lists_that_leave_a_position_out_report_that_nothing_is_held(lost: Book) -> None:
    for at in (NOW, NOW + SECOND_LOOK):
        _list(lost, _position(1, THREE), at=at)
    assert lost.reported[TWO, ES] == 0


def test_lists_report_a_contract_of_which_nobody_has_heard(lost: Book) -> None:
    for at in (NOW, NOW + SECOND_LOOK):
        _list(lost, _position(5), _position(1, THREE), _position(1, symbol=NQ), at=at)
    assert lost.reported[TWO, NQ] == 1


def test_lists_that_say_something_else_each_time_report_nothing(lost: Book) -> None:
    for net in (1, 2, 3):
        _list(lost, _position(net), _position(1, THREE), at=NOW + net * SECOND_LOOK)
    assert lost.reported[TWO, ES] == 5


def test_lists_that_agree_with_the_fills_leave_a_report_that_does_not_as_it_is(lost: Book) -> None:
    lost.reported[TWO, ES] = 0
    for at in (NOW, NOW + SECOND_LOOK):
        _list(lost, _position(5), _position(1, THREE), at=at)
    assert lost.reported[TWO, ES] == 0


def test_what_lists_report_is_what_an_account_is_valued_by(lost: Book) -> None:
    lost.risk.keep(TWO, Ledger(cash=Decimal(50_000), profit=Decimal(0)))
    for at in (NOW, NOW + SECOND_LOOK):
        _list(lost, _position(1), _position(1, THREE), at=at)
    assert lost.risk.ledgers[TWO].unsettled.positions[ES].net == 1
