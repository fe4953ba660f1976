"""Which image of a position, or of cash, is the newest: by the broker's own time of its last change.

Images overtake one another, and at the session's roll the events of the day are said to come once more
(protocol 7.5). Orders have numbers for that; these two have their time alone.
"""

from brokers.tradovate import entities as e
from brokers.tradovate.mapping import nanos
from tradehaven.domain.errors import ProtocolError
from tradehaven.domain.ids import Nanos

_TIMED = e.Position | e.CashBalance


class Newest:
    """The time of the newest image of each."""

    def __init__(self) -> None:
        self._changed: dict[tuple[type[e.Entity], int], Nanos] = {}

    def begin(self, snapshot: e.Snapshot) -> None:
        """Take a snapshot for the newest there is."""
        stated: list[_TIMED] = [*snapshot.positions, *snapshot.cashBalances]
        self._changed = {(type(one), one.id): _changed_at(one.timestamp) for one in stated}

    def is_past(self, entity: e.Entity) -> bool:
        """Say whether a newer image was shown. One whose time nobody can read is never past."""
        if not isinstance(entity, _TIMED):
            return False
        what, changed = (type(entity), entity.id), _changed_at(entity.timestamp)
        known = self._changed.get(what, Nanos(0))
        self._changed[what] = max(changed, known)
        return 0 < changed < known


def _changed_at(text: str) -> Nanos:
    try:
        return nanos(text) if text else Nanos(0)
    except ProtocolError:
        return Nanos(0)
