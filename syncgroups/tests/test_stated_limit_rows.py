"""The broker's own limits as rows: recorded, part of the plan, on the page, and nobody else's."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Account, EngineStamp, StatedLimits
from brokers.tests.factories import AccountFactory
from risk.core.instants import nanos
from risk.core.rules import NO_RULES, Breach
from syncgroups.engine.plans import settings_of
from syncgroups.engine.recorder import record_one
from syncgroups.engine.records import EventRecord, decode, encode_event
from syncgroups.models import Activity
from syncgroups.selectors.guardrails import risk_row, stated_of
from syncgroups.services import lines
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import AccountSnapshot, LimitsReported, SnapshotTaken
from tradehaven.domain.ids import AccountId, ConnectionId, OwnerId

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(alice: User) -> Account:
    return AccountFactory.create(connection__owner=alice, name="PAPER-7")


def said(account: Account, **figures: object) -> LimitsReported:
    at = nanos(datetime(2026, 11, 18, 15, tzinfo=UTC))
    return replace(LimitsReported(account=AccountId(account.pk), at=at), **figures)  # type: ignore[arg-type]


def record(owner: User, event: LimitsReported | SnapshotTaken) -> None:
    names = lines.names_of(OwnerId(owner.pk))
    entry = decode(encode_event(OwnerId(owner.pk), event))
    assert isinstance(entry, EventRecord)
    record_one(entry, names)
    lines.write_lines(names)


def version(owner: User) -> int:
    stamp = EngineStamp.objects.filter(owner=owner).first()
    return stamp.version if stamp is not None else 0


def test_what_was_recorded_is_read_back_as_it_was_said(alice: User, account: Account) -> None:
    event = said(
        account,
        state=TradingState.REDUCING,
        because="LiquidateOnlyModeImmediately",
        high=Decimal("51234.50"),
        drawdown=Decimal(2000),
        by_day_end=True,
        daily_loss=Decimal(1000),
        locked_in=True,
    )
    record(alice, event)
    account.refresh_from_db()
    assert stated_of(account) == event


def test_limits_of_the_broker_are_part_of_the_plan_and_a_new_high_is_no_new_plan(
    alice: User, account: Account
) -> None:
    assert settings_of(OwnerId(alice.pk)).plan.accounts[AccountId(account.pk)].rules is NO_RULES
    record(alice, said(account, daily_loss=Decimal(1000)))
    first = version(alice)
    assert first > 0
    plan = settings_of(OwnerId(alice.pk)).plan
    rules = plan.accounts[AccountId(account.pk)].rules
    assert rules.daily_loss is not None
    assert (rules.daily_loss.amount, rules.daily_loss.breach) == (Decimal(1000), Breach.STOP)
    assert AccountId(account.pk) in plan.watched
    record(alice, said(account, daily_loss=Decimal(1000), high=Decimal(50_100)))
    assert version(alice) == first
    record(alice, said(account, daily_loss=Decimal(800), high=Decimal(50_100)))
    assert version(alice) > first


def test_each_turn_of_the_brokers_lock_is_one_line(alice: User, account: Account) -> None:
    for state, because in (
        (TradingState.ACTIVE, ""),
        (TradingState.REDUCING, "LiqOnly"),
        (TradingState.REDUCING, "LiqOnly"),
        (TradingState.HALTED, "LockTrading"),
        (TradingState.ACTIVE, ""),
    ):
        record(alice, said(account, state=state, because=because))
    assert list(Activity.objects.order_by("pk").values_list("text", "severity")) == [
        ("PAPER-7: the broker takes only orders that close (LiqOnly). Entries are not copied", "warning"),
        ("PAPER-7: the broker has locked it (LockTrading)", "danger"),
        ("PAPER-7: the broker takes entries again", "good"),
    ]


def test_a_snapshot_brings_them_as_well(alice: User, account: Account) -> None:
    state = AccountSnapshot(
        account=AccountId(account.pk),
        orders=(),
        fills=(),
        positions=(),
        balance=None,
        limits=said(account, daily_loss=Decimal(500)),
    )
    taken = SnapshotTaken(
        connection=ConnectionId(account.connection_id), accounts=(state,), at=nanos(timezone.now())
    )
    record(alice, taken)
    assert StatedLimits.objects.get(account=account).daily_loss == Decimal(500)


def test_the_page_shows_them_beside_ones_own(alice_client: Client, alice: User, account: Account) -> None:
    url = reverse("syncgroups:risk-account", args=[account.pk])
    assert "What the broker says" not in alice_client.get(url).content.decode()
    record(
        alice,
        said(
            account,
            state=TradingState.HALTED,
            because="LockTradingImmediately",
            daily_loss=Decimal(1250),
            high=Decimal(50_400),
            locked_in=True,
        ),
    )
    page = " ".join(alice_client.get(url).content.decode().split())
    assert "The broker has locked this account." in page
    assert "1,250.00" in page
    assert "High-water mark" in page
    assert "cannot be loosened at the broker" in page
    assert risk_row(alice, account).rules.daily_loss is not None
