"""What of the tests may be left out, and where that is said."""

import os

import pytest

LEFT_OUT = os.environ.get("TRADEHAVEN_LEAVE_OUT", "").split()
"""Folders and files whose tests do not run: for a second run that differs in nothing that they look at."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is to be left out, and say so."""
    for item in items:
        if any(item.nodeid.startswith(place) for place in LEFT_OUT):
            item.add_marker(pytest.mark.skip(reason="left out, as TRADEHAVEN_LEAVE_OUT says"))
