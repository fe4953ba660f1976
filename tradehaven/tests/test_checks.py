"""What a deployment is warned of."""

from typing import Any

import pytest

from tradehaven.checks import check_leases


@pytest.mark.parametrize(
    ("shards", "seconds", "warned"),
    [(1, 3, False), (1, 90, False), (4, 3, False), (4, 4, False), (4, 5, True)],
)
def test_slow_replacement_in_a_fleet_is_warned_of(
    settings: Any, shards: int, seconds: int, warned: bool
) -> None:
    settings.SHARDS, settings.LEASE_SECONDS = shards, seconds
    found = check_leases()
    assert bool(found) is warned
    assert all("ADR 14" in str(warning.hint) for warning in found)
