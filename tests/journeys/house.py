"""A house for journeys: an exchange and an engine as processes, an owner with logins, hands to trade with.

The market stands still and nothing is random, so a test decides what trades. What followers hold is read
from the exchange, never from the engine.
"""

import atexit
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import requests
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import call_command
from django.db import connections as databases
from django.test import override_settings
from django.utils import timezone

from accounts.core.plans import Plan
from accounts.models import Subscription, User
from brokers.models import Account
from brokers.paper.services import ensure_login, register_client
from brokers.services import consents
from brokers.services.stamps import touch
from risk.core.rules import Rules
from risk.core.written import written
from risk.models import RuleBook
from risk.services.gates import ensure_account_risk
from syncgroups.models import SyncGroup
from syncgroups.services import groups, logins
from syncgroups.services.groups import FollowerSettings, GroupSettings
from tradehaven.domain.enums import Environment
from tradehaven.settings import base

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Journey-password-1"
OPERATOR = "journey-operator"
TIMEOUT = 10
SYMBOL = "ESZ6"
PRICE = "5050.00"


def wait_until(found: Callable[[], Any], what: str, seconds: float = 15) -> Any:
    """Wait until something is true and return it; fail with its name."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} seconds: {what}")


class Hand:
    """A person at the exchange: places, changes and cancels orders of one login's accounts by REST."""

    def __init__(self, base: str, login: str) -> None:
        self._base = base
        self._session = requests.Session()
        body = {"name": login, "password": PASSWORD}
        answer = self.post("auth/accesstokenrequest", body)
        self._session.headers["Authorization"] = f"Bearer {answer['accessToken']}"
        self.accounts = {found["name"]: found["id"] for found in self.get("account/list")}

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post and return the answer."""
        return self._session.post(f"{self._base}/{path}", json=body, timeout=TIMEOUT).json()

    def get(self, path: str, **query: Any) -> Any:
        """Read and return the answer."""
        return self._session.get(f"{self._base}/{path}", params=query, timeout=TIMEOUT).json()

    def place(self, account: str, action: str, qty: int, order_type: str = "Market", **more: Any) -> Any:
        """Place an order; return the whole answer."""
        body = {"accountSpec": account, "accountId": self.accounts[account], "action": action}
        body |= {"symbol": more.pop("symbol", SYMBOL), "orderQty": qty, "orderType": order_type}
        return self.post("order/placeorder", body | more)

    def order(self, account: str, action: str, qty: int, order_type: str = "Market", **more: Any) -> int:
        """Place an order that must be taken; return its number."""
        answer = self.place(account, action, qty, order_type, **more)
        assert "orderId" in answer, answer
        return int(answer["orderId"])

    def change(self, order: int, qty: int, order_type: str, **prices: Any) -> None:
        """Change an order that must be changeable."""
        answer = self.post(
            "order/modifyorder", {"orderId": order, "orderQty": qty, "orderType": order_type, **prices}
        )
        assert "commandId" in answer, answer

    def cancel(self, order: int) -> None:
        """Cancel an order that must still be there."""
        answer = self.post("order/cancelorder", {"orderId": order})
        assert "commandId" in answer, answer

    def net(self, account: str) -> int:
        """Return the net position of an account over all contracts."""
        mine = self.accounts[account]
        return sum(row["netPos"] for row in self.get("position/list") if row["accountId"] == mine)

    def working(self, account: str) -> list[dict[str, Any]]:
        """Return the working orders of an account, each with its parameters in force."""
        mine = self.accounts[account]
        orders = [row for row in self.get("order/list") if row["accountId"] == mine]
        alive = [row for row in orders if row["ordStatus"] == "Working"]
        versions = self.get("orderVersion/list")
        latest = {row["orderId"]: row for row in sorted(versions, key=lambda row: row["id"])}
        return [latest[row["id"]] | row for row in alive]

    def accepted(self, account: str) -> int:
        """Return how many orders an account has ever placed this session."""
        return len([row for row in self.get("order/list") if row["accountId"] == self.accounts[account]])


@dataclass
class House:
    """The processes and the people."""

    base: str
    surroundings: dict[str, str]
    paper: "subprocess.Popen[bytes]"
    engine: "subprocess.Popen[bytes] | None" = None
    owner: User = field(default_factory=User)
    hands: dict[str, Hand] = field(default_factory=dict)

    def operator(self, command: str, **body: Any) -> Any:
        """Let the exchange's operator do something."""
        url = f"{self.base.removesuffix('/v1')}/operator/{command}"
        answer = requests.post(url, json=body, headers={"X-Operator-Token": OPERATOR}, timeout=TIMEOUT)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def price(self, price: str, symbol: str = SYMBOL, size: int = 10_000) -> None:
        """Set a contract's price; orders that it touches trade."""
        self.operator("price", symbol=symbol, price=price, size=size)

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the exchange's own log behind an entry."""
        return list(self.operator("log", since=since)["entries"])

    def connect(self, login: str, accounts: list[str]) -> Hand:
        """Make a login at the exchange and bring it in through the consent page."""
        balances = [(account, Decimal(1_000_000)) for account in accounts]
        ensure_login(name=login, password=PASSWORD, accounts=balances)
        address, state = consents.begin_connect(self.owner, Environment.PAPER)
        form = {"name": login, "password": PASSWORD, "decision": "allow"}
        answer = requests.post(address, data=form, allow_redirects=False, timeout=TIMEOUT)
        assert "Location" in answer.headers, answer.text
        code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
        logins.finish_connect(self.owner, state, code)
        self.hands[login] = Hand(self.base, login)
        return self.hands[login]

    def group(self, leader: str, followers: Mapping[str, FollowerSettings], **more: Any) -> SyncGroup:
        """Make a running group."""
        found = {account.name: account for account in Account.objects.filter(connection__owner=self.owner)}
        chosen = GroupSettings(name=leader, **more)
        group = groups.create_group(self.owner, leader=found[leader], settings=chosen)
        for name, size in followers.items():
            groups.set_follower(group, account=found[name], settings=size)
        groups.activate(group)
        return group

    def set_rules(self, name: str, rules: Rules) -> None:
        """Give an account rules that hold at once, also where that loosens them, and wait for the engine."""
        account = Account.objects.get(connection__owner=self.owner, name=name)
        book = ensure_account_risk(account, self.owner.pk).book
        RuleBook.objects.filter(pk=book.pk).update(rules=written(rules), later=None, later_at=None)
        touch(self.owner.pk)
        time.sleep(1.2)

    def start_engine(self, *, wait: bool = True, seconds: float = 30) -> "subprocess.Popen[bytes]":
        """Start an engine and wait until every login is up."""
        started = timezone.now()
        self.engine = self._manage("run_engine")
        if wait:
            self.wait_for_links(since=started, seconds=seconds)
        return self.engine

    def wait_for_links(self, since: datetime | None = None, seconds: float = 30) -> None:
        """Wait until the engine has every login's snapshot on record.

        A new engine first records what the last one left in its journal, and that may say "up" as well:
        `since` leaves such old news out.
        """
        rows = self.owner.connections.filter(link_up=True)
        fresh = rows.filter(link_changed_at__gte=since) if since is not None else rows
        total = self.owner.connections.count()
        wait_until(lambda: fresh.all().count() == total, "all links up", seconds)
        time.sleep(0.3)  # the settings of a group that was just made reach the engine within this

    def open_exchange(self, price: str = PRICE) -> None:
        """Start the exchange, with a market that stands still at a price."""
        self.paper = self._manage("run_paper_exchange")
        wait_until(lambda: _answers(self.base), "the exchange is up", 30)
        self.operator("market", paused=True)
        self.price(price)

    def kill_engine(self) -> None:
        """Kill the engine as a crash would: no word, no drain."""
        if self.engine is not None:
            self.engine.send_signal(signal.SIGKILL)
            self.engine.wait(10)
        self.owner.connections.update(link_up=False)

    def stop_engine(self) -> float:
        """Ask the engine to leave; return how long that took."""
        if self.engine is None:
            return 0.0
        began = time.monotonic()
        self.engine.send_signal(signal.SIGTERM)
        self.engine.wait(20)
        self.engine = None
        return time.monotonic() - began

    def _manage(self, *command: str) -> "subprocess.Popen[bytes]":
        return self.start("manage.py", *command)

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a process of the product; its output goes to a file in the data folder."""
        log = Path(self.surroundings["DATA_DIR"]) / f"{command[1].rpartition('/')[2]}.log"
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.surroundings,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


def _surroundings(folder: Path, port: int) -> dict[str, str]:
    database = databases["default"].settings_dict
    where = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return dict(os.environ) | {
        "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{where}",
        "DJANGO_SETTINGS_MODULE": "tradehaven.settings.dev",
        "DATA_DIR": str(folder),
        "PAPER_PORT": str(port),
        "PAPER_URL": f"http://127.0.0.1:{port}",
        "PAPER_CLIENT_SECRET": "journey-secret",
        "PAPER_OPERATOR_TOKEN": OPERATOR,
        "PAPER_LATENCY_MS": "0",
        "PAPER_SLIPPAGE_TICKS": "0",
    }


@contextmanager
def own_database() -> Iterator[None]:
    """Give the journey a database of its own, which its processes see as well; the tests' one rolls back."""
    default = databases["default"]
    name, before = f"journey_{secrets.token_hex(4)}", default.settings_dict["NAME"]
    _maintain(default, f"create database {name} template {_template()}")
    default.close()
    default.settings_dict["NAME"] = name
    try:
        yield
    finally:
        default.close()
        default.settings_dict["NAME"] = before
        _maintain(default, f"drop database {name} with (force)")


