"""Words to the pages never stand in the way of what was changed."""

import json

import pytest

from accounts.models import User
from risk.services.gates import ensure_owner_gate, halt
from tradehaven.domain.enums import Environment
from tradehaven.domain.ids import Nanos
from tradehaven.live.messages import Changed, Envelope, Tick, Ticked, TickUpdate, Topic, decode, encode
from tradehaven.live.publish import publish

DEAD = "redis://127.0.0.1:9/0"
DEAD_LAYER = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [DEAD], "prefix": "th"},
    }
}


def test_the_kill_switch_works_while_redis_is_down(alice: User, settings, django_capture_on_commit_callbacks):
    settings.CHANNEL_LAYERS, settings.REDIS_URL = DEAD_LAYER, DEAD
    gate = ensure_owner_gate(alice.pk)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        assert halt(gate=gate, by=alice, reason="", flatten=True)
    assert len(callbacks) == 2
    gate.refresh_from_db()
    assert gate.is_halted


def test_a_message_survives_the_way():
    message = Changed(owner=7, topics=(Topic.ACCOUNTS, Topic.GATE))  # type: ignore[arg-type]
    assert decode(encode(message)) == message


def test_prices_survive_the_way():
    tick = Tick(environment=Environment.DEMO, symbol="ESZ6", bid=1, ask=None, last=0, at=Nanos(5))
    assert decode(encode(Ticked(ticks=(tick,)))) == Ticked(ticks=(tick,))


def test_an_owners_messages_are_numbered_and_nobody_elses_count(
    alice: User, bob: User, django_capture_on_commit_callbacks, monkeypatch: pytest.MonkeyPatch
):
    sent: list[Changed] = []
    monkeypatch.setattr("tradehaven.live.publish._send", lambda _group, message: sent.append(message))
    with django_capture_on_commit_callbacks(execute=True):
        for owner in (alice, alice, bob, alice):
            publish(owner.pk, [Topic.GATE])
    mine = [message.number for message in sent if message.owner == alice.pk]
    assert mine == [mine[0], mine[0] + 1, mine[0] + 2]


def test_without_a_cache_messages_go_unnumbered(
    alice: User, settings, django_capture_on_commit_callbacks, monkeypatch: pytest.MonkeyPatch
):
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": DEAD}}
    sent: list[Changed] = []
    monkeypatch.setattr("tradehaven.live.publish._send", lambda _group, message: sent.append(message))
    with django_capture_on_commit_callbacks(execute=True):
        publish(alice.pk, [Topic.GATE])
    assert [message.number for message in sent] == [0]


def test_an_envelope_is_what_the_pages_script_reads():
    frame = TickUpdate(cells={"sum.open": ("+$1.00", "gain")})
    said = json.loads(encode(Envelope(since=3, number=4, at=1.5, frames=(frame,))))
    assert said == {
        "since": 3,
        "number": 4,
        "at": 1.5,
        "frames": [{"kind": "tick_update", "cells": {"sum.open": ["+$1.00", "gain"]}}],
    }


@pytest.mark.parametrize("text", ["{}", '{"owner": 1, "topics": ["moon"]}', "nonsense"])
def test_a_message_that_is_not_ours_is_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        decode(text)
