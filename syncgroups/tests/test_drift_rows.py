"""Differences as rows: from the second look to the end, over a crash, and into quarantine and out of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from syncgroups.engine import books, plans
from syncgroups.models import Activity, CopiedOrder, Drift, Quarantine
from syncgroups.tests.plans import LEADER
from syncgroups.tests.rows import THREE, TWO, Engine, settle_in
from tradehaven.domain.enums import Ask, Side
from tradehaven.domain.events import PersonAsked
from tradehaven.domain.ids import OwnerId

pytestmark = pytest.mark.django_db
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def owner(alice: User) -> User:
    settle_in(alice)
    return alice


@pytest.fixture
def engine(owner: User, tmp_path: Path) -> Iterator[Engine]:
    found = Engine(owner, tmp_path)
    yield found
    found.journal.close()


def _left_behind(engine: Engine, *, seconds: int = 7) -> None:
    """Let the leader leave unseen, and look until that is said."""
    world = engine.world
    world.market(BUY, 2)
    world.settle()
    world.lose(LEADER)
    world.fill(world.trade(SELL, 2, seen=False), seen=False)
    world.connect(LEADER)
    for _ in range(seconds):
        world.wait(1)


def test_a_difference_is_a_row_from_its_second_look_to_its_end(engine: Engine, owner: User) -> None:
    _left_behind(engine)
    engine.recorder.drain()
    rows = {row.account_id: row for row in Drift.objects.filter(closed_at=None)}
    assert {pk: (row.expected, row.actual) for pk, row in rows.items()} == {TWO: (0, 2), THREE: (0, 1)}
    assert rows[TWO].owner == owner
    assert rows[TWO].remedy.startswith("sell 2 ESZ6 at the market")
    again = books.book_of(OwnerId(owner.pk))
    assert set(again.differences) == set(engine.mailbox.book.differences)
    assert all(difference.said for difference in again.differences.values())
    engine.world.market(SELL, 2, account=TWO)
    engine.world.wait(1)
    engine.recorder.drain()
    assert Drift.objects.get(closed_at=None).account_id == THREE


def test_a_failed_exit_is_owed_over_a_crash(owner: User, tmp_path: Path) -> None:
    first = Engine(owner, tmp_path)
    first.world.market(BUY, 2)
    first.world.settle()
    first.world.market(SELL, 2)
    for _ in range(2):
        first.world.reject(first.world.outbox.pop(0), "MaxPosLimitReached")
    first.journal.close()
    first.recorder.drain()
    assert {row.kind for row in Drift.objects.all()} == {"failed_exit"}
    assert Activity.objects.filter(kind="drift", severity="danger").count() == 2
    second = Engine(owner, tmp_path, first.world, books.book_of(OwnerId(owner.pk)))
    second.world.wait(1)
    second.world.settle()
    second.world.wait(1)
    second.recorder.drain()
    assert (second.world.held(2), second.world.held(3)) == (0, 0)
    assert not Drift.objects.filter(closed_at=None).exists()
    second.journal.close()


def test_a_quarantine_of_the_engine_is_a_row_until_a_person_releases_it(engine: Engine, owner: User) -> None:
    world = engine.world
    world.market(BUY, 2)
    world.settle()
    world.market(SELL, 2)
    for _ in range(20):
        while world.outbox:
            world.reject(world.outbox.pop(0), "no")
        world.wait(1)
    engine.recorder.drain()
    assert Quarantine.objects.count() == 2
    engine.mailbox.replan(plans.settings_of(OwnerId(owner.pk)).plan)
    assert engine.mailbox.book.quarantined == set()  # the plan knows it now
    Quarantine.objects.all().delete()
    engine.mailbox.replan(plans.settings_of(OwnerId(owner.pk)).plan)
    world.wait(1)
    engine.recorder.drain()
    assert not Quarantine.objects.exists()


def test_what_another_hand_closed_and_what_was_missed_outlive_a_crash(engine: Engine, owner: User) -> None:
    world = engine.world
    world.lose(THREE)
    world.market(BUY, 4)
    world.settle()
    world.connect(THREE)
    world.market(SELL, 1, account=TWO)
    for _ in range(7):
        world.wait(1)
    engine.recorder.drain()
    after = books.book_of(OwnerId(owner.pk))
    assert list(after.taken.values()) == [1]
    assert after.missed == engine.mailbox.book.missed
    assert len(after.missed) == 1


def test_a_repair_has_a_lineage_and_a_line_of_its_own(
    engine: Engine, owner: User, alice_client: Client
) -> None:
    _left_behind(engine)
    engine.recorder.drain()
    for row in Drift.objects.all():
        engine.world.step(PersonAsked(request=row.pk, ask=Ask.REPAIR, subject=row.name, at=engine.world.at()))
    engine.world.wait(1)
    engine.world.settle()
    engine.recorder.drain()
    assert (engine.world.held(2), engine.world.held(3)) == (0, 0)
    repairs = CopiedOrder.objects.filter(leader_order_id=0)
    assert {row.filled for row in repairs} == {1, 2}
    assert Activity.objects.filter(text__startswith="Repaired for ACC2: sell 2 ESZ6").exists()
    url = reverse("syncgroups:copy", args=[repairs[0].key])
    page = alice_client.get(url, follow=True).content.decode()
    assert "a repair" in page
