"""Every message between the web, commands and the engines: over the bus, and at an engine's own door.

Each says where to look, or that something must stop now. The rows are the truth of everything but a halt.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from tradehaven.domain.ids import AccountId, ClientOrderId, GateId, Nanos, OwnerId, PressId


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """An owner's plan, gates or logins have changed: read them again now, not in a second."""

    owner: OwnerId


class Press(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kill switch was pressed: these gates of one owner are shut, and flattened behind if asked.

    `by` is the number of the person, `at` the moment of the press (UTC nanoseconds).
    """

    press: PressId
    owner: OwnerId
    gates: tuple[GateId, ...]
    flatten: bool
    at: Nanos
    by: int | None = None
    reason: str = ""


class KeyShown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program showed a key while the database was away: its public prefix, and the hash of all of it."""

    prefix: str
    digest: str


class KeyKnown(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it is and which gate it may shut; both None for one that nobody here knows, or may not."""

    owner: OwnerId | None = None
    gate: GateId | None = None


class HeardState(StrEnum):
    """What became of a press at one door."""

    OBEYED = "obeyed"
    KEPT = "kept"
    SILENT = "silent"


class InFlight(msgspec.Struct, frozen=True, kw_only=True):
    """A command that had left before the press and had no answer yet: it may still become a trade."""

    account: AccountId
    client_order_id: ClientOrderId


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's word on a press.

    `obeyed`: it leads the owner, and from before this answer on nothing opens behind these gates. `kept`: it
    does not lead the owner, and will not open the gates when it does. `silent`: nothing was heard.
    `is_stored` says that a crash does not forget the press, `flattening` which accounts are being made flat.
    """

    engine: str
    state: HeardState
    is_stored: bool = False
    in_flight: tuple[InFlight, ...] = ()
    flattening: tuple[AccountId, ...] = ()


_settings_decoder = msgspec.json.Decoder(SettingsChanged)
_press_decoder = msgspec.json.Decoder(Press)
_shown_decoder = msgspec.json.Decoder(KeyShown)
_known_decoder = msgspec.json.Decoder(KeyKnown)
_heard_decoder = msgspec.json.Decoder(Heard)
_encoder = msgspec.json.Encoder()


def encode(message: SettingsChanged | Press | Heard | KeyShown | KeyKnown) -> bytes:
    """Return a message as bytes, without a line's end."""
    return _encoder.encode(message)


def decode(payload: bytes) -> SettingsChanged | None:
    """Return the message, or None for anything else that was said on the channel."""
    try:
        return _settings_decoder.decode(payload)
    except msgspec.MsgspecError:
        return None


def decode_press(payload: bytes) -> Press | None:
    """Return a press, or None for what is none."""
    try:
        press = _press_decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return press if is_press_id(press.press) and press.gates else None


def decode_shown(payload: bytes) -> KeyShown | None:
    """Return a key that was shown, or None for what is none."""
    try:
        return _shown_decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def decode_known(payload: bytes) -> KeyKnown | None:
    """Return what an engine knows of a key, or None for what is no such word."""
    try:
        return _known_decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def decode_heard(payload: bytes) -> Heard | None:
    """Return an engine's word, or None for what is none."""
    try:
        return _heard_decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None


def is_press_id(text: str) -> bool:
    """Say whether a text is the name of a press: it names files, so nothing else may pass."""
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)
