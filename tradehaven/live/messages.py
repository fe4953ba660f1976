"""Every message that pages can get. They say what changed; the page's content is read from the database."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from tradehaven.domain.ids import OwnerId


class Topic(StrEnum):
    """What part of an owner's world changed."""

    OVERVIEW = "overview"
    ACCOUNTS = "accounts"
    GROUPS = "groups"
    ACTIVITY = "activity"
    GATE = "gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """These parts of an owner's world are different now, in the database."""

    owner: OwnerId
    topics: tuple[Topic, ...]


_decoder = msgspec.json.Decoder(Changed)
_encoder = msgspec.json.Encoder()


def encode(message: Changed) -> str:
    """Return a message as text."""
    return _encoder.encode(message).decode()


def decode(text: str) -> Changed:
    """Return the message; an unknown topic or field fails."""
    return _decoder.decode(text)