@cache
def _template() -> str:
    """Return the name of a database with all tables and no rows, made once for all journeys of a run.

    The tests' own database is that already; on a server of a story's own the tables are made anew.
    """
    default = databases["default"]
    name, before = f"journeys_{secrets.token_hex(4)}", default.settings_dict["NAME"]
    default.close()
    if before.startswith("test_"):
        _maintain(default, f"create database {name} template {before}")
    else:
        _maintain(default, f"create database {name}")
        default.settings_dict["NAME"] = name
        try:
            call_command("migrate", verbosity=0)
        finally:
            default.close()
            default.settings_dict["NAME"] = before
    atexit.register(_maintain, default, f"drop database if exists {name} with (force)")
    return name


def forget_template() -> None:
    """Make the next journey's tables anew: it has another server."""
    _template.cache_clear()


def forget_connection() -> None:
    """Let the next query of this context open its connection anew.

    A browser's driver has a context of its own, and with it a connection, which may be that of an earlier
    test to the tests' database.
    """
    databases["default"].close()


@contextmanager
def database_away() -> Iterator[None]:
    """Let nobody reach the journey's database, nor keep what was reached; the exchange suffers as well."""
    default = databases["default"]
    name = default.settings_dict["NAME"]
    default.close()
    with open_maintenance(default) as maintenance:
        maintenance.execute(f"alter database {name} allow_connections false")
        asked = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
        maintenance.execute(asked, [name])
        try:
            yield
        finally:
            maintenance.execute(f"alter database {name} allow_connections true")


