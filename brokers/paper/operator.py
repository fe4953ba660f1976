"""The operator's endpoints: trouble on demand, prices by hand, and the exchange's own log.

For tests and drills only: they exist when an operator token is set and answer 404 otherwise.
"""

import hmac
from collections.abc import Callable
from datetime import timedelta

from aiohttp import web

from brokers.paper import bodies, drills
from brokers.paper.codec import Json, to_wire
from brokers.paper.entities import Account, Evaluation, User
from brokers.paper.exchange import Exchange
from brokers.paper.faults import Mischief, Planned, Trouble
from brokers.paper.hub import dump
from brokers.paper.params import Params, ViolationError
from brokers.paper.words import RejectReason

Command = Callable[[Params], Json]
_LARGE = 10_000


class OperatorDesk:
    """Answers `/operator/<command>`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._commands: dict[str, Command] = {
            "drop": self._drop,
            "handshakes": self._handshakes,
            "trouble": self._trouble,
            "reject": self._reject,
            "fills": self._fills,
            "race": self._race,
            "price": self._price,
            "market": self._market,
            "evict": self._evict,
            "events": self._events,
            "shutdown": self._shutdown,
            "log": self._log,
            "rules": self._rules,
            **drills.commands(exchange, self._user, self._account),
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; errors are 400 with a text."""
        command = self._commands.get(request.match_info["command"])
        token = self._exchange.options.operator_token
        # Without a token set, nobody learns that the endpoints exist.
        if not token or command is None:
            return web.Response(status=404)
        given = request.headers.get("X-Operator-Token", "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return web.Response(status=401, text="Access is denied")
        text = bodies.text_of(await request.read())
        body = None if text is None else bodies.body_members(text)
        if body is None:
            return web.Response(status=400, text="The body is no JSON object")
        try:
            answer = command(Params({**bodies.query_members(request.query_string), **body}))
        except (ViolationError, ValueError) as error:
            return web.Response(status=400, text=str(error))
        return web.Response(text=dump(answer), content_type="application/json")

    def _drop(self, params: Params) -> Json:
        dropped = self._exchange.hub.of_user(self._user(params).id)
        for connection in dropped:
            connection.close()
        return {"dropped": len(dropped)}

    def _handshakes(self, params: Params) -> Json:
        self._exchange.faults.close_door(params.integer("times") or 1)
        return {"ok": True}

    def _trouble(self, params: Params) -> Json:
        trouble = params.word("kind", Trouble) or Trouble.SILENCE
        seconds, status = params.integer("seconds"), params.integer("status")
        if status is not None and not 400 <= status <= 599:
            raise ValueError("status must be one of an error, 400 to 599")
        planned = Planned(
            trouble=trouble,
            endpoint=params.text("endpoint") or "",
            seconds=15 if seconds is None else seconds,
            captcha=params.flag("captcha"),
            status=status or 500,
            reason=params.word("reason", RejectReason) or RejectReason.UNKNOWN_REASON,
            text=params.text("text", 200) or "Refused by the operator",
        )
        self._exchange.faults.plan(self._user(params).id, planned, params.integer("times") or 1)
        return {"ok": True}

    def _reject(self, params: Params) -> Json:
        reason = params.word("reason", RejectReason) or RejectReason.OTHER_EXECUTION_RELATED
        text = params.text("text", 200) or "Rejected by the operator"
        queue = self._exchange.state.next_rejects[self._account(params).id]
        queue.extend([(reason, text)] * (params.integer("times") or 1))
        return {"ok": True}

    def _fills(self, params: Params) -> Json:
        parts = params.integers("parts") or []
        if any(part < 0 for part in parts):
            raise ValueError("parts must not be negative")
        self._exchange.state.next_parts[self._account(params).id].append(tuple(parts))
        return {"ok": True}

    def _race(self, params: Params) -> Json:
        delay = params.integer("milliseconds")
        races = self._exchange.state.races[self._account(params).id]
        races.extend(
            [timedelta(milliseconds=1000 if delay is None else delay)] * (params.integer("times") or 1)
        )
        return {"ok": True}

    def _price(self, params: Params) -> Json:
        listing = self._exchange.state.catalogue.find(params.text("symbol") or "")
        price = params.decimal("price")
        ticks = listing.spec.ticks(price) if listing and price is not None else None
        if listing is None or ticks is None:
            raise ValueError("symbol must name a contract and price must be on its tick")
        spread, size = params.integer("spread") or 0, params.integer("size")
        self._exchange.set_price(listing.id, ticks, spread=spread, size=_LARGE if size is None else size)
        return {"ok": True, "contractId": listing.id}

    def _market(self, params: Params) -> Json:
        self._exchange.floor.paused = params.flag("paused", True)
        return {"paused": self._exchange.floor.paused}

    def _events(self, params: Params) -> Json:
        mischief = params.word("kind", Mischief) or Mischief.MISS
        seconds = (params.integer("milliseconds") or 0) / 1000
        times = params.integer("times")
        self._exchange.faults.disturb(
            self._user(params).id, mischief, 1 if times is None else times, seconds=seconds
        )
        return {"ok": True}

    def _evict(self, params: Params) -> Json:
        connections = self._exchange.hub.of_user(self._user(params).id)
        for session_id in {item.caller.session_id for item in connections if item.caller}:
            self._exchange.evict(session_id)
        return {"closed": len(connections)}

    def _shutdown(self, params: Params) -> Json:
        connections = self._exchange.hub.of_user(self._user(params).id)
        for connection in connections:
            connection.say_goodbye(params.text("reasonCode") or "Maintenance")
        return {"closed": len(connections)}

    def _log(self, params: Params) -> Json:
        account = self._account(params).id if params.raw("account") else None
        user = self._user(params).id if params.raw("login") else None
        entries = self._exchange.logbook.since(params.integer("since") or 0, account_id=account, user_id=user)
        return {"entries": entries}

    def _rules(self, params: Params) -> Json:
        account, name = self._account(params), params.text("ruleSet")
        if name is not None:
            self._exchange.govern(account, name)
        standing = self._exchange.state.records.get(Evaluation, account.id)
        return {"standing": to_wire(standing) if standing else None}

    def _user(self, params: Params) -> User:
        name, number = params.text("login"), params.integer("userId")
        users = self._exchange.state.records.all(User)
        found = next((user for user in users if user.id == number or user.name == name), None)
        if found is None:
            raise ValueError("login must name a user that has logged in")
        return found

    def _account(self, params: Params) -> Account:
        found = self._exchange.state.account(params.integer("accountId"), params.text("account"))
        if found is None:
            raise ValueError("account must name an account that has been opened")
        return found
