"""`manage.py run_paper_exchange`: arguments, then the exchange's own process."""

import asyncio
import json
from argparse import ArgumentParser
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from brokers.paper.config import options
from brokers.paper.django_store import DjangoStore
from brokers.paper.process import run
from brokers.paper.services import ensure_login, register_client


class Command(BaseCommand):
    """Serves the paper exchange until it is told to stop."""

    help = "Run the paper exchange: Tradovate's REST, WebSocket and OAuth on one port."
    requires_system_checks: list[str] = []  # the release runs them; a start after a crash must be quick

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host")
        parser.add_argument("--port", type=int)
        parser.add_argument("--seed", type=int)
        parser.add_argument("--latency", dest="latency_ms", help="milliseconds, such as 50-200 or 0")
        parser.add_argument("--slippage", dest="slippage_ticks", help="ticks, such as 0-2 or 0")
        parser.add_argument("--commission", help="USD a side and contract")
        hours = parser.add_mutually_exclusive_group()
        hours.add_argument("--hours", choices=("always", "cme"))
        hours.add_argument("--always-open", dest="hours", action="store_const", const="always")
        parser.add_argument("--limits", choices=("none", "real"), help="rate limits and endpoint quotas")
        parser.add_argument("--replay", dest="data_file", help="recorded trades, .csv or .csv.gz")
        parser.add_argument("--speed", type=float, help="how fast the recording runs, 1 is real time")
        parser.add_argument("--symbol", help="the contract that the recording is played on, such as GCZ6")
        parser.add_argument("--fixture", type=Path, help="JSON file of logins and clients to make sure of")

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            chosen = options(given)
        except ValueError as error:
            raise CommandError(str(error)) from error
        if given["fixture"]:
            self._load(json.loads(given["fixture"].read_text(encoding="utf-8")))
        asyncio.run(run(chosen, DjangoStore()))

    def _load(self, fixture: dict[str, Any]) -> None:
        for login in fixture.get("logins", []):
            accounts = [(item["name"], Decimal(str(item["balance"]))) for item in login["accounts"]]
            rules = {item["name"]: item["ruleSet"] for item in login["accounts"] if "ruleSet" in item}
            ensure_login(name=login["name"], password=login["password"], accounts=accounts, rule_sets=rules)
        for client in fixture.get("clients", []):
            register_client(**client)
