"""A follower's limits as values. Rules that need prices or days join here with their issue."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """Hard limits of one account. `max_position` counts contracts of one instrument; None is no limit."""

    max_position: int | None = None
