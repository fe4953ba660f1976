"""Lineage of an order on its page: every copy with its times, prices and reasons."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from brokers.models import Order
from brokers.tests.factories import FillFactory
from syncgroups.core.keys import client_order_id, command_id, fill_key
from syncgroups.core.threads import thread_of
from syncgroups.models import ActivityKind, CopiedOrder, CopyCommand, ManualCopy, SyncGroup
from syncgroups.selectors.orders import lineage_of
from syncgroups.tests.factories import ActivityFactory, CopyFactory, FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts
from tradehaven.domain.enums import RefusalReason
from tradehaven.domain.ids import AccountId, ClientOrderId, FillId, GroupId, OrderId

ORDER = 501


@pytest.fixture
def group(alice: User) -> SyncGroup:
    leader, *rest = accounts(alice, "LEAD", "ONE", "TWO")
    made: SyncGroup = GroupFactory.create(leader=leader, name="Scalps")
    for account in rest:
        FollowerFactory.create(group=made, account=account)
    return made


def key_of(group: SyncGroup, place: int) -> ClientOrderId:
    account = group.followers.all()[place].account_id
    return client_order_id(GroupId(group.pk), AccountId(group.leader_id), OrderId(ORDER), AccountId(account))


@pytest.fixture
def copy(group: SyncGroup) -> CopiedOrder:
    now = timezone.now()
    Order.objects.create(
        account=group.leader,
        broker_order_id=ORDER,
        symbol="ESZ6",
        side="buy",
        order_type="limit",
        qty=3,
        limit_ticks=20_004,
        tif="day",
        status="filled",
        first_seen_at=now,
    )
    FillFactory.create(account=group.leader, broker_order_id=ORDER, broker_fill_id=71, qty=2, ticks=20_000)
    FillFactory.create(account=group.leader, broker_order_id=ORDER, broker_fill_id=72, qty=1, ticks=20_003)
    account = group.followers.all()[0].account
    FillFactory.create(account=account, broker_order_id=900, qty=2, ticks=20_003)
    made: CopiedOrder = CopyFactory.create(
        group=group,
        follower=account,
        key=key_of(group, 0),
        broker_order_id=900,
        qty=2,
        limit_ticks=20_011,
        weighed={
            "leader": 0,
            "change": 3,
            "own": 0,
            "reduce": 0,
            "enter": 2,
            "exposure": 1,
            "limit": 9,
            "state": "active",
            "allowed": 2,
        },
    )
    return made


def page_of(client: Client, name: object, **query: str) -> str:
    answer = client.get(reverse("syncgroups:order", args=[name]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_times_prices_and_figures_are_shown(alice_client: Client, copy: CopiedOrder):
    page = page_of(alice_client, thread_of(copy.leader_id, ORDER))
    for text in ("310 µs", "47.4 ms", "23.0 ms", "71.0 ms", "5002.75", "LEAD", "ONE", "+3", copy.key):
        assert text in page
    assert page.count("<rect") == 4


def test_fills_stand_against_the_leaders(alice: User, copy: CopiedOrder):
    (row,) = lineage_of(alice, copy.key).rows
    assert row.slip is not None
    assert row.slip.against == Decimal("5000.25")
    assert (row.slip.ticks, row.slip.usd) == (Decimal(2), Decimal("50.00"))


def test_a_copy_of_one_fill_stands_against_that_fill(alice: User, copy: CopiedOrder):
    CopiedOrder.objects.filter(pk=copy.pk).update(key=fill_key(ClientOrderId(copy.key), FillId(72)))
    (row,) = lineage_of(alice, thread_of(copy.leader_id, ORDER)).rows
    assert row.slip is not None
    assert row.slip.ticks == 0


def test_key_and_order_are_the_same_page(alice: User, copy: CopiedOrder):
    by_key, by_order = lineage_of(alice, copy.key), lineage_of(alice, thread_of(copy.leader_id, ORDER))
    assert by_key == by_order
    assert by_key.head.order is not None


def test_the_old_address_of_a_copy_leads_here(alice_client: Client, bob_client: Client, copy: CopiedOrder):
    url = reverse("syncgroups:copy", args=[copy.key])
    answer = alice_client.get(url)
    assert answer.headers["Location"] == f"{reverse('syncgroups:order', args=[copy.key])}#copy-{copy.pk}"
    assert bob_client.get(url).status_code == 404
    assert alice_client.get(reverse("syncgroups:copy", args=["nothing"])).status_code == 404


def test_changes_and_cancels_are_rows_of_their_own(alice_client: Client, copy: CopiedOrder):
    later = copy.received_at + timedelta(minutes=2)
    for number, kind, outcome in ((1, "change", ""), (2, "cancel", "TooLate: it has filled")):
        CopyCommand.objects.create(
            copy=copy,
            client_order_id=command_id(ClientOrderId(copy.key), number),
            kind=kind,
            qty=1 if kind == "change" else None,
            limit_ticks=20_015 if kind == "change" else None,
            received_at=later,
            decided_at=later + timedelta(microseconds=210),
            written_at=later + timedelta(microseconds=433),
            acknowledged_at=later + timedelta(milliseconds=39),
            outcome=outcome,
        )
    page = page_of(alice_client, copy.key)
    for text in ("to 1, limit 5003.75", "nothing left working", "TooLate: it has filled", "38.6 ms"):
        assert text in page
    assert page.count("<rect") == 10


def test_who_was_left_out_stands_there_with_the_reason(
    alice_client: Client, copy: CopiedOrder, group: SyncGroup
):
    ActivityFactory.create(
        owner=group.owner,
        group=group,
        account=group.followers.all()[1].account,
        kind=ActivityKind.COPY_REFUSED,
        key=key_of(group, 1),
        thread=thread_of(copy.leader_id, ORDER),
        reason=RefusalReason.KILL_SWITCH,
        text="TWO did not place ESZ6: the kill switch is on",
        weighed={
            **(copy.weighed or {}),
            "enter": 417,
            "allowed": 0,
            "reason": "max_order",
            "rule_limit": "5",
        },
    )
    page = page_of(alice_client, copy.key)
    assert "TWO did not place ESZ6" in page
    assert "Disarm it when you are ready" in page
    assert "left out" in page
    assert ">417<" in page
    assert ": limit 5" in page


def test_an_order_that_nobody_copied_has_a_page(alice_client: Client, group: SyncGroup):
    thread = thread_of(group.leader_id, 777)
    ActivityFactory.create(
        owner=group.owner,
        group=group,
        account=group.leader,
        kind=ActivityKind.LEADER_ORDER,
        thread=thread,
        text="LEAD placed buy 1 ESZ6 market",
    )
    page = page_of(alice_client, thread)
    assert "LEAD placed buy 1 ESZ6 market" in page
    assert "No follower was told" in page


def test_a_copy_that_was_never_sent_shows_dashes(alice_client: Client, copy: CopiedOrder):
    CopiedOrder.objects.update(written_at=None, acknowledged_at=None, filled_at=None, group=None)
    page = page_of(alice_client, copy.key, scale="linear")
    assert page.count("<rect") == 1
    assert "dissolved" in page


def test_a_manual_copy_is_found_by_its_own_name(alice_client: Client, group: SyncGroup):
    manual = ManualCopy.objects.create(
        owner=group.owner,
        group=group,
        leader=group.leader,
        symbol="ESZ6",
        side="buy",
        qty=1,
        order_type="market",
    )
    copy = CopyFactory.create(group=group, leader_order_id=-manual.pk)
    for name in (manual.public_id, f"m{manual.pk}", copy.key):
        page = page_of(alice_client, name)
        assert "a manual copy" in page
        assert copy.key in page


def test_a_repair_that_answers_no_order_is_alone(alice_client: Client, group: SyncGroup):
    first, second = (CopyFactory.create(group=group, leader_order_id=0) for _ in range(2))
    page = page_of(alice_client, first.key)
    assert first.key in page
    assert second.key not in page


@pytest.mark.parametrize("which", ["key", "thread", "manual", "nothing", "nobodys"])
def test_a_stranger_finds_nothing(bob_client: Client, client: Client, copy: CopiedOrder, which: str):
    manual = ManualCopy.objects.create(
        owner=copy.owner, leader=copy.leader, symbol="ESZ6", side="buy", qty=1, order_type="market"
    )
    names: dict[str, Any] = {
        "key": copy.key,
        "thread": thread_of(copy.leader_id, ORDER),
        "manual": f"m{manual.pk}",
        "nothing": "nothing",
        "nobodys": "1-2",
    }
    url = reverse("syncgroups:order", args=[names[which]])
    assert bob_client.get(url).status_code == 404
    assert client.get(url).status_code == 302
    assert bob_client.post(url).status_code == 405


def test_many_followers_cost_no_more_questions(
    alice_client: Client, copy: CopiedOrder, group: SyncGroup, django_assert_max_num_queries: Any
):
    for number in range(30):
        other = CopyFactory.create(group=group, leader_order_id=ORDER, broker_order_id=2000 + number)
        FillFactory.create(account=other.follower, broker_order_id=2000 + number)
    with django_assert_max_num_queries(17):
        page_of(alice_client, thread_of(copy.leader_id, ORDER))
