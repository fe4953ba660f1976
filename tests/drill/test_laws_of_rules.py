"""The laws about guardrails are checked: each has a history that breaks none, and one made bad by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest

from risk.core.rules import Collar, DayLimit, Drawdown, Flat, Offset, Protection, Rules, Trail
from risk.core.standing import Day, Floor, Lock, Money, Standing
from syncgroups.core.decision import Action, CopyRefused, Locked, Weighed
from syncgroups.core.plan import RestPolicy
from syncgroups.engine.records import DecisionRecord, StandingsRecord, Stood
from tests.drill.history import Accepted, Entry, Finished, History, Journalled, Planned, Quoted, Sent, Traded
from tests.drill.laws import check
from tests.drill.people import ES, GROUP, LEADER, OWNER
from tests.drill.script import Bust, Deed, Script
from tests.drill.stories import BUY, TWO, leave, limit, market, price, ruled, story_of
from tests.drill.world import drill
from tradehaven.domain.commands import PlaceOrder
from tradehaven.domain.enums import RefusalReason, RestRule, TradingState
from tradehaven.domain.ids import ClientOrderId, Nanos, OrderId

LOSS = Rules(daily_loss=DayLimit(amount=Decimal(500)))
DRAWDOWN = Rules(drawdown=Drawdown(trail=Trail.INTRADAY, amount=Decimal(2_000), start=Decimal(50_000)))
STOPPED = Rules(protection=Protection(stop=Offset(value=Decimal(20))))
BY_SIX = Rules(flat=Flat(at=time(10, 0, 6)))

ROUND_TRIP = story_of((2, market(BUY, 2)), (8, leave()))
BREACH = ruled(story_of((2, market(BUY, 2)), (4, price(-30)), (7, market(BUY, 1)), (9, leave())), LOSS)
"""Account 2 loses 750 USD, is closed out and takes no part in the leader's next entry."""
RESTS = story_of((2, limit(BUY, 2, 4)), (4, price(-6)), (6, market(BUY, 1)))


def _rested() -> Script:
    people, rule = RESTS.people, RestPolicy(after=2, entries=RestRule.MARKET)
    return replace(
        RESTS, people=replace(people, groups=tuple(replace(one, rests=rule) for one in people.groups))
    )


def _mine(entry: Entry) -> bool:
    image = getattr(entry, "order", None) or getattr(entry, "fill", None)
    return image is not None and image.account == TWO


def _last(history: History, *kinds: type) -> int:
    return max(n for n, entry in enumerate(history.entries) if isinstance(entry, kinds) and _mine(entry))


def _end(history: History) -> Nanos:
    return history.entries[-1].at


def an_entry_behind_a_lock(history: History) -> None:
    """F38: the first entry of account 2 is written once more, at the end."""
    sent = [e for e in history.entries if isinstance(e, Sent) and isinstance(e.command, PlaceOrder)]
    entry = next(one for one in sent if one.command.account == TWO)
    history.add(replace(entry, at=_end(history)))


def a_loss_that_locks_nobody(history: History) -> None:
    """F38, at rest."""
    assert history.rest is not None
    history.rest = replace(history.rest, locks={})


def a_close_that_never_traded(history: History) -> None:
    """F39, F44: account 2 keeps what it should have closed."""
    del history.entries[_last(history, Traded)]


def a_lock_for_a_price_that_never_was(history: History) -> None:
    """F40."""
    at = _end(history)
    lock = Lock(reason=RefusalReason.DAILY_LOSS, detail="600.00 USD are lost", since=at, until=Nanos(at + 1))
    record = DecisionRecord(OWNER, at, at, [], (), (), (Locked(account=TWO, lock=lock, flatten=False),))
    history.add(Journalled(at, 1, record))
    history.recorded.append(record)


def an_entry_on_an_old_quote(history: History) -> None:
    """F40: no price ever came."""
    history.entries = [entry for entry in history.entries if not isinstance(entry, Quoted)]


def an_exit_that_a_rule_refused(history: History) -> None:
    """RISK-02."""
    weighed = Weighed(2, -2, 2, 2, 0, None, None, TradingState.ACTIVE, 0)
    refusal = CopyRefused(
        key=ClientOrderId("th1.g9.l1.o1.f2"),
        group=GROUP,
        leader=LEADER,
        leader_order=OrderId(1),
        follower=TWO,
        symbol=ES,
        action=Action.PLACE,
        reason=RefusalReason.DAILY_LOSS,
        detail="",
        weighed=weighed,
    )
    history.recorded.append(DecisionRecord(OWNER, _end(history), _end(history), [], (refusal,), ()))


def a_copy_that_rests_for_ever(history: History) -> None:
    """COPY-06: the order of account 2 neither traded nor ended."""
    name = next(e.order.order_id for e in history.entries if isinstance(e, Accepted) and _mine(e))
    history.entries = [entry for entry in history.entries if _about(entry) != name]


def _about(entry: Entry) -> OrderId | None:
    if isinstance(entry, Finished):
        return entry.order.order_id
    return entry.fill.order_id if isinstance(entry, Traded) else None


