"""One holder at a time, free the moment it dies, and every holder told apart from the last."""

from collections.abc import Iterator

import pytest
from django.db import connection

from brokers.lease import ShardLease
from brokers.models import Lease

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair() -> Iterator[tuple[ShardLease, ShardLease]]:
    first, second = ShardLease("test", "first"), ShardLease("test", "second")
    yield first, second
    first.release()
    second.release()


def test_a_second_engine_waits_until_the_first_lets_go(pair: tuple[ShardLease, ShardLease]) -> None:
    first, second = pair
    assert first.try_take()
    assert first.is_held()
    assert not second.try_take()
    assert not second.is_held()
    first.release()
    assert not first.is_held()
    assert second.try_take()


def test_every_holder_has_a_higher_epoch(pair: tuple[ShardLease, ShardLease]) -> None:
    first, second = pair
    first.try_take()
    epoch = first.epoch
    first.release()
    second.try_take()
    assert second.epoch == epoch + 1
    row = Lease.objects.get(shard="test")
    assert (row.holder, row.epoch) == ("second", second.epoch)
    assert row.beat_at is not None


def test_a_lease_whose_connection_died_is_lost_at_once(pair: tuple[ShardLease, ShardLease]) -> None:
    first, second = pair
    first.try_take()
    held = first._connection
    assert held is not None
    with connection.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s)", [held.info.backend_pid])
    assert not first.is_held()
    assert second.try_take()


def test_other_shards_are_other_leases(pair: tuple[ShardLease, ShardLease]) -> None:
    first, _ = pair
    with ShardLease("other", "third") as other:
        assert first.try_take()
        assert other.try_take()
    assert Lease.objects.get(shard="other").holder == ""
