"""Leases by time: one holder, its own deadline, a take-over after a whole term, and no clock compared."""

import signal
import subprocess
import sys
import time as time_of_day
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from brokers.core.shards import MAIN, to_take
from brokers.lease import Leases, ShardLease
from brokers.models import EngineProcess, Lease
from tradehaven.db import end_if_idle

TERM = 3
pytestmark = pytest.mark.django_db


class Time:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def member(name: str, time: Time, shards: int = 1, seconds: int = TERM) -> Leases:
    """Return a process of a fleet."""
    return Leases(name, shards, seconds, time)


def taken(leases: Leases, shard: str = MAIN) -> ShardLease:
    """Look and take a shard that must be there to take."""
    leases.look()
    found = leases.take(shard)
    assert found is not None
    return found


def test_a_lease_that_was_never_held_is_taken_at_once(time: Time) -> None:
    lease = taken(member("first", time))
    assert lease.is_fresh()
    row = Lease.objects.get(shard=MAIN)
    assert (row.holder, row.epoch, row.seconds) == ("first", lease.epoch, TERM)
    assert row.beat_at is not None


def test_a_holder_that_renews_keeps_its_lease_for_ever(time: Time) -> None:
    first, second = member("first", time), member("second", time)
    lease = taken(first)
    for _ in range(40):
        time.now += 0.5
        assert first.renew(lease)
        assert second.look().holders == {MAIN: "first"}
        assert second.take(MAIN) is None
    assert lease.is_fresh()


def test_the_deadline_lies_a_third_of_the_term_before_anybody_may_take_over(time: Time) -> None:
    first, second = member("first", time), member("second", time)
    lease = taken(first)
    second.look()
    time.now += 1.99
    assert lease.is_fresh()
    time.now += 0.01
    assert not lease.is_fresh()
    time.now += 0.99
    assert to_take(second.look()) is None
    assert second.take(MAIN) is None
    time.now += 0.01
    assert to_take(second.look()) == MAIN
    assert taken(second).epoch > lease.epoch


def test_two_that_wait_do_not_both_get_it(time: Time) -> None:
    first, second, third = (member(name, time) for name in ("first", "second", "third"))
    taken(first)
    second.look()
    third.look()
    time.now += TERM
    second.look()
    third.look()
    assert second.take(MAIN) is not None
    assert third.take(MAIN) is None
    assert Lease.objects.get(shard=MAIN).holder == "second"


def test_a_renewal_between_look_and_take_is_seen(time: Time) -> None:
    first, second = member("first", time), member("second", time)
    lease = taken(first)
    second.look()
    time.now += 1.9
    Lease.objects.filter(shard=MAIN).update(beats=0)  # anything that differs counts as life
    second.look()
    time.now += TERM
    second.look()
    Lease.objects.filter(shard=MAIN).update(beats=99)
    assert second.take(MAIN) is None
    assert Lease.objects.get(shard=MAIN).epoch == lease.epoch


def test_a_lease_that_has_lapsed_is_never_renewed_again(time: Time) -> None:
    first = member("first", time)
    lease = taken(first)
    time.now += 30  # frozen, and nobody took it
    assert not lease.is_fresh()
    assert not first.renew(lease)
    assert not lease.is_fresh()
    lease.extend(time.now + 100)
    assert not lease.is_fresh()


def test_a_renewal_that_was_answered_late_grants_nothing(time: Time) -> None:
    first = member("first", time)
    lease = taken(first)
    first.now = iter((time.now, time.now + 5)).__next__  # asked; and when the answer came
    lease.extend(time.now)
    time.now += 5
    assert not first.renew(lease)
    assert not lease.is_fresh()


def test_a_holder_that_was_replaced_learns_it_from_its_renewal(time: Time) -> None:
    first, second = member("first", time), member("second", time)
    lease = taken(first)
    first.release(lease)
    assert not lease.is_fresh()
    newer = taken(second)
    older = ShardLease(MAIN, lease.epoch, time.now + 100, time)
    assert not first.renew(older)
    assert not older.is_fresh()
    first.release(older)  # of an old epoch: changes nothing
    assert Lease.objects.get(shard=MAIN).holder == "second"
    assert second.renew(newer)


def test_a_lease_that_was_given_up_is_free_at_once(time: Time) -> None:
    first, second = member("first", time), member("second", time)
    first.release(taken(first))
    assert taken(second).is_fresh()


def test_epochs_grow_over_all_shards_and_divisions(time: Time) -> None:
    epochs = []
    for shards, shard in ((1, MAIN), (2, "1-of-2"), (2, "2-of-2"), (1, MAIN)):
        leases = member("one", time, shards)
        lease = taken(leases, shard)
        epochs.append(lease.epoch)
        leases.release(lease)
    assert epochs == sorted(set(epochs))


