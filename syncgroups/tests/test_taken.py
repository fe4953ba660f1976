"""Whether the engine goes by what was set last: noted by the engine, shown on pages until it does."""

import asyncio
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from brokers.models import EngineStamp
from brokers.selectors import waiting_for_engine
from brokers.services.stamps import note_taken, touch
from syncgroups.engine import control as controls
from syncgroups.engine import plans
from syncgroups.engine.control import Control
from syncgroups.tests.factories import FollowerFactory, GroupFactory
from syncgroups.tests.people import accounts


class Database:
    """Runs a question at once: these tests look at one thread."""

    async def ask(self, question: Any) -> Any:
        return question()


@pytest.mark.django_db
def test_an_owner_waits_until_the_engine_goes_by_the_newest_version(alice: User, bob: User) -> None:
    touch(alice.pk)
    touch(alice.pk)
    touch(bob.pk)
    assert waiting_for_engine([alice.pk, bob.pk]) == {alice.pk, bob.pk}
    assert note_taken({alice.pk: 1}) == [alice.pk]
    assert waiting_for_engine([alice.pk]) == {alice.pk}
    note_taken({alice.pk: 2, bob.pk: 1})
    assert waiting_for_engine([alice.pk, bob.pk]) == set()
    note_taken({alice.pk: 1})
    assert EngineStamp.objects.get(owner=alice).taken == 2, "an engine that is behind takes nothing back"


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_changes_is_left_for_the_next_time(alice: User) -> None:
    touch(alice.pk)
    other = connection.copy()
    try:
        with transaction.atomic():
            EngineStamp.objects.select_for_update().get(owner=alice)
            with other.cursor() as cursor:
                cursor.execute("select 1 from brokers_enginestamp for update skip locked")
                assert cursor.fetchall() == []
    finally:
        other.close()
    assert note_taken({alice.pk: 1}) == [alice.pk]


def test_the_engine_notes_what_it_took_and_tries_again_what_it_could_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []
    noted: list[dict[int, int]] = []

    async def changed(_settings: Any) -> None:
        taken.append(1)

    def note(versions: dict[int, int]) -> list[int]:
        noted.append(versions)
        return list(versions) if len(noted) > 1 else []

    monkeypatch.setattr(controls, "note_taken", note)
    monkeypatch.setattr(plans, "settings_of", lambda owner: owner)
    monkeypatch.setattr(plans, "changed_owners", lambda known, _is_mine: {} if known else {7: 4})
    control = Control(Database(), changed, lambda _owner: True)  # type: ignore[arg-type]
    for _ in range(3):
        asyncio.run(control.refresh())
    assert taken == [1]
    assert noted == [{7: 4}, {7: 4}]


@pytest.mark.django_db
def test_a_switch_says_that_it_is_not_in_force_yet(alice: User, alice_client: Client) -> None:
    leader, follower = accounts(alice, "LEAD", "ONE")
    group = GroupFactory.create(owner=alice, leader=leader)
    FollowerFactory.create(group=group, account=follower)
    touch(alice.pk)
    for page in ("/", "/groups/"):
        assert "not yet in force" in alice_client.get(page).content.decode(), page
    note_taken({alice.pk: EngineStamp.objects.get(owner=alice).version})
    for page in ("/", "/groups/"):
        assert "not yet in force" not in alice_client.get(page).content.decode(), page
