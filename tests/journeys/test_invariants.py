"""Each law over real processes is shown a history that breaks it and one that keeps it; no process runs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.journeys import invariants, lineage
from tests.journeys.invariants import History
from tests.journeys.lineage import CopyRow, Said

KEY = "th1.g9.l1.o10.f2"
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
ACCOUNTS = {1: "LEAD", 2: "ONE"}


def at(seconds: float = 0) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def order(number: int, account: int, **more: Any) -> dict[str, Any]:
    plain = {"id": number, "accountId": account, "timestamp": at(), "ordStatus": "Filled"}
    return {"what": "event", "entityType": "order", "entity": plain | more}


def command(
    number: int, order_id: int, name: str | None, kind: str = "New", seconds: float = 0
) -> dict[str, Any]:
    entity = {
        "id": number,
        "orderId": order_id,
        "clOrdId": name,
        "commandType": kind,
        "timestamp": at(seconds),
    }
    return {"what": "event", "entityType": "command", "entity": entity}


def fill(number: int, order_id: int, action: str, qty: int) -> dict[str, Any]:
    entity = {"id": number, "orderId": order_id, "action": action, "qty": qty, "price": 5050.0}
    return {"what": "event", "entityType": "fill", "entity": entity}


def history(*entries: Mapping[str, Any]) -> History:
    return History.read(entries, ACCOUNTS)


def copied(*more: Mapping[str, Any], qty: int = 2) -> History:
    """Return a leader's entry and its copy, as they should be, and what else there is."""
    return history(
        order(10, 1), order(20, 2), command(10, 10, None), command(20, 20, KEY),
        fill(100, 10, "Buy", 2), fill(101, 20, "Buy", qty), *more,
    )  # fmt: skip


def row(**more: Any) -> CopyRow:
    return replace(CopyRow(key=KEY, state="ended", decided_at=NOON, order_id=20, filled=2), **more)


def test_two_orders_of_one_name_are_found() -> None:
    assert not invariants.one_order_for_each_intent(copied())
    doubled = copied(order(21, 2), command(21, 21, KEY))
    assert invariants.one_order_for_each_intent(doubled) == [f"I1 {KEY} was placed 2 times"]


def test_a_leaders_order_without_an_answer_is_found() -> None:
    followers = {"ONE": 2}
    assert not invariants.nothing_lost_silently(copied(), "LEAD", followers, set())
    more = copied(order(11, 1))
    assert len(invariants.nothing_lost_silently(more, "LEAD", followers, set())) == 1
    assert not invariants.nothing_lost_silently(more, "LEAD", followers, {"th1.g9.l1.o11.f2"})
    assert not invariants.nothing_lost_silently(
        copied(order(11, 1, ordStatus="Rejected")), "LEAD", followers, set()
    )


def test_another_exposure_than_the_sizing_says_is_found() -> None:
    assert not invariants.exposure_is_as_sized(copied(), {"ONE": 2})
    assert invariants.exposure_is_as_sized(copied(qty=3), {"ONE": 2}) == ["I3 ONE holds 3, not 2"]


def test_a_reduction_that_opens_or_flips_is_found() -> None:
    leaves = (order(11, 1), fill(110, 11, "Sell", 2), order(21, 2), command(21, 21, "th1.g9.l1.o11.f2"))
    assert not invariants.reductions_only_reduce(copied(*leaves, fill(111, 21, "Sell", 2)), "LEAD")
    assert len(invariants.reductions_only_reduce(copied(*leaves, fill(111, 21, "Sell", 3)), "LEAD")) == 1
    assert len(invariants.reductions_only_reduce(copied(*leaves, fill(111, 21, "Buy", 1)), "LEAD")) == 1


def test_a_position_beyond_the_cap_is_found_where_we_made_it() -> None:
    assert not invariants.caps_hold(copied(), {"ONE": 2})
    assert len(invariants.caps_hold(copied(), {"ONE": 1})) == 1
    by_hand = copied(order(30, 2), fill(130, 30, "Buy", 5))
    assert not invariants.caps_hold(by_hand, {"ONE": 2})


def test_changes_out_of_turn_or_twice_are_found() -> None:
    first, second = command(21, 20, f"{KEY}.c1", "Modify"), command(22, 20, f"{KEY}.c2", "Cancel")
    assert not invariants.told_in_turn(copied(first, second))
    early = command(20 + 3, 20, f"{KEY}.c1", "Modify")
    assert len(invariants.told_in_turn(copied(second, early))) == 1
    assert len(invariants.told_in_turn(copied(first, early))) == 1


def test_a_login_that_was_asked_too_much_in_a_minute_is_found() -> None:
    calls = [command(30 + n, 20, f"{KEY}.c{n}", "Modify", seconds=n * 10) for n in range(1, 12)]
    logins = {"ONE": "other", "LEAD": "lead"}
    assert not invariants.budget_is_kept(copied(*calls), logins, per_minute=6)
    assert invariants.budget_is_kept(copied(*calls), logins, per_minute=5)
    by_hand = [command(60 + n, 10, None, "Modify", seconds=n) for n in range(20)]
    assert not invariants.budget_is_kept(copied(*by_hand), logins, per_minute=5)


def test_what_works_without_its_leader_is_found() -> None:
    assert not invariants.nothing_is_left_working(copied(), ["ONE"])
    left = copied(order(21, 2, ordStatus="Working"))
    assert len(invariants.nothing_is_left_working(left, ["ONE"])) == 1


def test_an_order_that_was_there_before_its_decision_is_found() -> None:
    assert not lineage.decided_before_placed(copied(), [row()])
    late = row(decided_at=NOON + timedelta(seconds=1))
    assert len(lineage.decided_before_placed(copied(), [late])) == 1


def test_an_order_that_was_called_missed_or_not_sent_and_is_there_is_found() -> None:
    assert not lineage.unknown_is_not_refused(copied(), Said(missed=frozenset({"th1.g9.l1.o11.f2"})))
    assert len(lineage.unknown_is_not_refused(copied(), Said(missed=frozenset({KEY})))) == 1
    assert len(lineage.unknown_is_not_refused(copied(), Said(never_sent=frozenset({KEY})))) == 1


def test_rows_that_differ_from_the_books_are_found() -> None:
    assert not lineage.rows_tell_the_books(copied(), [row()])
    assert lineage.rows_tell_the_books(copied(), [row(filled=4)]) == [f"I15 {KEY} traded 2, its row says 4"]
    assert len(lineage.rows_tell_the_books(copied(), [row(order_id=None)])) == 1


def test_an_order_without_a_decision_on_record_is_found() -> None:
    assert not lineage.lineage(copied(), [row()])
    assert len(lineage.lineage(copied(), [])) == 1


def test_what_never_settles_is_found() -> None:
    assert not lineage.everything_settles([row()], [], {})
    assert len(lineage.everything_settles([row(state="unresolved")], [], {})) == 1
    assert not lineage.everything_settles([row(state="live")], [], {KEY: 20})
    assert lineage.everything_settles([], ["other"], {}) == ["I19 the login other is down"]
