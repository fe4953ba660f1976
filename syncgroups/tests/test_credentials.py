"""Which token the engine hands a link, and what it does about one that was refused."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from brokers.lease import ShardLease
from brokers.ports import Login
from brokers.services import tokens
from brokers.services.tokens import Refreshed
from syncgroups.engine.process import Engine
from syncgroups.services import logins
from tradehaven.domain.ids import ConnectionId

ONE = ConnectionId(1)


class Broker:
    """Hands out a login with the next version at each renewal, unless told that another asks already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, outcome: Refreshed) -> None:
        self.version = 3
        self.refused: list[int | None] = []
        self._outcome = outcome
        monkeypatch.setattr(logins, "refresh_login", self.refresh)
        monkeypatch.setattr(tokens, "login_for_engine", self.login)

    def refresh(self, _connection: int, *, refused: int | None) -> Refreshed:
        """Note which version was refused."""
        self.refused.append(refused)
        self.version += self._outcome is Refreshed.RENEWED
        return self._outcome

    def login(self, _connection: int) -> Login:
        """Give the login as it is now."""
        return Login(
            connection=ONE, socket_url="ws://x", token="t", user_id=1, accounts={}, version=self.version
        )


def asked(tmp_path: Path, *refusals: bool) -> list[int | None]:
    """Return the versions of the logins that a link gets when it asks so."""

    async def main() -> list[int | None]:
        engine = Engine(ShardLease("main", 1, 1.0, lambda: 0.0), tmp_path, Random(1), lambda _: True)
        credentials = engine._credentials(ONE)
        found = [await credentials(refused) for refused in refusals]
        engine._tokens._thread.shutdown(wait=True)
        return [login.version if login is not None else None for login in found]

    return asyncio.run(main())


def test_a_refused_token_is_renewed_by_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broker = Broker(monkeypatch, Refreshed.RENEWED)
    assert asked(tmp_path, False, False, True, True) == [3, 3, 4, 5]
    assert broker.refused == [3, 4]


def test_while_another_process_renews_there_is_no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broker = Broker(monkeypatch, Refreshed.UNDER_WAY)
    assert asked(tmp_path, False, True, True) == [3, None, None]
    assert broker.refused == [3, 3]


def test_a_token_that_was_renewed_meanwhile_is_handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broker = Broker(monkeypatch, Refreshed.NOT_DUE)
    assert asked(tmp_path, False) == [3]
    broker.version = 4
    assert asked(tmp_path, True) == [4]
