"""Laws about gates: they are obeyed, and stay where people put them."""

from collections.abc import Iterator

from tests.drill.history import Sent, Told, Turned
from tests.drill.reading import Reading
from tradehaven.domain.commands import ChangeOrder, Command, PlaceOrder
from tradehaven.domain.enums import TradingState
from tradehaven.domain.events import GateChanged, OrderChanged
from tradehaven.domain.ids import GateId, OrderId


def gates_are_obeyed(reading: Reading) -> Iterator[str]:
    """I7: behind a shut gate nothing is placed and nothing grows; behind a narrowed one nothing opens."""
    states: dict[GateId, GateChanged] = {}
    sizes: dict[OrderId, int] = {}
    for place, entry in enumerate(reading.history.entries):
        if isinstance(entry, Turned):
            known = states.get(entry.gate.gate)
            if known is None or known.version <= entry.gate.version:
                states[entry.gate.gate] = entry.gate
        elif isinstance(entry, Told) and isinstance(entry.event, OrderChanged):
            sizes[entry.event.order_id] = entry.event.spec.qty
        elif isinstance(entry, Sent):
            yield from _gate_breach(reading, place, entry.command, states, sizes)


def _gate_breach(
    reading: Reading,
    place: int,
    command: Command,
    states: dict[GateId, GateChanged],
    sizes: dict[OrderId, int],
) -> Iterator[str]:
    if not isinstance(command, PlaceOrder | ChangeOrder):
        return
    over = {
        gate
        for group in reading.plan_at(place).groups
        for follower in group.followers
        if follower.account == command.account and f".g{group.group}." in command.client_order_id
        for gate in follower.gates
    }
    standing = {states[gate].state for gate in over if gate in states}
    if isinstance(command, ChangeOrder):
        stood = reading.orders.get(command.order_id)  # one that was turned down with a number never did
        before = sizes.get(command.order_id, stood.first.spec.qty if stood is not None else command.spec.qty)
        if TradingState.HALTED in standing and command.spec.qty > before:
            yield f"{command.client_order_id} grew from {before} to {command.spec.qty} behind a shut gate"
    elif TradingState.HALTED in standing:
        yield f"{command.client_order_id} was placed behind a shut gate"
    elif TradingState.REDUCING in standing:
        # Of a flip that found no room only the closing part is left: the last word counts.
        if reading.enters(command.client_order_id, place) != 0:
            yield f"{command.client_order_id} opens behind a narrowed gate"


def gates_stay_where_they_were_put(reading: Reading) -> Iterator[str]:
    """I9: at rest the engine's gates are those that people turned, whatever crashed in between."""
    last: dict[int, GateChanged] = {}
    for entry in reading.history.entries:
        if isinstance(entry, Turned):
            known = last.get(entry.gate.gate)
            if known is not None and entry.gate.version < known.version:
                yield f"gate {entry.gate.gate} went back to version {entry.gate.version}"
            last[entry.gate.gate] = entry.gate
    rest = reading.history.rest
    for gate, turned in last.items():
        stands = rest.gates.get(gate) if rest is not None else None
        if stands != str(turned.state):
            yield f"gate {gate} stands {stands}, was turned {turned.state}"
