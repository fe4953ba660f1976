"""Several engines: one is killed, one is frozen, one leaves. The others go on, and nobody writes twice."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts.models import User
from brokers.core.shards import shard_of
from brokers.models import EngineProcess, Lease
from syncgroups.models import Activity
from syncgroups.services.groups import FollowerSettings
from tests.journeys.conftest import free_port
from tests.journeys.house import PASSWORD, Hand, House, open_house, wait_until
from tests.journeys.invariants import History, one_order_for_each_intent
from tradehaven.domain.ids import OwnerId

pytestmark = pytest.mark.journey
TAKE_OVER = 5.0
"""Seconds within which another engine leads (COPY-15)."""


@pytest.fixture(autouse=True)
def _database(django_db_blocker: Any) -> Any:
    with django_db_blocker.unblock():
        yield


@contextmanager
def standby(house: House) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a second engine beside the one that leads."""
    first, second = house.engine, house._manage("run_engine")
    rows = EngineProcess.objects.filter(holder__endswith=f":{second.pid}")
    try:
        wait_until(rows.exists, "the second engine looks around", 30)
        time.sleep(0.5)
        yield second
    finally:
        for process in (first, second):
            if process is not None and process is not house.engine:
                process.kill()
                process.wait(10)


def leader_of(shard: str) -> int:
    """Return the number of the process that leads a shard, 0 for none."""
    holder = Lease.objects.filter(shard=shard).values_list("holder", flat=True).first()
    return int(holder.rpartition(":")[2]) if holder else 0


def placements(house: House, hand: Hand) -> History:
    """Return what the exchange's log knows."""
    return History.read(house.log(), {number: name for name, number in hand.accounts.items()})


def await_leader(process: "subprocess.Popen[bytes]", shard: str = "main", within: float = TAKE_OVER) -> float:
    """Wait until a process leads a shard; return how long that took."""
    began = time.monotonic()
    wait_until(lambda: leader_of(shard) == process.pid, f"{process.pid} leads {shard}", within)
    return time.monotonic() - began


def test_a_killed_leader_is_replaced_within_five_seconds(calm: House) -> None:
    hand, first = calm.hands["lead"], calm.engine
    assert first is not None
    with standby(calm) as second:
        before = hand.accepted("ONE")
        calm.kill_engine()
        calm.engine = second
        took = await_leader(second)
        calm.wait_for_links()
        hand.order("LEAD", "Buy", 2)
        wait_until(lambda: hand.net("ONE") == 2, "copied by the other")
        assert took <= TAKE_OVER
        assert hand.accepted("ONE") == before + 1


def test_a_frozen_leader_is_replaced_and_writes_nothing_when_it_wakes(calm: House) -> None:
    hand, first = calm.hands["lead"], calm.engine
    assert first is not None
    with standby(calm) as second:
        before = hand.accepted("ONE")
        calm.owner.connections.update(link_up=False)
        first.send_signal(signal.SIGSTOP)
        missed = hand.order("LEAD", "Buy", 1)  # lies in the frozen one's socket
        await_leader(second)
        calm.wait_for_links()
        hand.order("LEAD", "Buy", 2)
        wait_until(lambda: hand.net("ONE") == 2, "copied by the other")
        # Now, while its sockets still count as alive: without the lease it would copy what lies in them.
        first.send_signal(signal.SIGCONT)
        wait_until(lambda: _said(calm, "has run out"), "it knows")
        time.sleep(1.5)
        assert first.poll() is None, "it stands by"
        assert leader_of("main") == second.pid
        assert (hand.net("ONE"), hand.accepted("ONE")) == (2, before + 1)
        assert not one_order_for_each_intent(placements(calm, hand))
        reasons = Activity.objects.filter(owner=calm.owner, key__contains=f".o{missed}.")
        assert {row.reason for row in reasons} == {"engine_offline"}
        second.send_signal(signal.SIGTERM)  # a deploy: the next one need not wait for the lease to run out
        assert second.wait(10) == 0
        assert await_leader(first) < 2
        calm.wait_for_links()
        hand.order("LEAD", "Sell", 3)
        wait_until(lambda: hand.net("ONE") == 0, "the woken one copies, now that it may")


def _said(house: House, words: str) -> bool:
    return words in (Path(house.surroundings["DATA_DIR"]) / "run_engine.log").read_text()


@dataclass
class Pair:
    """A house with two owners in two shards: each with a leader and one follower."""

    house: House
    rooms: dict[str, House]

    def copies(self, shard: str) -> None:
        """Let an owner's leader trade, and wait for the copy."""
        hand = self.rooms[shard].hands[shard]
        held = hand.net(f"F-{shard}")
        hand.order(f"L-{shard}", "Buy", 1)
        wait_until(lambda: hand.net(f"F-{shard}") == held + 1, f"{shard} is copied")


@pytest.fixture
def pair(journey_database: None, django_db_blocker: Any, tmp_path: Path) -> Iterator[Pair]:
    with django_db_blocker.unblock(), open_house(tmp_path, free_port(), SHARDS="2") as house:
        rooms: dict[str, House] = {}
        for number in (1, 2):
            owner = User.objects.create_user(f"owner{number}@example.org", PASSWORD)
            EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
            shard = shard_of(OwnerId(owner.pk), 2)
            rooms[shard] = replace(house, owner=owner, hands={})
            rooms[shard].connect(shard, [f"L-{shard}", f"F-{shard}"])
            rooms[shard].group(f"L-{shard}", {f"F-{shard}": FollowerSettings()})
        yield Pair(house, rooms)


def test_two_engines_lead_one_shard_each_and_one_leads_both(pair: Pair) -> None:
    house = pair.house
    first, second = house._manage("run_engine"), house._manage("run_engine")
    house.engine = first
    try:
        shards = sorted(pair.rooms)
        wait_until(lambda: {leader_of(shard) for shard in shards} == {first.pid, second.pid}, "one each", 25)
        for shard, room in pair.rooms.items():
            room.wait_for_links()
            pair.copies(shard)
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0
        for shard in shards:
            await_leader(first, shard)
        for shard, room in pair.rooms.items():
            room.wait_for_links()
            pair.copies(shard)
    finally:
        second.kill()
        second.wait(10)
