"""What of the tests may be left out, and where that is said."""

import os

import pytest

LEFT_OUT = os.environ.get("TRADEHAVEN_LEAVE_OUT", "").split()
"""Folders and files whose tests do not run: for a second run that differs in nothing that they look at.

`pure` stands for all that ask neither a database nor another process.
"""
_SERVED = ("django_db", "journey", "browser", "slow")
_SERVED_BY = frozenset({"db", "transactional_db"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is to be left out, and say so."""
    for item in items:
        named = any(item.nodeid.startswith(place) for place in LEFT_OUT)
        if named or ("pure" in LEFT_OUT and _is_pure(item)):
            item.add_marker(pytest.mark.skip(reason="left out, as TRADEHAVEN_LEAVE_OUT says"))


def _is_pure(item: pytest.Item) -> bool:
    marked = any(item.get_closest_marker(mark) for mark in _SERVED)
    return not marked and _SERVED_BY.isdisjoint(getattr(item, "fixturenames", ()))
