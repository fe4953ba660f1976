"""Engines broken on purpose: the drill must notice each of them, by the law that it breaks."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from risk.core import marks
from risk.core.proposal import ALLOWED
from syncgroups.core import converge, copies, folding, guarded, protect, recover, resume, share, snapshots
from syncgroups.core.book import Book
from syncgroups.core.decision import NOTHING, Decision, joined
from syncgroups.core.place import new_order
from syncgroups.engine.journal import Journal
from tests.drill.grammar import script_of
from tests.drill.laws import check
from tests.drill.rows import Rows
from tests.drill.world import drill
from tradehaven.domain.events import OrderWorking

pytestmark = pytest.mark.slow

ENOUGH = 250
"""Seeds within which a broken engine must be caught."""
Breaks = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def it_writes_the_intent_after_the_send(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Journal, "intend", Journal.note)


def it_asks_no_gate_and_no_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guarded, "review", lambda *_: ALLOWED)


def it_believes_the_first_list(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(snapshots, "SECOND_LOOK", 0)


def it_opens_late(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resume, "STALE", 10**15)


def it_answers_every_repeat(patch: pytest.MonkeyPatch) -> None:
    def again(book: Book, event: OrderWorking) -> bool:
        book.orders.pop((event.account, event.order_id), None)
        return folding._order_working(book, event)

    patch.setitem(folding._FOLDS, OrderWorking, again)
    patch.setattr(Book, "is_decided", lambda *_: False)


def it_does_not_wait_for_answers(patch: pytest.MonkeyPatch) -> None:
    real = copies.next_command

    def hasty(copy: Any, *, retry: bool = False) -> Any:
        return real(copy.changed(in_flight=None), retry=retry)

    patch.setattr(converge, "next_command", hasty)


def it_never_cancels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(converge, "withdrawn", lambda *_: Decision())
    patch.setattr(recover, "withdrawn", lambda *_: Decision())


def it_counts_exits_in_doubt_as_filled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(share, "_doubts", lambda *_: iter(()))


def it_takes_a_snapshot_for_news(patch: pytest.MonkeyPatch) -> None:
    real = recover._missed_orders

    def eager(plan: Any, book: Any, account: Any) -> Any:
        found = [real(plan, book, account)]
        for order in account.orders:
            event = OrderWorking(
                account=account.account,
                order_id=order.order_id,
                client_order_id=order.client_order_id,
                symbol=order.symbol,
                side=order.side,
                spec=order.spec,
                at=order.created_at,
            )
            found.append(new_order(plan, book, event))
        return joined(*found)

    patch.setattr(recover, "_missed_orders", eager)


def it_lets_stops_be_as_large_as_they_were(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("syncgroups.core.place.follow", lambda *_, **__: None)
    for room in (converge, recover):
        patch.setattr(room, "fitted", lambda _book, copy: copy)


def it_forgets_its_locks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Rows, "running_locks", lambda *_: [])


def it_believes_every_print(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(marks, "is_near", lambda *_: True)


def it_watches_no_position(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(protect, "looked_at", lambda *_: NOTHING)


BROKEN: dict[str, tuple[Breaks, set[str]]] = {
    "it forgets its locks": (it_forgets_its_locks, {"RISK-05"}),
    "it believes every print": (it_believes_every_print, {"F40"}),
    "it watches no position": (it_watches_no_position, {"I14b"}),
    "it writes the intent after the send": (it_writes_the_intent_after_the_send, {"I6"}),
    "it asks no gate and no limit": (it_asks_no_gate_and_no_limit, {"I7", "I8"}),
    "it believes the first list": (it_believes_the_first_list, {"I12"}),
    "it opens late": (it_opens_late, {"F01"}),
    "it answers every repeat": (it_answers_every_repeat, {"I1"}),
    "it does not wait for answers": (it_does_not_wait_for_answers, {"I16"}),
    "it never cancels": (it_never_cancels, {"I13"}),
    "it counts exits in doubt as filled": (it_counts_exits_in_doubt_as_filled, {"I5"}),
    "it takes a snapshot for news": (it_takes_a_snapshot_for_news, {"F12"}),
    "it lets stops be as large as they were": (it_lets_stops_be_as_large_as_they_were, {"I14"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_engine_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks, laws = BROKEN[name]
    breaks(monkeypatch)
    caught: set[str] = set()
    for seed in range(ENOUGH):
        caught |= {violation.law for violation in check(drill(script_of(seed)))}
        if laws <= caught:
            return
    pytest.fail(f"{laws} expected, {caught} caught")
