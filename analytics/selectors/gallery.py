"""What the gallery shows: every state that a component can be in, made up and about nobody."""

from dataclasses import dataclass
from decimal import Decimal

from syncgroups.core.status import Colour, Fix, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is left of a limit."""

    name: str
    band: str
    percent: int
    left: str


STATUSES = (
    Status(Colour.GREEN, "Active", "Connected, in a group that is on."),
    Status(Colour.YELLOW, "Reducing only", "Entries are paused, exits pass.", Fix.RESUME),
    Status(Colour.RED, "Disconnected", "The broker does not let us in.", Fix.RECONNECT),
    Status(Colour.GRAY, "Idle", "In no group that is on.", Fix.ADD_TO_GROUP),
    Status(Colour.GREEN, "Without a why"),
)
AMOUNTS = (Decimal("1234.5"), Decimal("-87.25"), Decimal(0), None)
ROOMS = (
    Room(name="daily loss", band="safe", percent=21, left="$790.00"),
    Room(name="daily loss", band="warning", percent=58, left="$420.00"),
    Room(name="drawdown", band="danger", percent=83, left="$340.00"),
    Room(name="drawdown", band="locked", percent=100, left="$0.00"),
)
BUTTONS = ("", "primary", "quiet", "danger", "danger quiet", "small", "small quiet", "small danger quiet")
PLACES = ("live", "demo", "paper")
SHARES = (0, 40, 100)
COLOURS = ("ground", "panel", "raised", "line", "edge", "text", "muted", "accent", "up", "down", *Colour)


def exhibits() -> dict[str, object]:
    """Return everything that the gallery shows, by name."""
    return {
        "statuses": STATUSES,
        "amounts": AMOUNTS,
        "rooms": ROOMS,
        "buttons": BUTTONS,
        "places": PLACES,
        "shares": SHARES,
        "colours": COLOURS,
    }
