"""Changes and cancels of copies are recorded with their times, and what came of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from syncgroups.core.threads import thread_of
from syncgroups.models import Activity, CopyCommand, JournalMark
from syncgroups.services.commands import command_answered, command_left_open
from syncgroups.tests.plans import LEADER
from syncgroups.tests.rows import Engine, settle_in
from tradehaven.domain.enums import OrderType, Side
from tradehaven.domain.ids import Nanos

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(alice: User, tmp_path: Path) -> Iterator[Engine]:
    settle_in(alice)
    found = Engine(alice, tmp_path)
    yield found
    found.journal.close()


def _story(engine: Engine) -> None:
    world = engine.world
    resting = world.trade(Side.BUY, 2, OrderType.LIMIT, limit=20_000)
    world.settle()
    world.change(resting, limit=19_990)
    world.settle()
    world.cancel(resting)
    world.settle()
    engine.recorder.drain()


def test_each_command_has_times_of_its_own(engine: Engine):
    _story(engine)
    kinds = CopyCommand.objects.order_by("pk").values_list("kind", "qty", "limit_ticks", "outcome")
    assert sorted(map(str, kinds)) == sorted(
        map(
            str,
            [
                ("change", 2, 19_990, ""),
                ("change", 1, 19_990, ""),
                ("cancel", None, None, ""),
                ("cancel", None, None, ""),
            ],
        )
    )
    for command in CopyCommand.objects.all():
        assert command.acknowledged_at is not None
        assert command.received_at <= command.decided_at <= command.acknowledged_at
        assert command.written_at is not None
        assert command.copy.acknowledged_at != command.acknowledged_at


def test_lines_name_the_order_that_they_belong_to(engine: Engine):
    _story(engine)
    lines = Activity.objects.exclude(kind__in=["link", "group"])
    order = lines.filter(kind="leader_order").get()
    assert order.thread.startswith(f"{LEADER}-")
    assert set(lines.values_list("thread", flat=True)) == {order.thread}
    assert thread_of(LEADER, int(order.thread.partition("-")[2])) == order.thread


def test_an_answer_is_recorded_once_and_a_refusal_says_why(engine: Engine):
    _story(engine)
    change, cancel = (
        CopyCommand.objects.filter(kind="change")[0],
        CopyCommand.objects.filter(kind="cancel")[0],
    )
    command_answered(change.client_order_id, Nanos(1), "too late")
    change.refresh_from_db()
    assert change.outcome == ""
    CopyCommand.objects.filter(pk=cancel.pk).update(acknowledged_at=None)
    command_left_open(cancel.client_order_id, "no answer: the link fell")
    cancel.refresh_from_db()
    assert cancel.outcome == "no answer: the link fell"
    command_answered(cancel.client_order_id, Nanos(2_000_000_000), "TooLate")
    cancel.refresh_from_db()
    assert cancel.outcome == "TooLate"


def test_a_record_that_is_read_twice_makes_no_second_row(engine: Engine, alice: User):
    _story(engine)
    count = CopyCommand.objects.count()
    JournalMark.objects.update(segment="", offset=0)
    engine.recorder.drain()
    assert CopyCommand.objects.count() == count
