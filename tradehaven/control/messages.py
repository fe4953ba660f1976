"""Every message that the web sends to the engines."""

from dataclasses import dataclass

import msgspec

from tradehaven.domain.ids import OwnerId


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """An owner's plan, gates or logins have changed: read them again now, not in a second."""

    owner: OwnerId


_decoder = msgspec.json.Decoder(SettingsChanged)
_encoder = msgspec.json.Encoder()


def encode(message: SettingsChanged) -> bytes:
    """Return a message as bytes."""
    return _encoder.encode(message)


def decode(payload: bytes) -> SettingsChanged | None:
    """Return the message, or None for anything else that was said on the channel."""
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError:
        return None
