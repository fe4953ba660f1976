"""Health, roles, labels and filters on the connections page; what falls is counted, warned of and told."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, Notice, User
from brokers.models import Account, AccountTag, Connection, LinkDrop, TagKind
from brokers.services.labels import label_account
from brokers.services.stamps import touch
from brokers.tests.factories import AccountFactory, ConnectionFactory
from syncgroups.engine.recorder import record_one
from syncgroups.engine.records import decode, encode_event
from syncgroups.models import Activity
from syncgroups.selectors.connections import Wanted, connections_page
from syncgroups.services import groups, lines
from syncgroups.services.groups import GroupSettings
from syncgroups.tasks import watch_links
from syncgroups.tests.people import accounts
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.events import LinkLost
from tradehaven.domain.ids import ConnectionId, Nanos, OwnerId

LIST = reverse("syncgroups:connections")
MS = timedelta(milliseconds=1)
SECOND = 1_000_000_000


def shown(client: Client, query: str = "") -> str:
    return " ".join(client.get(LIST + query).content.decode().split())


def feeling(user: User, **columns: object) -> str:
    Connection.objects.filter(owner=user).update(**{"link_up": True, "heard_at": timezone.now()} | columns)
    (card,) = connections_page(user, Wanted(), timezone.now()).cards
    return card.health.status.word


def fall(login: Connection, at: int) -> None:
    """Let the recorder take in that a link fell."""
    event = LinkLost(connection=ConnectionId(login.pk), reason="reset by peer", at=Nanos(at))
    owner = OwnerId(login.owner_id)
    names = lines.names_of(owner)
    record_one(decode(encode_event(owner, event)), names)
    lines.write_lines(names)


def test_the_meter_shows_medians_and_tails(alice: User, alice_client: Client):
    accounts(alice, "A")
    Connection.objects.update(
        beat_p50=12 * MS, beat_p99=80 * MS, ack_p50=31 * MS, ack_p99=140 * MS, heard_at=timezone.now()
    )
    page = shown(alice_client)
    assert "12.0 ms / 80.0 ms" in page
    assert "31.0 ms / 140.0 ms" in page
    assert "Healthy" in page


def test_a_link_feels_slow_unstable_or_unheard(alice: User):
    accounts(alice, "A")
    assert feeling(alice) == "Healthy"
    assert feeling(alice, beat_p99=600 * MS) == "Slow"
    assert feeling(alice, beat_p99=None, ack_p99=501 * MS) == "Slow"
    assert feeling(alice, heard_at=timezone.now() - timedelta(seconds=31)) == "Nothing heard"
    assert feeling(alice, link_up=False) == "Nothing heard"
    for minutes in range(4):
        LinkDrop.objects.create(
            connection=Connection.objects.get(), at=timezone.now() - timedelta(minutes=minutes)
        )
    assert feeling(alice) == "Unstable"


def test_drops_of_today_are_those_since_midnight_of_the_reader(alice: User):
    (account,) = accounts(alice, "A")
    with timezone.override("America/Chicago"):
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        noon = midnight + timedelta(hours=12)
        for at in (midnight - timedelta(seconds=1), midnight, noon):
            LinkDrop.objects.create(connection=account.connection, at=at)
        (card,) = connections_page(alice, Wanted(), noon + timedelta(minutes=5)).cards
    assert (card.health.drops_today, card.health.drops_hour) == (2, 1)


def test_the_fourth_drop_of_an_hour_warns_in_the_log(alice: User):
    (account,) = accounts(alice, "A")
    login = account.connection
    start = int(timezone.now().timestamp()) * SECOND
    for number in range(5):
        Connection.objects.filter(pk=login.pk).update(link_up=True)
        fall(login, start + number * SECOND)
    fall(login, start + 4 * SECOND)  # the same record again after a crash
    assert LinkDrop.objects.count() == 5
    warned = Activity.objects.get(owner=alice, text__contains="4 times within an hour")
    assert warned.severity == "danger"
    assert "port 443" in warned.text


def test_a_minute_without_a_link_is_told_once(alice: User):
    (account,) = accounts(alice, "A")
    gone = timezone.now() - timedelta(seconds=61)
    Connection.objects.update(link_up=False, link_changed_at=gone, link_reason="no route")
    watch_links()
    watch_links()
    line = Activity.objects.get(owner=alice, text__contains="has had no link")
    assert "no route" in line.text
    notice = Notice.objects.get(owner=alice)
    assert notice.kind == "link_down"
    assert str(account.connection) in notice.text


def test_who_does_not_want_such_mails_gets_none(alice: User):
    accounts(alice, "A")
    User.objects.filter(pk=alice.pk).update(tell_sync_failures=False)
    Connection.objects.update(link_up=False, link_changed_at=timezone.now() - timedelta(minutes=5))
    watch_links()
    assert Activity.objects.filter(text__contains="has had no link").exists()
    assert not Notice.objects.exists()


# -- roles, labels, filters ---------------------------------------------------------------------------


def test_roles_are_shown(alice: User, alice_client: Client):
    leader, follower, _ = accounts(alice, "A", "B", "C")
    groups.create_group(alice, leader=leader, settings=GroupSettings(name="Index"), followers=[follower])
    page = shown(alice_client)
    assert "Leads Index" in page
    assert "Follows in Index" in page
    assert "In no group" in page


def test_labels_are_set_shown_and_replaced(alice: User, alice_client: Client):
    (account,) = accounts(alice, "A")
    url = reverse("syncgroups:labels", args=[account.pk])
    typed = {"folder": " Apex 50k ", "firm": "Apex", "stage": "funded", "other": "night, quick ,, night"}
    assert alice_client.post(url, typed).headers["Location"] == LIST
    page = shown(alice_client)
    for label in ("Apex 50k", "funded", "night", "quick"):
        assert label in page
    assert AccountTag.objects.count() == 4
    assert 'value="night, quick"' in alice_client.get(url).content.decode()
    alice_client.post(url, {"stage": "evaluation"})
    assert list(AccountTag.objects.values_list("kind", "text")) == [("stage", "evaluation")]
    assert Account.objects.get(pk=account.pk).folder == ""
    assert AuditEvent.objects.filter(owner=alice, action="account_changed").count() == 2


def test_the_page_is_narrowed_to_a_folder_or_a_tag(alice: User, alice_client: Client):
    first, _ = accounts(alice, "APEX-1", "OWN-1")
    other = AccountFactory.create(connection=ConnectionFactory.create(owner=alice), name="FAR-1")
    label_account(first, folder="Apex", tags={TagKind.STAGE: ["funded"]})
    label_account(other, folder="", tags={TagKind.STAGE: ["evaluation"]})
    for query in ("?folder=Apex", "?tag=funded"):
        page = shown(alice_client, query)
        assert "APEX-1" in page
        assert "OWN-1" not in page
        assert "FAR-1" not in page
        assert "2 left out" in page
    assert "No account has this label" in shown(alice_client, "?tag=unknown")
    assert "left out" not in shown(alice_client)


def test_a_label_that_is_too_long_is_refused_at_its_field(alice: User, alice_client: Client):
    (account,) = accounts(alice, "A")
    url = reverse("syncgroups:labels", args=[account.pk])
    answer = alice_client.post(url, {"firm": "x" * 33})
    assert answer.status_code == 422
    assert "at most 32 characters" in answer.content.decode()
    answer = alice_client.post(url, {"other": ",".join(str(number) for number in range(13))})
    assert "at most 12 tags" in answer.content.decode()
    with pytest.raises(InvalidInput, match="folder"):
        label_account(account, folder="x" * 41, tags={})
    assert not AccountTag.objects.exists()


def test_the_page_renews_itself_with_its_filter(alice: User, alice_client: Client):
    (account,) = accounts(alice, "A")
    label_account(account, folder="Ä & B", tags={})
    touch(alice.pk)
    partial = alice_client.get(LIST, {"folder": "Ä & B"}, headers={"HX-Request": "true"}).content.decode()
    assert partial.lstrip().startswith('<div id="logins"')
    assert "folder=%C3%84%20%26%20B" in partial


def test_the_page_asks_the_database_a_bounded_number_of_times(
    alice: User, alice_client: Client, django_assert_max_num_queries
):
    for number in range(12):
        account = AccountFactory.create(connection=ConnectionFactory.create(owner=alice), name=f"A-{number}")
        label_account(account, folder="F", tags={TagKind.FIRM: ["Apex"]})
    with django_assert_max_num_queries(15):
        alice_client.get(LIST)


def test_doors_of_the_labels(alice: User, alice_client: Client, bob_client: Client, client: Client):
    (account,) = accounts(alice, "A")
    url = reverse("syncgroups:labels", args=[account.pk])
    assert alice_client.get(url).status_code == 200
    for door in (bob_client.get, bob_client.post):
        assert door(url).status_code == 404
    assert client.get(url).status_code == 302
    assert alice_client.delete(url).status_code == 405


# -- mixing -------------------------------------------------------------------------------------------


def test_mixing_live_with_demo_warns_at_saving(alice: User, alice_client: Client):
    (live,) = accounts(alice, "L", environment="live")
    (demo,) = accounts(alice, "D", environment="demo")
    typed = {
        "name": "Mixed",
        f"{live.pk}-role": "leader",
        f"{demo.pk}-role": "follower",
        f"{demo.pk}-sizing": "ratio",
        f"{demo.pk}-ratio": "1",
        f"{demo.pk}-fixed_qty": "1",
        "mode": "immediate",
        "hours": "all",
        "drift_policy": "observe",
        "drift_cap": 1,
        "drift_ticks": 8,
        "rest_after": 10,
        "rest_entries": "wait",
        "rest_exits": "wait",
        "rest_slack": 4,
    }
    page = alice_client.post(reverse("syncgroups:create"), typed, follow=True).content.decode()
    assert "Mixed mixes live money with demo or paper accounts" in page
