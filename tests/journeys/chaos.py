"""Trouble for real processes, by a seed: a leader trades while engine, exchange, line and database fail."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import requests
from django.db import connection as database

from brokers.models import ConnectionStatus
from syncgroups.core.copies import OPEN_STATES
from syncgroups.models import CopiedOrder
from tests.journeys.house import PRICE, SYMBOL, Hand, House, open_maintenance, wait_until
from tests.journeys.proxy import Proxy
from tests.journeys.servers import Servers

TICK = 0.25
PATIENCE = 60.0
"""Seconds that followers have to come to rest when everything works again."""
ANSWERLESS = (requests.ConnectionError, requests.Timeout)


class Chaos:
    """One story. `actions` and `faults` count what was really done."""

    def __init__(
        self, house: House, proxy: Proxy, chance: Random, *, is_long: bool, servers: Servers | None = None
    ) -> None:
        self.house = house
        self._is_long = is_long
        self._servers = servers
        self.actions: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._proxy = proxy
        self._chance = chance
        self._resting: list[int] = []
        self._price = float(PRICE)

    # -- the leader ---------------------------------------------------------------------------------

    def trade(self) -> None:
        """Let the leader do something; an exchange that is down or in trouble answers as it likes."""
        acts: Mapping[str, Callable[[Hand], None]] = {
            "market": self._market,
            "rest": self._rest,
            "move": self._move,
            "pull": self._pull,
            "leave": self._leave,
            "price": self._walk,
        }
        weights = (5, 3, 3, 2, 1, 3)
        (name,) = self._chance.choices(list(acts), weights)
        try:
            acts[name](self.house.hands["lead"])
        except ANSWERLESS:
            name = "unanswered"
        self.actions[name] += 1

    def _market(self, hand: Hand) -> None:
        hand.place("LEAD", self._side(), self._chance.randint(1, 3))

    def _rest(self, hand: Hand) -> None:
        side, away = self._side(), TICK * self._chance.randint(8, 40)
        kind = self._chance.choice(("Limit", "Stop"))
        sign = -1 if (side == "Buy") == (kind == "Limit") else 1
        member = "price" if kind == "Limit" else "stopPrice"
        answer = hand.place(
            "LEAD", side, self._chance.randint(1, 3), kind, **{member: self._price + sign * away}
        )
        if "orderId" in answer:
            self._resting.append(answer["orderId"])

    def _move(self, hand: Hand) -> None:
        for row in hand.working("LEAD")[:1]:
            member = "price" if "price" in row else "stopPrice"
            body = {"orderId": row["orderId"], "orderType": row["orderType"]}
            body |= {
                "orderQty": row["orderQty"],
                member: row[member] + TICK * self._chance.choice((-2, -1, 1, 2)),
            }
            hand.post("order/modifyorder", body)

    def _pull(self, hand: Hand) -> None:
        if self._resting:
            order = self._resting.pop(self._chance.randrange(len(self._resting)))
            hand.post("order/cancelorder", {"orderId": order})

    def _leave(self, hand: Hand) -> None:
        contract = hand.get("contract/find", name=SYMBOL)["id"]
        body = {"accountId": hand.accounts["LEAD"], "contractId": contract, "admin": False}
        hand.post("order/liquidateposition", body)

    def _walk(self, hand: Hand) -> None:
        self._price += TICK * self._chance.randint(-24, 24)
        self.house.price(f"{self._price:.2f}")

    def _side(self) -> str:
        return self._chance.choice(("Buy", "Sell"))

    # -- trouble ------------------------------------------------------------------------------------

    def fail(self) -> None:
        """Let something go wrong, and be mended as far as nobody mends itself."""
        faults: dict[str, Callable[[], None]] = {
            "engine killed": self._kill_engine,
            "engine frozen": self._freeze_engine,
            "exchange killed": self._kill_exchange,
            "exchange frozen": self._freeze_exchange,
            "black hole": self._black_hole,
            "database away": self._cut_database,
            "sockets dropped": lambda: self._ask("drop"),
            "session evicted": lambda: self._ask("evict"),
            "session shut": lambda: self._ask("shutdown"),
            "events disturbed": self._disturb,
            "answers disturbed": self._trouble,
            "order rejected": self._reject,
        }
        if self._is_long:  # after that the exchange wants a minute's silence
            faults["door closed"] = self._close_door
        if self._servers is not None:
            faults["database restarted"] = self._restart_database
            faults["valkey restarted"] = self._restart_valkey
        name = self._chance.choice(list(faults))
        self.faults[name] += 1
        try:
            faults[name]()
        except ANSWERLESS:
            self.faults["fault refused"] += 1

    def _kill_engine(self) -> None:
        self.house.kill_engine()
        time.sleep(self._chance.uniform(0, 1.5))
        self.house.start_engine(wait=False)

    def _freeze_engine(self) -> None:
        # Long enough for the lease to run out: the engine must notice before it writes anything.
        self._freeze(self.house.engine, self._chance.uniform(0.5, 5))

    def _kill_exchange(self) -> None:
        self.house.paper.kill()
        self.house.paper.wait(10)
        time.sleep(self._chance.uniform(0, 1))
        self.house.open_exchange(price=f"{self._price:.2f}")

    def _freeze_exchange(self) -> None:
        self._freeze(self.house.paper, self._chance.uniform(0.5, 7))

    def _freeze(self, process: "subprocess.Popen[bytes] | None", seconds: float) -> None:
        if process is None:
            return
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGCONT)

    def _black_hole(self) -> None:
        self._proxy.swallow()
        self._during(self._chance.uniform(1, 8))
        self._proxy.heal()

    def _cut_database(self) -> None:
        name = database.settings_dict["NAME"]
        with open_maintenance(database) as maintenance:
            maintenance.execute(f"alter database {name} allow_connections false")
            maintenance.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
            )
            try:
                time.sleep(self._chance.uniform(0.2, 3))
            finally:
                maintenance.execute(f"alter database {name} allow_connections true")
        database.close()

    def _restart_database(self) -> None:
        if self._servers is not None:
            self._servers.restart_database(crash=self._chance.random() < 0.5)

    def _restart_valkey(self) -> None:
        if self._servers is not None:
            self._servers.restart_valkey(crash=self._chance.random() < 0.5)

    def _ask(self, command: str) -> None:
        self.house.operator(command, login=self._login())

    def _close_door(self) -> None:
        self.house.operator("handshakes", times=self._chance.randint(1, 3))
        self._ask("drop")

    def _disturb(self) -> None:
        kind = self._chance.choice(("miss", "duplicate", "reorder", "late"))
        times, wait = self._chance.randint(1, 10), self._chance.randint(50, 1500)
        self.house.operator("events", login=self._login(), kind=kind, times=times, milliseconds=wait)

    def _trouble(self) -> None:
        kind = self._chance.choice(("silence", "lose", "fail", "refuse", "penalty"))
        endpoint = self._chance.choice(("order/placeorder", "order/modifyorder", "order/cancelorder"))
        body: dict[str, Any] = {"kind": kind, "endpoint": endpoint, "seconds": 1}
        self.house.operator("trouble", login="other", times=self._chance.randint(1, 2), **body)

    def _reject(self) -> None:
        account = self._chance.choice(("ONE", "HALF", "TWICE"))
        self.house.operator("reject", account=account, reason="RiskCheckTimeout", text="by chance")

    def _login(self) -> str:
        return self._chance.choice(("lead", "other"))

    def _during(self, seconds: float) -> None:
        """Let the leader go on while something is broken."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.trade()
            time.sleep(self._chance.uniform(0.05, 0.5))

    # -- the end ------------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """Heal everything, let the leader leave the market, and give the engine a minute."""
        wait_until(self._is_linked, "all links up", 120)
        hand = self.house.hands["lead"]
        for row in hand.working("LEAD"):
            hand.post("order/cancelorder", {"orderId": row["orderId"]})
        self._leave(hand)
        wait_until(lambda: hand.net("LEAD") == 0 and not hand.working("LEAD"), "the leader has left")
        end = time.monotonic() + PATIENCE
        while not self._is_quiet() and time.monotonic() < end:  # the laws say what is wrong then, with names
            time.sleep(0.2)

    def _is_linked(self) -> bool:
        """Say whether all logins are up. One whose renewed token was lost on the way needs its owner."""
        rows = self.house.owner.connections.all()
        for row in rows:
            if row.status == ConnectionStatus.DISCONNECTED:
                self.house.connect(row.name, list(self.house.hands[row.name].accounts))
        return all(row.link_up for row in rows)

    def _is_quiet(self) -> bool:
        pairs = (("lead", "ONE"), ("other", "HALF"), ("other", "TWICE"))
        hands = self.house.hands
        empty = all(hands[login].net(name) == 0 and not hands[login].working(name) for login, name in pairs)
        # The exchange is ahead of what the engine was told, and the rows are behind both.
        return empty and not CopiedOrder.objects.filter(state__in=OPEN_STATES).exists()


def run(chaos: Chaos, seconds: float, chance: Random) -> None:
    """Trade and fail until the time is over, then come to rest."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(chance.randint(1, 6)):
            chaos.trade()
            time.sleep(chance.uniform(0.02, 0.4))
        chaos.fail()
    chaos.come_to_rest()
