"""Rehearsals: an order of nobody's goes all the way, again and again, and leaves nothing behind."""

import gc
from pathlib import Path

import msgspec
import pytest

from brokers.clock import process_clock
from brokers.stage import SYMBOL
from syncgroups.core.book import Book
from syncgroups.core.decide import decide
from syncgroups.core.decision import Decision
from syncgroups.core.plan import OwnerPlan
from syncgroups.engine import mailbox, rehearsal
from syncgroups.engine.journal import Journal
from syncgroups.engine.rehearsal import ACTS, Rehearsal
from tradehaven.domain.commands import ClosePosition
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import Event
from tradehaven.domain.ids import AccountId, ClientOrderId, ConnectionId, Symbol


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> list[Decision]:
    """Collect what is decided on the stage."""
    found: list[Decision] = []

    def watched(plan: OwnerPlan, book: Book, event: Event) -> Decision:
        found.append(decide(plan, book, event))
        return found[-1]

    monkeypatch.setattr(mailbox, "decide", watched)
    return found


def test_an_order_goes_all_the_way_to_every_follower_with_its_limits_asked(
    decisions: list[Decision],
) -> None:
    stage = Rehearsal(process_clock())
    stage.play()
    assert stage.sent == 2
    steps = decisions[-1].steps
    assert [step.account for step in steps] == [2, 3]
    for step in steps:
        assert step.weighed.state is TradingState.ACTIVE  # type: ignore[union-attr]
        assert step.weighed.exposure == 0  # type: ignore[union-attr]
        assert step.weighed.floor == "47500"  # type: ignore[union-attr]


def test_it_begins_anew_before_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    books: list[Book] = []

    def new() -> Book:
        books.append(Book())
        return books[-1]

    monkeypatch.setattr(rehearsal, "Book", new)
    stage = Rehearsal(process_clock())
    for _ in range(3 * ACTS):
        stage.play()
    assert stage.sent == 3 * ACTS * 2
    assert len(books) == 1 + 3
    assert max(len(book.copies) for book in books) == ACTS * 2


def test_what_was_played_is_gone_without_the_collector() -> None:
    """An engine collects young garbage only: a stage that left cycles behind would eat its memory."""
    stage = Rehearsal(process_clock())
    for _ in range(2 * ACTS):
        stage.play()
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(4 * ACTS):
            stage.play()
        stage.play()
        after = len(gc.get_objects())
    finally:
        gc.enable()
    assert after - before < 100


def test_nothing_is_written_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    written: list[int] = []
    real = Journal._write

    def write(journal: Journal, data: bytes) -> int:
        written.append(len(data))
        return real(journal, data)

    monkeypatch.setattr(Journal, "_write", write)
    stage = Rehearsal(process_clock())
    stage.play()
    assert sum(written) > 500  # the journal's way is walked to its end
    assert not list(tmp_path.iterdir())
    assert not list(Path("/dev").glob("e0*.log"))


def test_a_stage_on_which_an_order_is_lost_says_so() -> None:
    stage = Rehearsal(process_clock())
    stage.play()
    stage._mailbox.book.links.clear()
    with pytest.raises(RuntimeError, match="did not reach every follower"):
        stage.play()


def test_a_gateway_says_what_it_could_send_and_sends_nothing() -> None:
    stage = Rehearsal(process_clock())
    stage.play()
    link = stage._links[ConnectionId(2)]
    close = ClosePosition(account=AccountId(2), client_order_id=ClientOrderId("c"), symbol=SYMBOL)
    before = stage.sent
    assert link.could_send(close)
    assert not link.could_send(msgspec.structs.replace(close, symbol=Symbol("NQZ9")))
    link.gateway._ready = False
    assert not link.could_send(close)
    assert stage.sent == before
