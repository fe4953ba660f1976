"""The governors of the engine, the alarm that wakes it, and what of both is written down and found again."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.clock import process_clock
from brokers.core.budget import CallLimits, Usage
from brokers.models import Connection
from brokers.services.budgets import record_silence, record_usage
from syncgroups.core.copies import CopyState
from syncgroups.engine import books, plans
from syncgroups.engine.alarm import Alarm
from syncgroups.engine.budgets import Budgets
from syncgroups.engine.plans import BudgetRow
from syncgroups.models import Activity, CopiedOrder
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from syncgroups.tests.plans import SECOND
from syncgroups.tests.rows import TWO, Engine, settle_in
from tradehaven.domain.commands import Denied, Lane, PlaceOrder
from tradehaven.domain.enums import RefusalReason, Side
from tradehaven.domain.events import Event, SilenceAsked
from tradehaven.domain.ids import ConnectionId, Nanos, OwnerId

NOW = Nanos(1_795_017_600 * SECOND)
ROW = BudgetRow(
    login=("live", 7),
    limits=CallLimits(),
    usage=Usage(minute=55, hour=900),
    used_at=Nanos(NOW - SECOND),
    silent_until=Nanos(0),
)
ONE, OTHER = ConnectionId(1), ConnectionId(2)


@pytest.fixture
def owner(alice: User) -> User:
    settle_in(alice)
    return alice


# -- governors ----------------------------------------------------------------------------------------


def test_a_governor_outlives_links_and_is_shared_by_all_who_connected_the_login() -> None:
    budgets = Budgets()
    governor = budgets.governor(ONE, ROW, NOW)
    assert budgets.governor(ONE, ROW, NOW) is governor
    assert budgets.governor(OTHER, ROW, NOW) is governor
    assert budgets.governor(OTHER, replace(ROW, login=("demo", 7)), NOW) is not governor
    assert governor.usage(NOW) == Usage(minute=55, hour=900)


def test_a_silence_that_another_process_met_is_kept() -> None:
    budgets = Budgets()
    governor = budgets.governor(ONE, ROW, NOW)
    budgets.governor(ONE, replace(ROW, silent_until=Nanos(NOW + 60 * SECOND)), NOW)
    assert governor.admit(Lane.ENTRY, NOW) is not None
    budgets.governor(ONE, replace(ROW, silent_until=Nanos(NOW - SECOND)), NOW)
    assert governor.silent_until == NOW + 60 * SECOND


def test_figures_are_told_while_they_change_and_once_more_when_all_is_quiet() -> None:
    budgets = Budgets()
    budgets.governor(ONE, replace(ROW, usage=Usage()), NOW)
    assert budgets.fresh(NOW) == {ONE: Usage()}
    assert budgets.fresh(NOW) == {}
    budgets.governor(ONE, ROW, NOW).admit(Lane.ENTRY, NOW)
    assert budgets.fresh(NOW) == budgets.fresh(NOW) == {ONE: Usage(minute=1, hour=1)}
    later = Nanos(NOW + 120 * SECOND)
    assert budgets.fresh(later) == {ONE: Usage(hour=1)}
    assert budgets.fresh(later) == {}


# -- the alarm ----------------------------------------------------------------------------------------


def test_the_alarm_rings_for_each_moment_in_order_and_once_for_those_together() -> None:
    clock, rings = process_clock(), list[Event]()

    async def story() -> None:
        alarm = Alarm(rings.append, clock)
        now = clock.nanos()
        for milliseconds in (80, 20, 20, 21, 50):
            alarm.ring_at(Nanos(now + milliseconds * 1_000_000))
        await asyncio.sleep(0.15)
        after = [round((ring.at - now) / 1e6) for ring in rings]
        assert after == sorted(after)
        assert 3 <= len(rings) <= 4
        assert after[0] >= 20
        assert after[-1] >= 80

    asyncio.run(story())


# -- rows ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_engine_reads_limits_use_and_silence_from_the_rows(owner: User) -> None:
    login = Connection.objects.get(pk=1002)
    now = timezone.now()
    record_usage({ConnectionId(login.pk): Usage(minute=3, hour=4)}, now)
    record_silence(login.pk, now + timedelta(hours=1), "429")
    row = next(r for r in plans.settings_of(OwnerId(owner.pk)).logins if r.connection == login.pk).budget
    assert row.login == ("paper", login.broker_user_id)
    assert row.usage == Usage(minute=3, hour=4)
    assert row.silent_until > row.used_at > 0


@pytest.mark.django_db
def test_a_silence_is_written_down_once_and_said(owner: User, tmp_path: Path) -> None:
    engine = Engine(owner, tmp_path)
    until = Nanos(engine.world.now + 3600 * SECOND)
    for _ in range(2):
        asked = SilenceAsked(connection=ConnectionId(1002), until=until, reason="429", at=engine.world.at())
        engine.mailbox.post(asked)
    engine.recorder.drain()
    row = Connection.objects.get(pk=1002)
    assert row.silent_reason == "429"
    assert row.silent_until is not None
    assert Activity.objects.filter(text__contains="entries are refused and changes wait").count() == 1


def _deny(engine: Engine, command: PlaceOrder) -> None:
    at = engine.world.at()
    engine.mailbox.post(
        Denied(
            account=command.account,
            client_order_id=command.client_order_id,
            reason=RefusalReason.RATE_LIMITED,
            text="80 of 80",
            at=at,
            retry_at=Nanos(at + 30 * SECOND),
        )
    )


def _held_exit(owner: User, folder: Path) -> tuple[Engine, CopiedOrder]:
    """Return an engine whose follower's exit waits for its budget, and the row of that exit."""
    engine = Engine(owner, folder)
    engine.world.market(Side.BUY, 1)
    engine.world.settle()
    engine.world.market(Side.SELL, 1)
    exit_order = next(command for command in engine.world.outbox if isinstance(command, PlaceOrder))
    engine.world.outbox.clear()
    _deny(engine, exit_order)
    engine.recorder.drain()
    return engine, CopiedOrder.objects.get(key=exit_order.client_order_id)


