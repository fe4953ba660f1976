"""A history as lines that a person can read, with the seconds since the beginning."""

from collections.abc import Iterator
from typing import Any

from syncgroups.core.plan import OwnerPlan
from syncgroups.engine.records import DecisionRecord
from tests.drill.agenda import OPENING, SECOND
from tests.drill.history import (
    Accepted,
    Amended,
    Arrived,
    Began,
    Died,
    Entry,
    Finished,
    History,
    Journalled,
    Planned,
    Sent,
    Told,
    Traded,
    Trouble,
    Turned,
)
from tradehaven.domain.events import BalanceReported, PositionReported, TimePassed
from tradehaven.domain.orders import OrderSpec


def story(history: History, about: str = "") -> Iterator[str]:
    """Yield a line for each entry that says something, only those that contain `about`."""
    for entry in history.entries:
        text = _line(entry)
        if text and about in text:
            yield f"{(entry.at - OPENING) / SECOND:9.3f}  {text}"


def _line(entry: Entry) -> str:
    return _broker(entry) or _engine(entry) or _people(entry)


def _broker(entry: Entry) -> str:
    match entry:
        case Accepted():
            order = entry.order
            what = f"{order.side} {_spec(order.spec)} {order.symbol} ({order.client_id or 'by hand'})"
            return f"broker   {order.account} order {order.order_id}: {what}"
        case Amended():
            order = entry.order
            return f"broker   {order.account} order {order.order_id} is now {_spec(order.spec)}"
        case Finished():
            return f"broker   {entry.order.account} order {entry.order.order_id} {entry.order.status}"
        case Traded():
            fill = entry.fill
            went = f"{entry.before:+d} -> {entry.after:+d} {fill.symbol}"
            return f"broker   {fill.account} order {fill.order_id} trades {fill.qty} @ {fill.price}: {went}"
        case Arrived():
            verdict = f"refuses {entry.refused}" if entry.refused else "takes"
            return f"broker   {verdict} {_command(entry.command)}"
    return ""


def _engine(entry: Entry) -> str:
    match entry:
        case Sent():
            return f"engine {entry.epoch} sends {_command(entry.command)}"
        case Told():
            return _told(entry.event)
        case Journalled(record=DecisionRecord() as record):
            said = [f"refuses {r.key}: {r.reason}" for r in record.refusals]
            said += [f"remarks {r.kind} {r.account} {r.symbol or ''} {r.detail}" for r in record.remarks]
            return f"engine {entry.epoch} " + "; ".join(said) if said else ""
        case Began():
            return f"engine {entry.epoch} begins"
        case Died():
            return f"engine {entry.epoch} dies at {entry.how}, {entry.lost} records are lost"
    return ""


def _people(entry: Entry) -> str:
    match entry:
        case Turned():
            flat = " and flattens" if entry.gate.flatten else ""
            return f"people   gate {entry.gate.gate} {entry.gate.state}{flat}"
        case Planned():
            return f"people   settings: {_plan(entry.plan)}"
        case Trouble():
            return f"trouble  {entry.what}"
    return ""


def _told(event: Any) -> str:
    if isinstance(event, TimePassed | PositionReported | BalanceReported):
        return ""
    words = [type(event).__name__]
    for name in ("connection", "account", "order_id", "client_order_id", "qty", "status", "code", "reason"):
        if getattr(event, name, None) not in (None, ""):
            words.append(f"{name} {getattr(event, name)}")
    return "told     " + ", ".join(words)


def _command(command: Any) -> str:
    spec = f" {_spec(command.spec)}" if hasattr(command, "spec") else ""
    return f"{type(command).__name__}{spec} {command.client_order_id}"


def _spec(spec: OrderSpec) -> str:
    prices = {"limit": spec.limit, "stop": spec.stop, "trail": spec.trail}
    said = [f"{name} {value}" for name, value in prices.items() if value is not None]
    return " ".join([f"{spec.qty} {spec.order_type}", *said])


def _plan(plan: OwnerPlan) -> str:
    groups = []
    for group in plan.groups:
        followers = ", ".join(
            f"{f.account} x{f.ratio} {f.sizing}"
            + (f" max {f.max_contracts}" if f.max_contracts else "")
            + (f" cap {cap}" if (cap := plan.accounts[f.account].rules.caps.instrument) else "")
            for f in group.followers
        )
        groups.append(f"{group.leader} leads {followers}{'' if group.active else ' (off)'}")
    return "; ".join(groups)
