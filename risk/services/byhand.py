"""The way out when no engine runs: the engine's own flattening, over REST, until the broker says flat.

Nothing is written down here and nobody's lease is asked for: cancels and the broker's own liquidation can
only make an account smaller, whoever else sends them at the same time.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from brokers.services import byhand
from brokers.services.byhand import Access, Standing
from risk.core.flatten import flatten
from tradehaven.domain.errors import BrokerError
from tradehaven.domain.ids import ClientOrderId

log = logging.getLogger(__name__)

AGAIN_AFTER, LONGEST, GROWTH = 3.0, 30.0, 1.5
"""Seconds between looks, growing: the broker's lists lag (protocol 7.3), and many questions silence it."""
Say = Callable[[str], None]


@dataclass(slots=True)
class Left:
    """What is not flat: by login and account, and the logins of which nothing could be seen."""

    standing: dict[tuple[str, int], Standing] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Say whether anything is left."""
        return bool(self.standing or self.unseen)


def flatten_all(
    accesses: Sequence[Access],
    *,
    say: Say,
    pause: Callable[[float], object],
    looks: int,
    go_on: Callable[[], bool] = lambda: True,
) -> Left:
    """Make accounts flat and return what is left after so many looks at the broker's lists.

    An account counts as flat when a look that followed no command of ours finds it so. It ends early when
    `go_on` says that somebody else sees to it.
    """
    left = Left()
    for number in range(looks):
        if number:
            pause(min(AGAIN_AFTER * GROWTH ** (number - 1), LONGEST))
        if not go_on():
            return left
        left = _round(accesses, number, say)
        if not left:
            return left
    return left


def _round(accesses: Sequence[Access], number: int, say: Say) -> Left:
    left = Left()
    seen: list[tuple[Access, Mapping[int, Standing]]] = []
    for access in accesses:
        try:
            found = byhand.look(access)
        except BrokerError as error:
            say(f"{access.name}: cannot be seen: {error}")
            left.unseen.append(access.name)
            continue
        held = {account: standing for account, standing in found.items() if not standing.is_flat}
        left.standing |= {(access.name, account): standing for account, standing in held.items()}
        seen.append((access, held))
    _act(seen, number, say)
    return left


def _act(seen: Sequence[tuple[Access, Mapping[int, Standing]]], number: int, say: Say) -> None:
    for access, held in seen:  # every cancel before any close: a stop must not trade in between
        for account, standing in held.items():
            for order in flatten(standing.working, standing.positions).cancel:
                name = ClientOrderId(f"th1x.byhand.o{order}.{number}")
                _try(
                    say,
                    f"{access.name} {account}: cancel {order}",
                    byhand.cancel,
                    access,
                    account,
                    order,
                    name,
                )
    for access, held in seen:
        for account, standing in held.items():
            for contract in flatten(standing.working, standing.positions).close:
                what = f"{access.name} {account}: close {standing.positions[contract]:+d} of {contract}"
                _try(say, what, byhand.close, access, account, contract)


def _try(say: Say, what: str, act: Callable[..., None], *given: object) -> None:
    try:
        act(*given)
    except BrokerError as error:
        say(f"{what}: refused: {error}")  # asked again with the next look
        return
    say(what)
