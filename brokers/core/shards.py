"""Who should lead which shard: names, owners, and a balance that comes to rest. Pure.

Each process decides for itself from what it sees of the others; nobody is in charge. That two of them never
lead one shard is not decided here: leases see to that.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tradehaven.domain.ids import OwnerId

MAIN = "main"
"""The shard of an installation that has only one."""


def shard_names(count: int) -> tuple[str, ...]:
    """Return the names of all shards. Another count has other names, so no epoch or journal is mixed up."""
    return (MAIN,) if count == 1 else tuple(f"{number}-of-{count}" for number in range(1, count + 1))


def shard_of(owner: OwnerId, count: int) -> str:
    """Return the shard that an owner belongs to, the same in every process and for ever."""
    return shard_names(count)[owner % count]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """What one process knows of the fleet. `holders` has every shard; a free one is held by nobody ("")."""

    me: str
    live: frozenset[str]
    holders: Mapping[str, str]

    def loads(self) -> Counter[str]:
        """Return how many shards each live process leads."""
        held = Counter(holder for holder in self.holders.values() if holder)
        return Counter({process: held[process] for process in self.live | {self.me}})

    def free(self) -> list[str]:
        """Return the shards that nobody leads, in order."""
        return [shard for shard, holder in self.holders.items() if not holder]


def to_take(view: FleetView) -> str | None:
    """Return a free shard that is this process's to take: nobody who lives leads fewer than it does."""
    loads = view.loads()
    free = view.free()
    return free[0] if free and loads[view.me] == min(loads.values()) else None


def to_give(view: FleetView) -> str | None:
    """Return a shard to give back, or None: only the most loaded gives, and only if that evens the fleet out.

    Loads that differ by one are even, so a fleet in balance stays as it is, whatever does not divide.
    """
    loads = view.loads()
    heaviest = max(loads, key=lambda process: (loads[process], process))
    if view.free() or heaviest != view.me or loads[heaviest] - min(loads.values()) < 2:
        return None
    return next(shard for shard, holder in view.holders.items() if holder == view.me)
