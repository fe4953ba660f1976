"""How an exchange is run, as one value; where the values come from stands in `config`."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from brokers.paper.quotas import Limits
from brokers.paper.state import Rules


class Hours(StrEnum):
    """When orders are accepted."""

    ALWAYS = "always"
    CME = "cme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A file of recorded trades for one contract, and the speed at which it runs."""

    path: Path
    symbol: str
    speed: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of one exchange process; times in seconds."""

    secret: str
    host: str = "127.0.0.1"
    port: int = 8090
    seed: int = 1
    rules: Rules = field(default_factory=Rules)
    limits: Limits = field(default_factory=Limits)
    replay: Replay | None = None
    tick_seconds: float = 0.25
    paused: bool = False
    hours: Hours = Hours.ALWAYS
    token_seconds: int = 80 * 60
    refresh_seconds: int = 14 * 24 * 3600
    operator_token: str = ""
    silence_limit: float = 12.0
    authorize_limit: float = 15.0
    heartbeat: float = 2.5
    mute_seconds: float = 60.0
    resends: bool = True
    sessions_per_user: int = 0
