"""What all tests of the engine's rows share: the desk has a calendar of its own."""

from datetime import timedelta

import pytest

from syncgroups.engine import books


@pytest.fixture(autouse=True)
def _a_start_looks_back_at_the_desks_own_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a start find what a desk has recorded, however long ago its fixed Wednesday is by now."""
    monkeypatch.setattr(books, "REMEMBER", timedelta(days=36_500))
