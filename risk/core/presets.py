"""Rule sets of prop firms as starting values: what was seen published, when, where, and how sure it is.

The facts stand in `risk/data/rule-sets.json`. Firms change them without notice, and no copier can promise
that anybody stays within them. What is not known is asked for, and never loosens what an owner has set.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from risk.core.rules import (
    Caps,
    Consistency,
    DayLimit,
    Drawdown,
    Flat,
    Rules,
    Scaling,
    Tier,
    Trail,
)

Row = Mapping[str, Any]


class Copiers(StrEnum):
    """What a firm says of copiers that run on a server."""

    FORBIDDEN = "forbidden"
    LIMITED = "limited"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How sure an amount is: the firm's page or two sources; one good source; sources that disagree."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One program of a firm at one size in USD. `rules` has only what the firm asks for.

    `ask` are dotted fields that the firm limits, by amounts that were not found. `target` is the profit in
    USD that passes, `seen` when the sources were last read.
    """

    name: str
    version: str
    firm: str
    program: str
    phase: str
    size: int
    seen: str
    confidence: Confidence
    sources: tuple[str, ...]
    copiers: Copiers
    target: Decimal | None
    min_days: int
    rules: Rules
    ask: tuple[str, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


@cache
def presets() -> Mapping[str, Preset]:
    """Return every preset by its name, such as `topstep_combine:50000`, in the order of the file."""
    return presets_of(
        json.loads(files("risk").joinpath("data", "rule-sets.json").read_text(encoding="utf-8"))
    )


def presets_of(table: Row) -> Mapping[str, Preset]:
    """Return the presets of a table that is written as the file is."""
    found = (
        _preset(table["version"], firm, program, row)
        for firm in table["firms"]
        for program in firm["programs"]
        for row in program["sizes"]
    )
    return {preset.name: preset for preset in found}


def applied(preset: Preset, own: Rules) -> Rules:
    """Return an owner's rules with a preset's over them; what the firm leaves open stays the owner's."""
    firm = preset.rules
    flat = own.flat or Flat()
    return replace(
        own,
        daily_loss=firm.daily_loss or own.daily_loss,
        reset_at=firm.reset_at,
        drawdown=_drawdown_over(firm.drawdown, own.drawdown),
        consistency=firm.consistency,
        caps=replace(
            own.caps,
            minis=firm.caps.minis or own.caps.minis,
            account=firm.caps.account or own.caps.account,
            scaling=firm.caps.scaling or own.caps.scaling,
        ),
        opposite=own.opposite and firm.opposite,
        mixing=own.mixing and firm.mixing,
        flat=replace(flat, firm_at=firm.flat.firm_at if firm.flat is not None else None),
    )


def _drawdown_over(firm: Drawdown | None, own: Drawdown | None) -> Drawdown | None:
    """Return the firm's floor with the owner's own distance from it."""
    if firm is None or own is None:
        return firm or own
    return replace(
        firm,
        reserve=min(own.reserve, firm.amount / 2),
        reserve_ticks=own.reserve_ticks,
        breach=own.breach,
        block_at=own.block_at,
    )


def _preset(
    version: str, firm: Mapping[str, Any], program: Mapping[str, Any], row: Mapping[str, Any]
) -> Preset:
    variant = f"-{row['variant']}" if "variant" in row else ""
    return Preset(
        name=f"{program['id']}:{row['size']}{variant}",
        version=version,
        firm=firm["name"],
        program=program["name"],
        phase=program["phase"],
        size=row["size"],
        seen=program["seen"],
        confidence=Confidence(row["confidence"]),
        sources=tuple(program["sources"]),
        copiers=Copiers(firm["copiers"]),
        target=_usd(row["target"]),
        min_days=program["min_days"],
        rules=_rules(firm, program, row),
        ask=(*_asked(row), *program.get("ask", ())),
        notes=(*program["notes"], *firm["notes"]),
        warnings=tuple(firm["warnings"]),
    )


def _rules(firm: Row, program: Row, row: Row) -> Rules:
    best_day = program["best_day"]
    return Rules(
        daily_loss=_daily_loss(row),
        reset_at=time.fromisoformat(firm["resets_at"]),
        drawdown=Drawdown(
            # Of a trail that is not known the strictest one is taken.
            trail=Trail(row["trail"] or Trail.INTRADAY),
            amount=Decimal(row["drawdown"]),
            start=Decimal(row["start"]),
            lock=_usd(row["lock"]),
            touch=row["touch"],
            payout_locks=row["payout_locks"],
        ),
        consistency=Consistency(best_day=Decimal(best_day), touch=program["touch"]) if best_day else None,
        caps=_caps(row),
        opposite=firm["opposite"],
        mixing=firm["mixing"],
        flat=Flat(firm_at=time.fromisoformat(firm["flat_by"])),
    )


def _daily_loss(row: Row) -> DayLimit | None:
    amount = _usd(row["daily_loss"])
    return DayLimit(amount=amount, fatal=row["daily_kind"] == "hard") if amount is not None else None


def _caps(row: Row) -> Caps:
    minis = _usd(row["minis"])
    tiers = tuple(Tier(profit=Decimal(profit), minis=Decimal(most)) for profit, most in row["tiers"] or ())
    scaling = (
        Scaling(start=Decimal(row["start"]), tiers=tiers, live=row.get("live", False)) if tiers else None
    )
    # Without a word about micros each of them may count as a whole contract.
    account = int(minis) if minis is not None and row["micros"] is None else None
    return Caps(minis=minis, account=account, scaling=scaling)


def _asked(row: Row) -> list[str]:
    limited = row["daily_kind"] != "none" and row["daily_loss"] is None
    unknown = (
        ("daily_loss.amount", limited),
        ("drawdown.trail", row["trail"] is None),
        ("caps.minis", row["minis"] is None and not row["tiers"]),
    )
    return [field for field, is_open in unknown if is_open]


def _usd(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
