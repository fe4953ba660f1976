"""The named scenarios of guardrails (F38 to F44), and of what a broker should never do (F18, F19, F26).

Account 2 has the rules; `ends` is what leader, account 2 and account 3 hold at rest when nothing crashes.
"""

from dataclasses import replace
from datetime import time
from decimal import Decimal

from risk.core.rules import Collar, DayLimit, Drawdown, Flat, Offset, Protection, Rules, Trail
from tests.drill.people import ES
from tests.drill.scenarios import Scenario
from tests.drill.script import Blind, Bust, Overfill, Script, Settle, Strange, Wild
from tests.drill.stories import AWAY, BUY, HOME, SELL, TWO, leave, limit, market, price, ruled, story_of

LOSS = Rules(daily_loss=DayLimit(amount=Decimal(500)))
FLOOR = Rules(drawdown=Drawdown(trail=Trail.INTRADAY, amount=Decimal(600), start=Decimal(50_000)))
STOPPED = Rules(protection=Protection(stop=Offset(value=Decimal(20)), target=Offset(value=Decimal(60))))


def _lowered() -> Script:
    """Return a loss that is within the limit until somebody makes that smaller (F42)."""
    script = ruled(story_of((2, market(BUY, 2)), (4, price(-15)), (9, leave())), LOSS)
    assert LOSS.daily_loss is not None
    half = replace(LOSS, daily_loss=replace(LOSS.daily_loss, amount=Decimal(300)))
    settle = Settle(groups=script.people.groups, rules=((TWO, half),))
    lowered = story_of((2, market(BUY, 2)), (4, price(-15)), (6, settle), (9, leave()))
    return ruled(lowered, LOSS)


RULES: dict[str, Scenario] = {
    "F18 an execution taken back": Scenario(
        script=story_of((2, market(BUY, 2)), (5, Bust(account=TWO, pick=0)), (20, leave())),
        key=4.9,
    ),
    "F19 nonsense": Scenario(
        script=story_of(
            *((1 + n / 10, Strange(login=HOME if n % 2 else AWAY, number=n)) for n in range(20)),
            (2, market(BUY, 2)),
            (8, leave()),
        ),
        ends=(0, 0, 0),
    ),
    "F26 one contract too many": Scenario(
        script=story_of((1.5, Overfill(account=TWO)), (2, market(BUY, 2)), (8, leave())),
    ),
    "F38 a loss between two orders": Scenario(
        script=ruled(
            story_of((2, market(BUY, 2)), (4, price(-30)), (4.002, market(BUY, 1)), (4.03, market(BUY, 1))),
            LOSS,
        ),
        key=3.9,
        ends=(4, 0, 8),
    ),
    "F39 closing races with a target": Scenario(
        script=ruled(
            story_of((2, market(BUY, 2)), (3, limit(SELL, 2, 6)), (4, price(-30)), (4.01, price(8))), LOSS
        ),
        key=3.9,
        ends=(0, 0, 0),
    ),
    "F40 a wild print": Scenario(
        script=ruled(
            story_of(
                (2, market(BUY, 2)), (4, Wild(symbol=ES, parts=-200)), (5, price(2)), (6, market(BUY, 1))
            ),
            LOSS,
        ),
        key=3.9,
        ends=(3, 3, 6),
    ),
    "F40 no prices": Scenario(
        script=ruled(
            story_of((2, market(BUY, 2)), (3, Blind(seconds=9, silently=True)), (10, market(BUY, 1))),
            replace(LOSS, collar=Collar()),
        ),
        key=9.9,
        ends=(3, 2, 6),
    ),
    "F41 a peak between": Scenario(
        script=ruled(
            story_of((2, market(BUY, 2)), (3, price(30)), (4, price(-2)), (6, market(BUY, 1)), (8, leave())),
            FLOOR,
        ),
        key=3.9,
        ends=(0, 0, 0),
    ),
    "F42 a limit made smaller": Scenario(script=_lowered(), key=5.9, ends=(0, 0, 0)),
    "F44 the time to be flat": Scenario(
        script=ruled(story_of((2, market(BUY, 2)), (7, market(BUY, 1))), Rules(flat=Flat(at=time(10, 0, 5)))),
        key=4.5,
        ends=(3, 0, 6),
    ),
    "I14 a stop behind every fill": Scenario(
        script=ruled(
            story_of(
                (2, market(BUY, 2)), (3, market(BUY, 1)), (5, price(-25)), (8, market(SELL, 3)), splits=0.5
            ),
            STOPPED,
        ),
        ends=(0, 0, 0),
    ),
}
"""Each is played as it is, with other lucks, and at every crash point, as those of `scenarios` are."""
