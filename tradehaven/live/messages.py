"""Every live message, in two steps: what processes tell the web, and what the web tells browsers.

Processes say only what changed, after the commit, each owner's messages numbered so that a lost one is
noticed; prices alone travel with their values, because they are everybody's. Browsers get parts of pages,
cells and events in envelopes that are numbered again. An unknown kind or field fails.
"""

from enum import StrEnum

import msgspec

from tradehaven.domain.enums import Environment
from tradehaven.domain.ids import Nanos, OwnerId


class Topic(StrEnum):
    """What part of an owner's world changed."""

    OVERVIEW = "overview"
    ACCOUNTS = "accounts"
    GROUPS = "groups"
    ACTIVITY = "activity"
    GATE = "gate"


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """The base of all messages."""


class Changed(_Message, frozen=True, kw_only=True, tag="changed"):
    """These parts of an owner's world are different now, in the database.

    `number` counts the owner's messages from 1; 0 where nobody could count.
    """

    owner: OwnerId
    topics: tuple[Topic, ...]
    number: int = 0


class Tick(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A contract's latest prices in ticks, None where nobody has said one, and when (UTC nanoseconds)."""

    environment: Environment
    symbol: str
    bid: int | None
    ask: int | None
    last: int | None
    at: Nanos


class Ticked(_Message, frozen=True, kw_only=True, tag="ticked"):
    """Prices have changed, for whoever holds these contracts."""

    ticks: tuple[Tick, ...]


Message = Changed | Ticked


class Snapshot(_Message, frozen=True, kw_only=True, tag="snapshot"):
    """Everything on a page, by part: whatever the page had is replaced."""

    parts: dict[str, str]


class OverviewState(_Message, frozen=True, kw_only=True, tag="overview_state"):
    """The totals, banners and counts, as they stand."""

    html: str


class AccountState(_Message, frozen=True, kw_only=True, tag="account_state"):
    """All accounts as they stand."""

    html: str


class GroupState(_Message, frozen=True, kw_only=True, tag="group_state"):
    """All groups as they stand."""

    html: str


class ActivityState(_Message, frozen=True, kw_only=True, tag="activity_state"):
    """The newest lines of the log."""

    html: str


class TickUpdate(_Message, frozen=True, kw_only=True, tag="tick_update"):
    """Cells that prices alone have changed: name -> text and classes."""

    cells: dict[str, tuple[str, str]]


class OrderEvent(_Message, frozen=True, kw_only=True, tag="order_event"):
    """Something happened to an order: a line of the log."""

    id: int
    text: str
    severity: str


class RiskAlert(_Message, frozen=True, kw_only=True, tag="risk_alert"):
    """Something wants a person's eye: a line of the log that is a warning or worse."""

    id: int
    text: str
    severity: str
    reason: str = ""


State = OverviewState | AccountState | GroupState | ActivityState
Event = OrderEvent | RiskAlert
Frame = Snapshot | State | TickUpdate | Event
STATES: dict[str, type[State]] = {
    "overview": OverviewState,
    "accounts": AccountState,
    "groups": GroupState,
    "activity": ActivityState,
}
"""The message of each part of the page."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser gets at once: all that happened after `since`, up to `number`, at a UTC time in seconds.

    A page whose last number is not `since` has missed something and asks for everything.
    """

    since: int
    number: int
    at: float
    frames: tuple[Frame, ...]


_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_encoder = msgspec.json.Encoder()


def encode(message: Message | Envelope) -> str:
    """Return a message as text."""
    return _encoder.encode(message).decode()


def decode(text: str) -> Message:
    """Return a process's message; an unknown kind, topic or field fails."""
    return _decoder.decode(text)
