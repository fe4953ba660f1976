"""The keys that engines know without a database: only those that may stop, and only while they hold."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.core.keys import KeyKind, KeyText, Scope, digest
from accounts.models import User
from accounts.services.keys import make_key, revoke_key
from accounts.tests.factories import confirm
from brokers.tests.factories import ConnectionFactory
from risk.services.gates import ensure_owner_gate
from syncgroups.engine import keyring
from syncgroups.engine.keyring import Keyring, usable_keys
from syncgroups.tests.test_door import Porter, listening, run
from tradehaven.control import direct
from tradehaven.control.messages import KeyKnown, KeyShown
from tradehaven.domain.enums import Environment
from tradehaven.domain.ids import GateId, OwnerId

NOW = datetime(2026, 11, 18, 16, tzinfo=UTC)


@pytest.fixture
def owner(alice: User) -> User:
    confirm(alice)
    return alice


def key_of(owner: User, kind: KeyKind = KeyKind.LIVE, scope: Scope = Scope.TRADE) -> KeyText:
    _, text = make_key(owner=owner, name=f"{kind} {scope}", kind=kind, scope=scope, expires_at=None)
    return text


@pytest.mark.django_db
def test_who_may_trade_may_stop_and_nobody_else(owner: User, bob: User) -> None:
    gate = ensure_owner_gate(owner.pk)
    ensure_owner_gate(bob.pk)
    trade, disarm = key_of(owner), key_of(owner, scope=Scope.DISARM)
    key_of(owner, scope=Scope.READ)
    gone, _ = make_key(owner=owner, name="gone", kind=KeyKind.LIVE, scope=Scope.TRADE, expires_at=None)
    revoke_key(key=gone)
    known = KeyKnown(owner=OwnerId(owner.pk), gate=GateId(gate.pk))
    assert usable_keys() == {
        trade.prefix: (digest(trade), None, known),
        disarm.prefix: (digest(disarm), None, known),
    }


@pytest.mark.django_db
def test_a_paper_key_stops_nothing_that_live_money_hangs_on(owner: User) -> None:
    ensure_owner_gate(owner.pk)
    paper = key_of(owner, KeyKind.PAPER)
    ConnectionFactory.create(owner=owner, environment=Environment.DEMO)
    assert set(usable_keys()) == {paper.prefix}
    ConnectionFactory.create(owner=owner, environment=Environment.LIVE)
    assert usable_keys() == {}


@pytest.mark.django_db
def test_an_owner_without_a_gate_or_who_may_not_come_in_has_nothing_to_press(owner: User) -> None:
    key_of(owner)
    assert usable_keys() == {}
    ensure_owner_gate(owner.pk)
    assert usable_keys()
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert usable_keys() == {}


def test_a_key_is_known_by_its_hash_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = KeyKnown(owner=OwnerId(1), gate=GateId(2))
    held = {"aa": ("11", None, mine), "bb": ("22", NOW + timedelta(seconds=1), mine), "cc": ("33", NOW, mine)}
    monkeypatch.setattr(keyring, "usable_keys", lambda: held)
    ring = Keyring(lambda: NOW)

    def find(prefix: str, hashed: str) -> KeyKnown:
        return ring.find(KeyShown(prefix=prefix, digest=hashed))

    assert find("aa", "11") == KeyKnown()
    asyncio.run(ring.refresh())
    ring.close()
    assert find("aa", "11") == find("bb", "22") == mine
    assert find("aa", "22") == find("cc", "33") == find("dd", "") == KeyKnown()


def test_keys_stay_known_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0

    def read() -> keyring.Held:
        nonlocal reads
        reads += 1
        if reads > 1:
            raise OperationalError("gone")
        return {"aa": ("11", None, KeyKnown(owner=OwnerId(1), gate=GateId(2)))}

    monkeypatch.setattr(keyring, "usable_keys", read)
    monkeypatch.setattr(keyring, "REFRESH", 0.01)
    ring = Keyring(timezone.now)

    async def story() -> None:
        task = asyncio.create_task(ring.run())
        while reads < 3:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(story())
    ring.close()
    assert ring.find(KeyShown(prefix="aa", digest="11")).owner == OwnerId(1)


def test_a_key_is_asked_for_at_each_door_until_one_knows_it(tmp_path: Path, settings: Any) -> None:
    settings.DOORS_DIR, settings.ENGINE_DOORS = tmp_path / "doors", []
    porter = Porter()
    shown = KeyShown(prefix="0" * 12, digest="1" * 64)
    mine = KeyKnown(owner=OwnerId(4), gate=GateId(9))
    asked: list[KeyShown] = []

    def unknown(key: KeyShown) -> KeyKnown:
        asked.append(key)
        return KeyKnown()

    async def story() -> None:
        folder = tmp_path / "doors"
        async with listening(folder, porter.take) as first, listening(folder, porter.take) as second:
            assert await asyncio.to_thread(direct.whose, shown) == KeyKnown(), "nobody answers for keys"
            first.on_key = second.on_key = unknown
            assert await asyncio.to_thread(direct.whose, shown) == KeyKnown()
            assert asked == [shown, shown]
            first.on_key = second.on_key = lambda _key: mine
            assert await asyncio.to_thread(direct.whose, shown) == mine
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(folder / "0-dead.sock"))
        assert await asyncio.to_thread(direct.whose, shown) == KeyKnown()

    run(story())
    assert not porter.told
