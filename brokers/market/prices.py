"""The latest price of each contract, in memory. Bounded: one entry for each contract that is held."""

from brokers.ports import PriceSeen
from tradehaven.domain.ids import Symbol


class Prices:
    """Keeps the newest price and remembers which ones nobody has written down yet."""

    def __init__(self) -> None:
        self._latest: dict[Symbol, PriceSeen] = {}
        self._fresh: set[Symbol] = set()

    def put(self, price: PriceSeen) -> None:
        """Take a price; an older one than the known one is dropped."""
        known = self._latest.get(price.symbol)
        if known is None or price.at >= known.at:
            self._latest[price.symbol] = price
            self._fresh.add(price.symbol)

    def take_fresh(self) -> list[PriceSeen]:
        """Return the prices that changed since the last call."""
        fresh, self._fresh = self._fresh, set()
        return [self._latest[symbol] for symbol in sorted(fresh)]
