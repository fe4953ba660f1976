"""Frames in, messages out; requests out, heartbeats due. No I/O, no clock of its own.

Framing is SockJS's without SockJS (protocol section 6): one letter, then JSON. Whatever a stranger
sends, nothing but `ProtocolError` comes out of here.
"""

import msgspec

from tradehaven.domain.errors import ProtocolError

HEARTBEAT = b"[]"
BEAT_EVERY = 2.5
"""Seconds between the heartbeats that the broker wants of us, whatever else is sent (protocol 6.6)."""
SILENCE_LIMIT = 5.0
"""Seconds without any frame after which the connection counts as dead: two beats were missed (F30)."""

_ARRAY, _OPEN, _BEAT, _CLOSE = b"aohc"
_NOTHING = msgspec.Raw()


class Message(msgspec.Struct, gc=False):
    """One message of an array frame: an answer carries `i` and `s`, an event carries `e`."""

    s: int | None = None
    i: int | None = None
    e: str | None = None
    d: msgspec.Raw = _NOTHING

    @property
    def body(self) -> bytes:
        """Return the payload as JSON text; empty when the message has none."""
        return bytes(self.d)


class Opened(msgspec.Struct, frozen=True):
    """The broker is ready to be spoken to."""


class Beat(msgspec.Struct, frozen=True):
    """The broker is alive."""


class Closed(msgspec.Struct, frozen=True):
    """The broker ends the session and says why."""

    code: int
    reason: str


Frame = Opened | Beat | Closed | list[Message]

_messages = msgspec.json.Decoder(list[Message])
_close = msgspec.json.Decoder(tuple[int, str])
_OPENED, _BEATING = Opened(), Beat()


def parse(frame: bytes | memoryview) -> Frame:
    """Return what one frame says. The result borrows the frame's memory: use it before the next one."""
    if not frame:
        raise ProtocolError("an empty frame")
    kind = frame[0]
    try:
        if kind == _ARRAY:
            return _messages.decode(frame[1:])
        if kind == _CLOSE:
            code, reason = _close.decode(frame[1:])
            return Closed(code=code, reason=reason)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"a frame that is not readable: {error}") from error
    if len(frame) == 1 and kind == _OPEN:
        return _OPENED
    if len(frame) == 1 and kind == _BEAT:
        return _BEATING
    raise ProtocolError(f"a frame of unknown kind {kind:#04x}")


def request(endpoint: str, number: int, body: bytes = b"", query: str = "") -> bytes:
    """Return a request frame: reads take their parameters in the query line, actions in the body."""
    return f"{endpoint}\n{number}\n{query}\n".encode() + body


class Pulse:
    """When to send a heartbeat, and when the other side counts as dead. Times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._sent = now
        self._heard = now

    def heard(self, now: float) -> None:
        """Note that a frame came, of whatever kind: `h` is left out while data flows."""
        self._heard = now

    def is_due(self, now: float) -> bool:
        """Say whether a heartbeat must go out now, and count it as sent."""
        if now - self._sent < BEAT_EVERY:
            return False
        self._sent = now
        return True

    def is_dead(self, now: float) -> bool:
        """Say whether the other side has been silent for too long."""
        return now - self._heard > SILENCE_LIMIT