def an_entry_in_quarantine(history: History) -> None:
    """COPY-09: the story is told again with settings that had the contract in quarantine."""
    for number, entry in enumerate(history.entries):
        if isinstance(entry, Planned):
            (group,) = entry.plan.groups
            shut = tuple(replace(one, quarantined=frozenset({ES})) for one in group.followers)
            plan = replace(entry.plan, groups=(replace(group, followers=shut),))
            history.entries[number] = Planned(entry.at, plan)


def a_floor_that_fell(history: History) -> None:
    """I9."""
    money, day = Money(balance=Decimal(50_000)), Day(reference=Decimal(50_000), ends=_end(history))
    for floor in (48_500, 48_400):
        known = Floor(high=Decimal(50_000), floor=Decimal(floor))
        stood = Stood(standing=Standing(money=money, day=day, floor=known))
        history.recorded.append(StandingsRecord(OWNER, _end(history), {TWO: stood}))


def a_stop_that_was_never_placed(history: History) -> None:
    """I14."""
    number = _last(history, Accepted)
    entry = history.entries[number]
    assert isinstance(entry, Accepted)
    assert entry.order.spec.stop is not None
    del history.entries[number]


def money_that_is_only_believed(history: History) -> None:
    """I15."""
    assert history.rest is not None
    history.rest = replace(history.rest, equities={TWO: Decimal(51_000)})


def a_fill_of_one_too_many(history: History) -> None:
    """F26: account 2 bought three for two, sold two, and nobody was told of the third."""
    for number, entry in enumerate(history.entries):
        if isinstance(entry, Traded) and _mine(entry):
            first = entry.before == 0
            fill = replace(entry.fill, qty=3) if first else entry.fill
            history.entries[number] = replace(
                entry, fill=fill, before=0 if first else 3, after=3 if first else 1
            )


BROKEN_RULES: dict[str, tuple[Script, Callable[[History], None]]] = {
    "F26": (ROUND_TRIP, a_fill_of_one_too_many),
    "F38": (BREACH, an_entry_behind_a_lock),
    "F38b": (BREACH, a_loss_that_locks_nobody),
    "F39": (BREACH, a_close_that_never_traded),
    "F40": (ruled(ROUND_TRIP, LOSS), a_lock_for_a_price_that_never_was),
    "F40b": (ruled(ROUND_TRIP, Rules(collar=Collar())), an_entry_on_an_old_quote),
    "F44": (ruled(ROUND_TRIP, BY_SIX), a_close_that_never_traded),
    "I9b": (ruled(ROUND_TRIP, DRAWDOWN), a_floor_that_fell),
    "I14b": (ruled(story_of((2, market(BUY, 2))), STOPPED), a_stop_that_was_never_placed),
    "I15b": (ruled(ROUND_TRIP, LOSS), money_that_is_only_believed),
    "RISK-02": (ROUND_TRIP, an_exit_that_a_rule_refused),
    "RISK-05": (BREACH, a_loss_that_locks_nobody),
    "COPY-06": (_rested(), a_copy_that_rests_for_ever),
    "COPY-09": (ROUND_TRIP, an_entry_in_quarantine),
}


@pytest.mark.parametrize("law", BROKEN_RULES)
def test_a_bad_history_is_caught(law: str) -> None:
    script, breaks = BROKEN_RULES[law]
    history = drill(script)
    assert check(history) == []
    breaks(history)
    assert law in {violation.law for violation in check(history)}


def test_a_breach_is_locked_closed_and_left_out_of_what_comes() -> None:
    history = drill(BREACH)
    assert history.rest is not None
    assert history.rest.locks[TWO].reason is RefusalReason.DAILY_LOSS
    entered = [
        e.command for e in history.entries if isinstance(e, Sent) and isinstance(e.command, PlaceOrder)
    ]
    assert [command.account for command in entered].count(TWO) == 1
    last = history.entries[_last(history, Traded)]
    assert isinstance(last, Traded)
    assert last.after == 0


def test_a_position_that_stood_without_its_stop_for_long_is_caught() -> None:
    """I14 in fair weather: the stop comes, but five seconds late."""
    history = drill(ruled(story_of((2, market(BUY, 2))), STOPPED))
    number = _last(history, Accepted)
    entry = history.entries.pop(number)
    assert isinstance(entry, Accepted)
    late = replace(entry, at=Nanos(entry.at + 5_000_000_000))
    place = next(n for n, found in enumerate(history.entries) if found.at > late.at)
    history.entries.insert(place, late)
    assert "I14b" in {violation.law for violation in check(history)}


@pytest.mark.parametrize(("way_out", "pick"), [(price(1), 0), (leave(), 1)])
def test_what_a_bust_has_left_asks_for_no_stop_before_that_can_be_known(way_out: Deed, pick: int) -> None:
    """Seed 119715: the broker must say twice that an entry, or an exit, has been taken back."""
    lines = (2, market(BUY, 2)), (4, way_out), (5, Bust(account=TWO, pick=pick)), (6, market(BUY, 1))
    assert check(drill(ruled(story_of(*lines), STOPPED))) == []