@pytest.mark.parametrize(
    "jump", [timedelta(days=-1), timedelta(seconds=-5), timedelta(seconds=5), timedelta(days=1)]
)
def test_a_database_whose_clock_jumps_hands_no_lease_over(time: Time, jump: timedelta) -> None:
    first, second = member("first", time), member("second", time)
    lease = taken(first)
    second.look()
    Lease.objects.update(beat_at=timezone.now() + jump)
    time.now += 1
    assert to_take(second.look()) is None
    assert first.renew(lease)
    time.now += TERM - 0.1
    assert to_take(second.look()) is None


def test_the_longer_term_of_two_counts(time: Time) -> None:
    patient, hasty = member("patient", time, seconds=10), member("hasty", time, seconds=2)
    lease = taken(patient)
    hasty.look()
    time.now += 6
    assert lease.is_fresh()
    assert to_take(hasty.look()) is None
    time.now += 4
    assert to_take(hasty.look()) == MAIN


def test_owners_divided_in_another_way_are_waited_for(time: Time) -> None:
    old, new = member("old", time, 1), member("new", time, 2)
    lease = taken(old)
    new.look()
    assert new.strangers() == ["main (old)"]
    assert new.take("1-of-2") is None
    old.release(lease)
    new.look()
    assert new.strangers() == []
    assert new.take("1-of-2") is not None
    old.look()
    assert old.take(MAIN) is None


def test_a_dead_process_of_another_division_is_fenced_off(time: Time) -> None:
    old, new = member("old", time, 1), member("new", time, 2)
    lease = taken(old)
    new.look()
    time.now += TERM
    new.look()
    assert new.strangers() == []
    assert new.take("2-of-2") is not None
    woken = ShardLease(MAIN, lease.epoch, time.now + 100, time)
    assert not old.renew(woken)
    assert Lease.objects.get(shard=MAIN).holder == ""


def test_another_division_that_came_after_the_look_is_seen(time: Time) -> None:
    old, new = member("old", time, 1), member("new", time, 2)
    new.look()
    taken(old)
    assert new.take("1-of-2") is None


def test_processes_that_beat_are_alive_and_others_are_forgotten(time: Time) -> None:
    first, second = member("first", time), member("second", time)
    first.look()
    second.look()
    assert first.look().live == {"first", "second"}
    member("elsewhere", time, 2).look()
    assert "elsewhere" not in first.look().live
    time.now += TERM
    assert first.look().live == {"first"}
    time.now += TERM * 20
    first.look()
    assert {row.holder for row in EngineProcess.objects.all()} == {"first"}
    first.leave()
    assert not EngineProcess.objects.exists()


WRITER = """
import os, time, django
django.setup()
from brokers.clock import seconds_of_life
from brokers.lease import ShardLease
lease = ShardLease("main", 1, seconds_of_life() + 2, seconds_of_life)
while lease.is_fresh():
    os.write(1, b"%d\\n" % time.monotonic_ns())
os.write(1, b"lapsed\\n")
time.sleep(60)
"""


def test_a_process_that_was_stopped_does_not_write_when_it_wakes() -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE) as process:
        said = process.stdout
        assert said is not None
        try:
            first = int(said.readline())
            process.send_signal(signal.SIGSTOP)
            stopped = time_of_day.monotonic_ns()
            time_of_day.sleep(2.5)
            process.send_signal(signal.SIGCONT)
            written = [first, *map(int, iter(lambda: said.readline().strip(), b"lapsed"))]
        finally:
            process.kill()
    assert stopped - max(written) < 1_000_000_000
    assert max(written) < stopped + 50_000_000  # the signal takes a moment to arrive; a wake-up is 2 s away


@pytest.fixture
def other() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    parameters = connection.get_connection_params()
    for ours in ("cursor_factory", "context"):
        parameters.pop(ours, None)
    with psycopg.connect(**parameters, autocommit=True) as opened:
        yield opened


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_one_who_is_taking(
    time: Time, other: psycopg.Connection[tuple[object, ...]]
) -> None:
    leases = member("first", time)
    leases.look()
    other.execute("select pg_advisory_lock(%s)", [0x7448_0000])
    assert leases.take(MAIN) is None
    other.execute("select pg_advisory_unlock_all()")
    assert leases.take(MAIN) is not None


@pytest.mark.django_db(transaction=True)
def test_the_server_ends_the_transaction_of_a_program_that_was_frozen(
    other: psycopg.Connection[tuple[object, ...]],
) -> None:
    Lease.objects.create(shard="frozen")

    def freeze() -> None:
        with transaction.atomic():
            end_if_idle(1)
            Lease.objects.select_for_update().get(shard="frozen")
            other.execute("set lock_timeout = '5s'")
            other.execute("update brokers_lease set beats = 7 where shard = 'frozen'")  # until it is free
            Lease.objects.get(shard="frozen")

    with pytest.raises(DatabaseError):
        freeze()
    connection.close()
    assert Lease.objects.get(shard="frozen").beats == 7
