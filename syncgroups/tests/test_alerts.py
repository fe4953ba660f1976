"""Alerts: loud lines stay in front until their owner has acknowledged them, and only the owner can."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from syncgroups.models import Activity, AlertsSeen, Severity
from syncgroups.selectors.alerts import LOOK_BACK, MOST, SHOWN, alerts_of
from syncgroups.services.alerts import acknowledge
from syncgroups.tests.factories import ActivityFactory

pytestmark = pytest.mark.django_db


def loud(owner: User, text: str, **more: object) -> Activity:
    found: Activity = ActivityFactory.create(
        owner=owner, text=text, severity=Severity.DANGER, **({"at": timezone.now()} | more)
    )
    return found


def texts(owner: User) -> list[str]:
    return [line.text for line in alerts_of(owner, timezone.now()).lines]


def test_only_what_is_loud_and_of_today_is_an_alert(alice: User, bob: User) -> None:
    ActivityFactory.create(owner=alice, text="said", severity=Severity.WARNING, at=timezone.now())
    loud(alice, "old", at=timezone.now() - LOOK_BACK - timedelta(minutes=1))
    loud(bob, "his")
    loud(alice, "now")
    assert texts(alice) == ["now"]


def test_what_was_acknowledged_is_gone_and_what_comes_later_is_not(alice: User) -> None:
    first = loud(alice, "first")
    second = loud(alice, "second")
    acknowledge(alice, first.pk)
    assert texts(alice) == ["second"]
    acknowledge(alice, second.pk)
    assert texts(alice) == []
    acknowledge(alice, first.pk)
    assert texts(alice) == [], "an older click brings nothing back"
    loud(alice, "third")
    assert texts(alice) == ["third"]


def test_a_number_beyond_ones_own_log_hides_nothing_to_come(alice: User, bob: User) -> None:
    mine, his = loud(alice, "mine"), loud(bob, "his")
    acknowledge(alice, 10**15)
    assert AlertsSeen.objects.get(owner=alice).line == mine.pk
    assert texts(bob) == ["his"]
    assert his.pk > mine.pk


def test_many_are_counted_and_few_are_shown(alice: User) -> None:
    Activity.objects.bulk_create(
        Activity(owner=alice, at=timezone.now(), kind="drift", severity=Severity.DANGER, text=f"n{number}")
        for number in range(MOST + 5)
    )
    found = alerts_of(alice, timezone.now())
    assert (len(found.lines), found.count, found.more) == (SHOWN, MOST, MOST - SHOWN)


def test_the_button_on_the_cockpit_takes_them_away(alice: User, alice_client: Client) -> None:
    line = loud(alice, "EXIT FAILED for ACC1")
    page = alice_client.get("/").content.decode()
    assert "EXIT FAILED for ACC1" in page
    url = reverse("syncgroups:acknowledge", args=[line.pk])
    assert url in page
    answer = alice_client.post(url, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "EXIT FAILED" not in answer.content.decode()
    assert 'aria-labelledby="alerts-title"' not in alice_client.get("/").content.decode()


def test_without_script_it_leads_back(alice: User, alice_client: Client) -> None:
    line = loud(alice, "x")
    answer = alice_client.post(reverse("syncgroups:acknowledge", args=[line.pk]))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert alice_client.get(reverse("syncgroups:acknowledge", args=[line.pk])).status_code == 405
