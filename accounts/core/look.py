"""How a person wants pages to look and sound: the words of the choices, and which fields hold them."""

from enum import StrEnum


class Theme(StrEnum):
    """Dark, light, or whatever the person's system says."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


class Colours(StrEnum):
    """The pair for gains and losses; a sign always stands beside them."""

    GREEN_RED = "green-red"
    BLUE_ORANGE = "blue-orange"
    RED_GREEN = "red-green"


PAIRS = {
    Colours.GREEN_RED: "Green ▲ red ▼",
    Colours.BLUE_ORANGE: "Blue ▲ orange ▼",
    Colours.RED_GREEN: "Red ▲ green ▼",
}
"""The pairs as people read them."""


class Layout(StrEnum):
    """Accounts on the cockpit as rows or as cards; `AUTO` takes rows from seven accounts on."""

    AUTO = "auto"
    ROWS = "rows"
    CARDS = "cards"


MOST_CARDS = 6
"""With more accounts than this cards no longer fit on a screen."""
FIELDS = ("theme", "colours", "layout", "hide_values", "sounds", "desktop_notices")
"""The fields of a person that say how pages look; each may be changed alone."""


def shows_rows(layout: Layout, accounts: int) -> bool:
    """Say whether so many accounts are shown as rows."""
    return layout is Layout.ROWS or (layout is Layout.AUTO and accounts > MOST_CARDS)