def _maintain(default: Any, statement: str) -> None:
    with open_maintenance(default) as connection:
        connection.execute(statement)


def open_maintenance(default: Any) -> "psycopg.Connection[Any]":
    """Return a connection to the server that stands beside the journey's database."""
    parameters = default.get_connection_params() | {"dbname": "postgres"}
    for ours in ("cursor_factory", "context"):
        parameters.pop(ours, None)
    return psycopg.connect(**parameters, autocommit=True)


@contextmanager
def open_house(folder: Path, port: int, **more: str) -> Iterator[House]:
    """Run an exchange for a connected owner, in a database of its own; the engine is the test's to start."""
    with own_database():
        yield from _opened(folder, port, more)


def _opened(folder: Path, port: int, more: Mapping[str, str]) -> Iterator[House]:
    surroundings = _surroundings(folder, port) | dict(more)
    place = settings.BROKERS["paper"]
    saved = dict(place)
    url = surroundings["PAPER_URL"]
    place |= {
        "rest_url": f"{url}/v1",
        "token_url": f"{url}/v1/auth/oauthtoken",
        "authorize_url": f"{url}/oauth",
    }
    place["client_secret"] = surroundings["PAPER_CLIENT_SECRET"]
    house = House(f"http://127.0.0.1:{port}/v1", surroundings, paper=None)  # type: ignore[arg-type]
    # The processes read passwords as the product does; the tests' fast hashes mean nothing to them.
    hashers = override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS)
    hashers.enable()
    try:
        house.open_exchange()
        house.owner = User.objects.create_user("journey@example.org", PASSWORD)
        EmailAddress.objects.create(user=house.owner, email=house.owner.email, verified=True, primary=True)
        Subscription.objects.create(owner=house.owner, plan=Plan.ENTERPRISE)
        callback = f"{settings.SITE_URL}/settings/connections/callback/"
        register_client(
            client_id="tradehaven",
            client_secret="journey-secret",
            redirect_uris=[callback],
            name="TradeHaven",
        )
        yield house
    finally:
        place.update(saved)
        hashers.disable()
        house.stop_engine()
        if house.paper is not None:
            house.paper.terminate()
            house.paper.wait(10)


def _answers(base: str) -> bool:
    try:
        return requests.get(f"{base}/auth/me", timeout=1).status_code == 401
    except requests.RequestException:
        return False
