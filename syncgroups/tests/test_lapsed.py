"""A press that finds no leader, because there is no database, is flattened by REST all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from brokers.ports import Login
from risk.services.byhand import Left
from syncgroups.engine import lapsed as module
from syncgroups.engine import switch as switching
from syncgroups.engine.lapsed import Lapsed, Legacy
from syncgroups.engine.switch import Switch
from syncgroups.tests.plans import GROUP_GATE, OWNER_GATE, follower, gate_of, group_of, plan_of
from tradehaven.control.messages import HeardState, Press
from tradehaven.domain.ids import AccountId, ConnectionId, GateId, Nanos, OwnerId, PressId

TWO, THREE = AccountId(2), AccountId(3)
PLAN = plan_of(group_of(follower(2), follower(3)))


def login(number: int, *accounts: int) -> Login:
    return Login(
        connection=ConnectionId(number),
        socket_url=settings.BROKERS["paper"]["socket_url"],
        token=f"token {number}",
        user_id=1,
        accounts={8000 + account: AccountId(account) for account in accounts},
    )


LEGACY = Legacy(plan=PLAN, logins=(login(1, 1, 2), login(2, 3)))


def press(*gates: GateId, owner: int = 1, flatten: bool = True) -> Press:
    return Press(press=PressId("ab" * 16), owner=OwnerId(owner), gates=gates, flatten=flatten, at=Nanos(5))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Remember what was to be flattened; it ends when `go_on` says so, or at once."""
    found: list[Any] = []

    def flatten_all(accesses: Any, *, go_on: Callable[[], bool], **_more: Any) -> Left:
        found.append([(access.name, access.token, dict(access.accounts)) for access in accesses])
        found.append(go_on())
        return Left()

    monkeypatch.setattr(module, "flatten_all", flatten_all)
    return found


def run(story: Awaitable[None]) -> None:
    async def main() -> None:
        await asyncio.wait_for(story, 20)

    asyncio.run(main())


def test_only_what_stands_behind_the_gates_is_flattened(asked: list[Any]) -> None:
    async def story() -> None:
        found = Lapsed()
        found.inherit([LEGACY])
        assert found.flatten(press(gate_of(THREE)), lambda: True) == (THREE,)
        await asyncio.gather(*found._under_way.values())

    run(story())
    assert asked == [[("login 2", "token 2", {8003: THREE})], True]


def test_everything_is_every_login(asked: list[Any]) -> None:
    async def story() -> None:
        found = Lapsed()
        found.inherit([LEGACY])
        assert found.flatten(press(OWNER_GATE), lambda: False) == (1, TWO, THREE)
        assert found.flatten(press(GROUP_GATE), lambda: True) == (1, TWO, THREE)  # it is under way
        await asyncio.gather(*found._under_way.values())

    run(story())
    assert asked == [
        [("login 1", "token 1", {8001: 1, 8002: TWO}), ("login 2", "token 2", {8003: THREE})],
        False,
    ]


@pytest.mark.parametrize("told", [press(OWNER_GATE, owner=2), press(GateId(77))])
def test_nobody_else_is_touched(asked: list[Any], told: Press) -> None:
    async def story() -> None:
        found = Lapsed()
        found.inherit([LEGACY])
        assert found.flatten(told, lambda: True) == ()

    run(story())
    assert not asked


def test_the_switch_flattens_what_it_led_once_and_says_so(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "settle", lambda _press: ())
    switch = Switch("host:1", tmp_path, None, tuple, lambda: Nanos(9))
    switch.inherit([LEGACY])

    async def story() -> None:
        heard = await switch.press(press(OWNER_GATE))
        assert (heard.state, heard.flattening) == (HeardState.KEPT, (1, TWO, THREE))
        await asyncio.gather(*switch._lapsed._under_way.values())
        await switch.settle()

    run(story())
    assert asked[1] is True  # the rows do not hold it yet, so nobody else sees to it


def test_a_press_without_flattening_touches_nothing(asked: list[Any], tmp_path: Path) -> None:
    switch = Switch("host:1", tmp_path, None, tuple, lambda: Nanos(9))
    switch.inherit([LEGACY])

    async def story() -> None:
        assert (await switch.press(press(OWNER_GATE, flatten=False))).flattening == ()

    run(story())
    assert not asked


def test_a_process_that_leaves_does_not_wait_for_it(asked: list[Any], tmp_path: Path) -> None:
    switch = Switch("host:1", tmp_path, None, tuple, lambda: Nanos(9))
    switch.inherit([LEGACY])

    async def story() -> None:
        await switch.close()
        await switch.press(press(OWNER_GATE))
        await asyncio.gather(*switch._lapsed._under_way.values())

    run(story())
    assert asked[1] is False


def test_nobody_prints_what_was_inherited() -> None:
    assert "token" not in repr(LEGACY)
