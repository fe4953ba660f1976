"""Reads the exchange's options from Django's settings; every one has a default here.

Settings are named `PAPER_…` and come from the environment through the project's settings.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings

from brokers.paper.options import Hours, Options, Replay
from brokers.paper.quotas import REAL, Limits
from brokers.paper.state import Rules

_LIMITS = {"none": Limits(), "real": REAL}


def options(given: Mapping[str, Any] | None = None) -> Options:
    """Return the options: what is given and not None, else the setting, else the default.

    Keys are the settings' names without `PAPER_`, in lower case. Raises ValueError on a bad range.
    """
    chosen = {name: value for name, value in (given or {}).items() if value is not None}

    def value(name: str, default: Any) -> Any:
        return chosen.get(name, getattr(settings, f"PAPER_{name.upper()}", default))

    rules = Rules(
        latency_ms=span(value("latency_ms", "50-200")),
        slippage_ticks=span(value("slippage_ticks", "0-2")),
        commission=Decimal(str(value("commission", "2.50"))),
        command_window_ms=int(value("command_window_ms", 0)),
        max_order_qty=int(value("max_order_qty", 200)),
        protection_ticks=int(value("protection_ticks", 100)),
    )
    return Options(
        secret=value("secret", "") or _derived_secret(),
        host=value("host", "127.0.0.1"),
        port=int(value("port", 8090)),
        seed=int(value("seed", 1)),
        rules=rules,
        limits=limits(
            value("limits", "none"), value("commands_per_minute", ""), value("requests_per_hour", "")
        ),
        replay=_replay(value("data_file", ""), value("symbol", ""), value("speed", 1)),
        tick_seconds=int(value("tick_ms", 250)) / 1000,
        token_seconds=int(value("token_seconds", 80 * 60)),
        resends=bool(value("resends", True)),
        sessions_per_user=int(value("sessions_per_user", 0)),
        operator_token=value("operator_token", ""),
        hours=Hours(value("hours", "always")),
    )


def span(text: str | tuple[int, int]) -> tuple[int, int]:
    """Return the ends of a range such as `50-200` or `0`; raises ValueError when it is none."""
    if isinstance(text, tuple):
        return text
    low, _, high = str(text).partition("-")
    found = int(low), int(high or low)
    if not 0 <= found[0] <= found[1]:
        raise ValueError(f"{text!r} is no range such as 50-200")
    return found


def limits(name: str, commands: Any, requests: Any) -> Limits:
    """Return the limits of a name, `none` or `real`, with the numbers that are not empty in their place."""
    if name not in _LIMITS:
        raise ValueError(f"{name!r} is no kind of limits: {', '.join(_LIMITS)}")
    chosen = _LIMITS[name]
    if commands != "":
        chosen = replace(chosen, commands_per_minute=int(commands))
    if requests != "":
        chosen = replace(chosen, requests_per_hour=int(requests))
    return chosen


def _replay(path: str, symbol: str, speed: Any) -> Replay | None:
    if not path:
        return None
    if not symbol:
        raise ValueError("a replay needs the symbol of its contract")
    return Replay(path=Path(path), symbol=symbol.upper(), speed=float(speed))


def _derived_secret() -> str:
    # Not the key itself: whoever learns this one cannot sign sessions of the site.
    return hashlib.sha256(b"paper-exchange:" + str(settings.SECRET_KEY).encode()).hexdigest()
