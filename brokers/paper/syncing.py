"""`user/syncrequest`: a snapshot and, without a gap, every later event (protocol 7)."""

from brokers.paper.calls import Answer, Call, DeniedError, Handler
from brokers.paper.entities import Account
from brokers.paper.exchange import Exchange
from brokers.paper.hub import Sync, known_kinds
from brokers.paper.snapshot import snapshot
from brokers.paper.tokens import Caller


def sync_request(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Answer the snapshot and subscribe the connection in the same step; any selector may be left out."""
    users = call.body.integers("users") or []
    if any(number != caller.user_id for number in users):
        raise DeniedError
    selected = call.body.integers("accounts") or []
    owned = {account.id for account in exchange.state.records.of_master(Account, caller.user_id)}
    if not owned.issuperset(selected):
        raise DeniedError
    kinds = call.body.texts("entityTypes")
    sync = Sync(
        accounts=frozenset(selected) if selected else None,
        kinds=known_kinds(kinds) if kinds else None,
    )
    body = snapshot(exchange.state, caller.user_id, sync)
    # In the same step as the snapshot: what happens from here on is told, nothing is told twice.
    if call.connection is not None:
        call.connection.sync = sync
    return Answer(payload=body)


ACTIONS: dict[str, Handler] = {"user/syncrequest": sync_request}
