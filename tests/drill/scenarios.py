"""The named fault scenarios of groups A, B and C as scripts for two followers (three where noted).

`key` is the second just before the moment that matters: there the crash points are armed. `ends` is what
everybody holds at rest when nothing crashes. What has no scenario here says so in docs/reliability.md.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from tests.drill.people import GROUP, LEADER, OWNER_GATE, Follower, Group, People
from tests.drill.script import (
    Cancel,
    Change,
    Crash,
    Drop,
    Exits,
    Flip,
    Gap,
    Refuse,
    Script,
    Stop,
    Storm,
    Timed,
    Turn,
)
from tests.drill.stories import (
    AWAY,
    BUY,
    HOME,
    SELL,
    THREE,
    TWO,
    Line,
    leave,
    limit,
    market,
    price,
    stop,
    story_of,
)
from tradehaven.domain.enums import SyncMode, TradingState
from tradehaven.domain.ids import AccountId

POINTS = ("P1", "P2", "P3", "P4", "P5", "P6")
DISKS = ("kept", "torn", "lost")
CODES = (
    "MaxPosLimitReached",
    "LiquidationOnly",
    "NotEnoughLiquidity",
    "TradingLocked",
    "RateLimited",
    "RiskCheckTimeout",
    "afterwards",
)
"""Refusals of each family: at the door, of the account, of the budget, unclear, and after the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story and where to crash in it. Positions are those of leader, account 2 and account 3."""

    script: Script
    key: float = 1.9
    ends: tuple[int, int, int] | None = None

    def crashed(self, point: str, disk: str, nth: int) -> Script:
        """Return the story with a crash the `nth` time that the engine passes a point."""
        crash = Crash(point=point, disk=disk, nth=nth, seconds=0.7)
        items = sorted((*self.script.items, Timed(self.key, crash)), key=lambda item: item.second)
        return replace(self.script, items=tuple(items), length=self.script.length + 5)


def _storms(second: float, seconds: float, **weather: float) -> list[Line]:
    return [
        (second, Storm(login=login, name=name, value=value, seconds=seconds))
        for login in (HOME, AWAY)
        for name, value in weather.items()
    ]


def _round_trip() -> list[Line]:
    return [(2, market(BUY, 2)), (8, market(SELL, 2))]


def fan_out(count: int) -> Script:
    """Return a leader with many followers on one login that opens one contract (F04)."""
    followers = tuple(Follower(account=AccountId(2 + n)) for n in range(count))
    accounts = [LEADER, *(found.account for found in followers)]
    return Script(
        seed=0,
        people=People(
            groups=(Group(group=GROUP, leader=LEADER, followers=followers),),
            logins=tuple((account, HOME) for account in accounts),
        ),
        items=(Timed(2, market(BUY, 1)),),
        length=8,
    )


def crash_loop() -> Script:
    """Return five crashes in a minute around a leader that goes on trading (F06)."""
    crashes: list[Line] = [(3 + 10 * n, Crash(point="now", disk=DISKS[n % 3], seconds=4)) for n in range(5)]
    trades: list[Line] = [(4 + 10 * n, market(BUY, 1)) for n in range(5)]
    return story_of((1.5, market(BUY, 2)), *crashes, *trades)


def old_fills(count: int) -> Script:
    """Return a leader that trades while no engine lives; then one starts and finds it all (F12)."""
    trades: list[Line] = [(2 + n / 10, market(BUY if n % 2 else SELL, 1)) for n in range(count)]
    return story_of((1, Stop(seconds=2 + count / 10)), *trades)


SCENARIOS: dict[str, Scenario] = {
    "F01-F03 an order": Scenario(script=story_of(*_round_trip()), ends=(0, 0, 0)),
    "F02 with lists behind": Scenario(script=story_of(*_storms(0, 30, list_lag=5.0), *_round_trip())),
    "F05 flatten": Scenario(
        script=story_of(
            (2, market(BUY, 3)),
            (3, limit(SELL, 3, 30)),
            (5, Turn(gate=OWNER_GATE, state=TradingState.HALTED, flatten=True)),
        ),
        key=4.9,
        ends=(0, 0, 0),
    ),
    "F07 told to leave in a burst": Scenario(
        script=story_of(
            *((2 + n / 20, market(BUY, 1)) for n in range(10)),
            (2.25, Stop(seconds=2)),
            (8, leave()),
        ),
    ),
    "F09 everything twice": Scenario(
        script=story_of(*_storms(0, 30, doubles=1.0, echoes=1.0), *_round_trip()), ends=(0, 0, 0)
    ),
    "F10 out of order": Scenario(
        script=story_of(
            *_storms(0, 30, mixes=True, late=0.4), (2, market(BUY, 2)), (6, limit(SELL, 2, 4)), (9, price(9))
        ),
        ends=(0, 0, 0),
    ),
    "F11 a hole in the stream": Scenario(
        script=story_of(
            (1.8, Gap(login=AWAY, seconds=3)), *_round_trip(), (5, stop(SELL, 2, 20)), (9, leave())
        ),
    ),
    "F12 a snapshot": Scenario(
        script=story_of((2, market(BUY, 2)), (3, Drop(login=HOME)), (3.1, Drop(login=AWAY)), (9, leave())),
        key=2.9,
        ends=(0, 0, 0),
    ),
    "F13 partial fills and the cancelled rest": Scenario(
        script=story_of(
            (2, limit(BUY, 4, 1)),
            (3, price(-1)),
            (3.02, Cancel(account=LEADER, pick=0)),
            mode=SyncMode.CONFIRMED,
            splits=0.9,
        ),
    ),
    "F14 partial fills of the followers": Scenario(
        script=story_of(
            (2, limit(BUY, 4, 2)),
            (2.5, stop(SELL, 4, 20)),
            (3, price(-2)),
            (3.01, Change(account=LEADER, pick=0, move=-1)),
            (3.5, price(-2)),
            (4, Cancel(account=LEADER, pick=0)),
            (6, leave()),
            splits=0.8,
        ),
    ),
    "F15 a flip in one order": Scenario(
        script=story_of((2, market(BUY, 2)), (4, Flip(account=LEADER, qty=3))), key=3.9, ends=(-3, -3, -6)
    ),
    "F15 a flip in two orders": Scenario(
        script=story_of((2, market(BUY, 2)), (4, market(SELL, 2)), (4.01, market(SELL, 3))),
        key=3.9,
        ends=(-3, -3, -6),
    ),
    "F15 a flip without the entry": Scenario(
        script=story_of(
            (1.9, Refuse(account=THREE, code="LiquidationOnly", seconds=1)),
            (2, market(BUY, 2)),
            (4, Flip(account=LEADER, qty=3)),
        ),
        key=3.9,
        ends=(-3, -3, -6),
    ),
    "F16 fifty changes in a second": Scenario(
        script=story_of(
            (2, limit(BUY, 2, 80)),
            *((3 + n / 50, Change(account=LEADER, pick=0, move=1)) for n in range(50)),
        ),
        key=2.9,
        ends=(0, 0, 0),
    ),
    "F17 both legs touched": Scenario(
        script=story_of(
            *_storms(3, 20, late=1.5),
            (2, market(BUY, 2)),
            (4, Exits(account=LEADER, target=4, stop=4)),
            (8, price(5)),
            (8.4, price(-6)),
        ),
        key=7.9,
    ),
    "F20 a stranger's hand": Scenario(
        script=story_of(
            (2, market(BUY, 3)), (3, market(SELL, 1, TWO)), (4, market(BUY, 2, THREE)), (6, market(SELL, 3))
        ),
        ends=(0, 0, 2),
    ),
    "F22 answers lost": Scenario(script=story_of(*_storms(0, 12, loses_answers=1.0), *_round_trip())),
    "F22 requests lost": Scenario(script=story_of(*_storms(0, 6, loses_requests=1.0), *_round_trip())),
    "F22 answers late": Scenario(script=story_of(*_storms(0, 12, late_answers=1.0), *_round_trip())),
    "F22 carried out late": Scenario(script=story_of(*_storms(0, 12, slow=4.0), *_round_trip())),
    "F27 a market order that rests": Scenario(
        script=story_of(
            (2, market(BUY, 4)),
            (2.3, Cancel(account=LEADER, pick=0)),
            (6, leave()),
            splits=0.95,
            slow_fills=0.3,
        ),
    ),
    "F28 a stop turned down": Scenario(
        script=story_of(
            (2, market(BUY, 2)),
            (3, Refuse(account=THREE, code="LiquidationOnly", seconds=3)),
            (4, stop(SELL, 2, 5)),
            (8, price(-9)),
        ),
        key=3.9,
        ends=(0, 0, 0),
    ),
    "F29 lists behind and cut": Scenario(
        script=story_of(*_storms(0, 40, list_lag=5.0, partial=1.0, loses_answers=0.7), *_round_trip()),
    ),
    "F30 a line that dies in silence": Scenario(
        script=story_of((1.95, Drop(login=AWAY, silently=True)), *_round_trip(), (20, leave())),
    ),
    "F31 the leader's line falls": Scenario(
        script=story_of(
            (2, market(BUY, 2)),
            (3, Drop(login=HOME)),
            (3.2, market(BUY, 1)),
            (3.3, market(SELL, 3)),
            (12, leave()),
        ),
    ),
    "F37 a kill with orders on their way": Scenario(
        script=story_of(
            *((2 + n / 100, market(BUY, 1)) for n in range(10)),
            (2.06, Turn(gate=OWNER_GATE, state=TradingState.HALTED)),
            (6, leave()),
        ),
    ),
    "F39 flatten races with a target": Scenario(
        script=story_of(
            (2, market(BUY, 2)),
            (3, limit(SELL, 2, 3)),
            (5, price(4)),
            (5.01, Turn(gate=OWNER_GATE, state=TradingState.HALTED, flatten=True)),
        ),
        key=4.9,
        ends=(0, 0, 0),
    ),
} | {
    f"F21 {code}": Scenario(
        script=story_of((1.9, Refuse(account=THREE, code=code, seconds=3)), *_round_trip()),
        ends=(0, 0, 0),
    )
    for code in CODES
}


def shared_cap() -> Script:
    """Return two groups that feed one follower under one cap (F43)."""
    both = Follower(account=TWO, ratio=Fraction(1), max_position=3)
    other = AccountId(30)
    return Script(
        seed=0,
        people=People(
            groups=(
                Group(group=GROUP, leader=LEADER, followers=(both,)),
                Group(group=type(GROUP)(11), leader=other, followers=(both,)),
            ),
            logins=((LEADER, HOME), (other, HOME), (TWO, AWAY)),
        ),
        items=(Timed(2, market(BUY, 2)), Timed(2.01, market(BUY, 2, other)), Timed(4, market(BUY, 2))),
        length=8,
    )
