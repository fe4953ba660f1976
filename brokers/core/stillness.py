"""For how long something has not moved, by the watcher's own clock. Pure.

A lease that ran out is found by watching it stand still, not by comparing its time with a clock: the
database's clock may step, and a database that took over from another may have a different one (F48).
"""

from collections.abc import Hashable, Mapping


class Stillness:
    """Remembers what each thing looked like, and since when it looks like that. Times are in seconds."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Hashable, float]] = {}

    def see(self, values: Mapping[str, Hashable], now: float) -> None:
        """Take a look at everything there is. `now` is a moment after it was read, never before."""
        self._seen = {
            name: known if (known := self._seen.get(name)) and known[0] == value else (value, now)
            for name, value in values.items()
        }

    def still_for(self, name: str, now: float) -> float:
        """Return for how long a thing has looked the same; 0.0 for what was never seen."""
        known = self._seen.get(name)
        return max(0.0, now - known[1]) if known is not None else 0.0
