"""The seam between the gateway and whatever library carries its frames.

A transport writes at once, without a task and without waiting; what the kernel does not take stays in
its buffer, and `buffered` says so. No type of the library passes this file.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from picows import WSError, WSFrame, WSInvalidStatusError, WSListener, WSMsgType, WSTransport, ws_connect

from tradehaven.domain.errors import BrokerError, CredentialsRejected, RateLimited, Unavailable

HANDSHAKE_LIMIT = 10.0
TOO_MANY_HANDSHAKES = 60.0
MAX_FRAME = 64 * 1024 * 1024
"""Bytes; the snapshot of a login with many accounts runs to megabytes (protocol 6.7)."""


class Receiver(Protocol):
    """Who gets the frames."""

    def on_frame(self, frame: memoryview) -> None:
        """Take one text frame; the memory is only lent for the length of the call."""

    def on_pong(self) -> None:
        """Learn that the other side has answered a ping."""

    def on_closed(self, reason: str) -> None:
        """Learn that nothing more will come, once."""


class Transport(Protocol):
    """An open connection."""

    def send(self, frame: bytes) -> None:
        """Write one text frame now."""

    def ping(self) -> None:
        """Ask the other side's socket for a sign of life (RFC 6455, 5.5.2); `on_pong` follows."""

    @property
    def buffered(self) -> int:
        """Return the bytes that the kernel has not taken yet."""

    def close(self) -> None:
        """End the connection; `on_closed` follows."""


Connect = Callable[[str, Receiver], Awaitable[Transport]]


class _Listener(WSListener):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._parts: list[bytes] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.TEXT and frame.fin:
            self._receiver.on_frame(frame.get_payload_as_memoryview())
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):  # large snapshots come in parts
            self._parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                whole = memoryview(b"".join(self._parts))
                self._parts.clear()
                self._receiver.on_frame(whole)
        elif kind == WSMsgType.PONG:
            self._receiver.on_pong()
        elif kind == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self._receiver.on_closed("the connection was closed")


class PicowsTransport:
    """A connection carried by picows."""

    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport

    def send(self, frame: bytes) -> None:
        """Write one text frame now."""
        self._transport.send(WSMsgType.TEXT, frame)

    def ping(self) -> None:
        """Ask the other side's socket for a sign of life."""
        self._transport.send_ping()

    @property
    def buffered(self) -> int:
        """Return the bytes that the kernel has not taken yet."""
        return int(self._transport.underlying_transport.get_write_buffer_size())

    def close(self) -> None:
        """End the connection; what the kernel has not taken is dropped, not sent. `on_closed` follows.

        A buffer that is flushed on the way out would send what its sender may not send any more.
        """
        self._transport.disconnect(graceful=not self.buffered)


async def connect(url: str, receiver: Receiver) -> Transport:
    """Open a connection, or raise the `BrokerError` that kept it shut."""
    try:
        transport, _ = await ws_connect(
            lambda: _Listener(receiver),
            url,
            websocket_handshake_timeout=HANDSHAKE_LIMIT,
            max_frame_size=MAX_FRAME,
        )
    except WSInvalidStatusError as error:
        raise _refused(error) from error
    except (WSError, OSError, TimeoutError) as error:
        raise Unavailable(f"no connection: {error}") from error
    return PicowsTransport(transport)


def _refused(error: WSInvalidStatusError) -> BrokerError:
    status = int(error.response.status) if error.response is not None else 0
    if status == 429:
        return RateLimited("too many handshakes at once", retry_after=TOO_MANY_HANDSHAKES)
    if status in (401, 403):
        return CredentialsRejected(f"the handshake was refused ({status})")
    return Unavailable(f"the handshake failed ({status})")
