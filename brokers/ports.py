"""What the engine needs of a broker, as protocols. The Tradovate room implements them; tests may too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tradehaven.domain.commands import Command, Denied
from tradehaven.domain.events import Event
from tradehaven.domain.ids import AccountId, ConnectionId, Nanos, Symbol
from tradehaven.domain.money import Ticks

Sink = Callable[[Event], None]
"""Where a gateway puts what happened; called in the loop's thread, inside the frame's callback."""

Fence = Callable[[], bool]
"""Says whether this process may still write: asked immediately before each command, never remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One login as a gateway needs it. `accounts` maps the broker's account numbers to our ids;
    `version` counts the tokens of this login."""

    connection: ConnectionId
    socket_url: str
    token: str
    user_id: int | None
    accounts: Mapping[int, AccountId]
    version: int = 0

    def __repr__(self) -> str:
        """Leave the token out, whoever prints this."""
        return f"Login(connection={self.connection}, socket_url={self.socket_url!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeen:
    """The best prices of a contract, in ticks; None where the broker has not said one yet."""

    symbol: Symbol
    bid: Ticks | None
    ask: Ticks | None
    last: Ticks | None
    at: Nanos


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as two functions, so that tests can hold it still: UTC nanoseconds, and monotonic seconds."""

    nanos: Callable[[], Nanos]
    monotonic: Callable[[], float]


class Gateway(Protocol):
    """One login's live connection."""

    @property
    def is_ready(self) -> bool:
        """Say whether the snapshot is in and commands may be sent."""

    def send(self, command: Command) -> Denied | None:
        """Write a command now, without waiting; its outcome arrives in the sink. Denied: nothing was sent."""

    def could_send(self, command: Command) -> bool:
        """Say whether a command could be written now; nothing is written, counted or remembered."""

    def look_again(self) -> None:
        """Ask the broker for its lists; what they say arrives in the sink."""

    async def run(self) -> str:
        """Connect, stay connected and return why it ended; raise `BrokerError` when it never came up."""

    def close(self) -> None:
        """End the connection."""
