"""One shard's engine goes on while its database is away."""

import asyncio
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError

from brokers.services import tokens
from syncgroups.engine.process import Engine
from syncgroups.services import logins
from tradehaven.domain.ids import ConnectionId


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return an engine that leads a shard; nothing of it runs."""
    lease: Any = SimpleNamespace(shard="main", epoch=1, is_fresh=lambda: True)
    return Engine(lease, tmp_path, Random(1), lambda _owner: True)


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("the connection is closed")])
@pytest.mark.parametrize("refused", [False, True])
def test_a_token_that_cannot_be_read_is_asked_for_again_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception, refused: bool
) -> None:
    def away(*_given: Any, **_named: Any) -> None:
        raise error

    monkeypatch.setattr(logins, "refresh_login", away)
    monkeypatch.setattr(tokens, "login_for_engine", away)
    credentials = engine._credentials(ConnectionId(1))
    assert asyncio.run(credentials(refused)) is None


def test_a_slow_renewal_of_a_token_holds_up_no_settings(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "login_for_engine", lambda _connection: None)

    async def story() -> str:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(*_given: Any, **_named: Any) -> None:
            asyncio.run_coroutine_threadsafe(done.wait(), loop).result(5)

        monkeypatch.setattr(logins, "refresh_login", slow)
        renewing = asyncio.create_task(engine._credentials(ConnectionId(1))(True))
        await asyncio.sleep(0)
        found = await asyncio.wait_for(engine._database.ask(lambda: "settings"), 2)
        done.set()
        await renewing
        return found

    assert asyncio.run(story()) == "settings"