@pytest.mark.django_db
def test_an_entry_without_budget_ends_and_an_exit_waits(owner: User, tmp_path: Path) -> None:
    engine, row = _held_exit(owner, tmp_path)
    assert row.state == CopyState.SENDING
    assert row.outcome == "waits: 80 of 80"
    line = Activity.objects.get(reason=RefusalReason.RATE_LIMITED)
    assert "waits with an exit of ESZ6" in line.text
    engine.world.market(Side.BUY, 1)
    entry = next(command for command in engine.world.outbox if isinstance(command, PlaceOrder))
    _deny(engine, entry)
    engine.recorder.drain()
    ended = CopiedOrder.objects.get(key=entry.client_order_id)
    assert (ended.state, ended.outcome) == (CopyState.ENDED, "not sent: 80 of 80")


@pytest.mark.django_db
def test_an_exit_that_is_given_up_ends_in_the_rows_too(owner: User, tmp_path: Path) -> None:
    engine, row = _held_exit(owner, tmp_path)
    engine.world.market(Side.SELL, 1, account=TWO)
    engine.world.wait(31)
    engine.recorder.drain()
    row.refresh_from_db()
    assert (row.state, row.outcome) == (CopyState.ENDED, "ended before it was sent")
    assert Activity.objects.filter(reason=RefusalReason.NOTHING_TO_REDUCE).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("age", "sent"), [(timedelta(), 1), (timedelta(minutes=2), 0)])
def test_an_exit_that_waited_at_a_crash_goes_on_while_it_is_fresh(
    owner: User, tmp_path: Path, age: timedelta, sent: int
) -> None:
    engine, row = _held_exit(owner, tmp_path)
    engine.journal.close()
    CopiedOrder.objects.filter(pk=row.pk).update(received_at=timezone.now() - age)
    second = Engine(owner, tmp_path, engine.world, books.book_of(OwnerId(owner.pk)))
    second.world.wait(31)
    keys = [command.client_order_id for command in second.world.outbox]
    assert keys == [row.key] * sent
    second.world.settle()
    assert second.world.held(TWO) == 1 - sent
    second.journal.close()


# -- the page -----------------------------------------------------------------------------------------


def _page(client: Client) -> str:
    text = client.get(reverse("syncgroups:connections")).content.decode()
    return " ".join(text.split())


def test_the_page_shows_use_reserve_and_how_many_orders_fit(
    alice: User, alice_client: Client, settings: object
) -> None:
    settings.CALL_LIMITS = {"paper": {"per_minute": 80, "per_hour": 5000}}  # type: ignore[attr-defined]
    leader, *followers = accounts(alice, "LEAD", "ONE", "TWO")
    assert "nobody follows here" in _page(alice_client)
    group = GroupFactory.create(leader=leader, active=True)
    for account in followers:
        FollowerFactory.create(group=group, account=account)
    usage = {ConnectionId(leader.connection_id): Usage(minute=11, hour=1340)}
    record_usage(usage, timezone.now())
    page = _page(alice_client)
    for text in ("11 of 80", "1,340 of 5,000", "20 a minute", "24 more leader orders (2 followers)"):
        assert text in page


def test_the_page_says_that_the_broker_wants_silence(alice: User, alice_client: Client) -> None:
    (account,) = accounts(alice, "LEAD")
    assert "takes no calls" not in _page(alice_client)
    record_silence(account.connection_id, timezone.now() + timedelta(hours=1), "429")
    page = _page(alice_client)
    assert "takes no calls of this login until" in page
    assert "exits only" in page
