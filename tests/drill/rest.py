"""The engine's own picture when everything has come to rest: what the laws compare, and never believe."""

from syncgroups.core.book import Book
from syncgroups.core.converge import is_halted
from syncgroups.core.copies import Copy, CopyState
from syncgroups.core.plan import OwnerPlan
from tests.drill.engine import Engine
from tests.drill.history import Rest

_UNKNOWN = frozenset({CopyState.SENDING, CopyState.UNRESOLVED, CopyState.FILLING})


def rest_of(engine: Engine, failures: int) -> Rest:
    """Return what an engine believes now; `failures` are events that those before it could not handle."""
    plan, book = engine.mailbox.plan, engine.mailbox.book
    open_copies = [book.copies[key] for keys in book.open_copies.values() for key in sorted(keys)]
    standings = book.risk.standings.items()
    return Rest(
        positions={key: net for key, net in book.positions.items() if net},
        unknown=tuple(copy.key for copy in open_copies if _is_unknown(copy) and not _bides(plan, book, copy)),
        waiting=tuple(book.waiting),
        links_down=tuple(login for login, line in engine.lines.items() if not line.is_ready),
        gates={gate: str(known.state) for gate, known in book.gates.items()},
        failures=failures + engine.mailbox.failures,
        locks=dict(book.risk.locks),
        equities={account: stood.money.equity for account, stood in standings},
        floors={account: stood.floor.floor for account, stood in standings if stood.floor is not None},
    )


def _is_unknown(copy: Copy) -> bool:
    return copy.state in _UNKNOWN or copy.in_flight is not None


def _bides(plan: OwnerPlan, book: Book, copy: Copy) -> bool:
    """Say whether an exit that never left waits: for something to close, or for its gate."""
    if copy.is_manual:
        return copy.is_unsent and is_halted(plan, book, copy.follower)
    return copy.is_unsent and copy.leader_order in book.working[copy.leader]
