"""Words to the pages never stand in the way of what was changed."""

import pytest

from accounts.models import User
from risk.services.gates import ensure_owner_gate, halt
from tradehaven.live.messages import Changed, Topic, decode, encode

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


@pytest.mark.parametrize("text", ["{}", '{"owner": 1, "topics": ["moon"]}', "nonsense"])
def test_a_message_that_is_not_ours_is_refused(text: str):
    with pytest.raises(ValueError, match=r".+"):
        decode(text)
