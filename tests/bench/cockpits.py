"""`python -m tests.bench.cockpits`: many open cockpits on one web process, from commit to browser's socket.

Every page belongs to somebody else and holds a position. Prices come to all of them; now and then a line of
the log comes to some. Run it with services of its own: `python3 -m launcher exec -m tests.bench.cockpits`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import django

from launcher.net import free_port, is_answering

if TYPE_CHECKING:
    from accounts.models import User

BASE = 20_001
"""Ticks at which every page's two contracts were bought."""
GAP = 0.3
"""Seconds between two prices: just longer than a page's own pause, so that none is merged into the next."""


@dataclass
class Heard:
    """What came to the pages: seconds from commit to socket, of prices and of lines."""

    prices: list[float] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)
    messages: int = 0
    bytes: int = 0
    committed: dict[str, float] = field(default_factory=dict)

    def take(self, text: str) -> None:
        """Count a message, and find out which commit it answers."""
        now = time.monotonic()
        self.messages += 1
        self.bytes += len(text)
        for frame in json.loads(text)["frames"]:
            if frame["kind"] == "tick_update" and "sum.open" in frame["cells"]:
                began = self.committed.get(frame["cells"]["sum.open"][0])
                if began is not None:
                    self.prices.append(now - began)
            elif frame["kind"] == "order_event":
                self.lines.append(now - self.committed[frame["text"]])


def people(count: int) -> list[tuple["User", str]]:
    """Return persons with an account that is two contracts long, and the sessions in which they are."""
    from django.conf import settings
    from django.test import Client

    from accounts.models import User
    from brokers.tests.factories import AccountFactory, ConnectionFactory, PositionFactory

    User.objects.filter(email__startswith="cockpit-").delete()
    found = []
    for number in range(count):
        user = User.objects.create(email=f"cockpit-{number}@example.org", password="!")
        account = AccountFactory.create(connection=ConnectionFactory.create(owner=user))
        PositionFactory.create(account=account, price=Decimal(BASE) / 4)
        browser = Client()
        browser.force_login(user)
        found.append((user, browser.cookies[settings.SESSION_COOKIE_NAME].value))
    return found


def say_price(heard: Heard, step: int) -> None:
    """Commit a price, and remember when, under what the pages will show."""
    from django.db import transaction

    from brokers.services.quotes import record_prices
    from brokers.tests.prices import price
    from tradehaven.domain.enums import Environment
    from tradehaven.templatetags.figures import gain

    with transaction.atomic():
        record_prices(Environment.PAPER, [price("ESZ6", bid=BASE + step)])
        heard.committed[gain(Decimal(25) * step)] = time.monotonic()


def say_line(heard: Heard, user: "User", text: str) -> None:
    """Commit a line of somebody's log, as the recorder does with a fill."""
    from django.db import transaction

    from syncgroups.models import ActivityKind, Severity
    from syncgroups.services.activity import note

    with transaction.atomic():
        note(user.pk, ActivityKind.COPY_FILLED, text, severity=Severity.GOOD)
        heard.committed[text] = time.monotonic()


async def listen(
    session: aiohttp.ClientSession, port: int, cookie: str, heard: Heard, ready: list[int]
) -> None:
    """Keep one page open."""
    address = f"http://127.0.0.1:{port}"
    headers = {"Cookie": f"sessionid={cookie}", "Origin": address}
    async with session.ws_connect(
        f"http://127.0.0.1:{port}/ws/live/", headers=headers, max_msg_size=0
    ) as page:
        await page.receive_str()
        ready.append(1)
        async for message in page:
            heard.take(message.data)


async def watch(
    port: int, owners: Sequence[tuple["User", str]], seconds: float, web: Any
) -> dict[str, float]:
    """Open all pages, let things happen, and return what was measured."""
    heard, ready = Heard(), list[int]()
    hand = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.monotonic()
        pages = [asyncio.create_task(listen(session, port, cookie, heard, ready)) for _, cookie in owners]
        while len(ready) < len(owners) and time.monotonic() < began + 300:
            await asyncio.sleep(0.1)
        opened = time.monotonic() - began
        await asyncio.sleep(3)
        heard.messages = heard.bytes = 0
        began, used = time.monotonic(), cpu(web.pid)
        step = 0
        while time.monotonic() < began + seconds:
            step += 1
            at = time.monotonic()
            await loop.run_in_executor(hand, say_price, heard, step)
            user = owners[step * 7 % len(owners)][0]
            await loop.run_in_executor(hand, say_line, heard, user, f"line {step}")
            await asyncio.sleep(max(0.0, GAP - (time.monotonic() - at)))
        took, used = time.monotonic() - began, cpu(web.pid) - used
        await asyncio.sleep(2)
        for page in pages:
            page.cancel()
        await asyncio.gather(*pages, return_exceptions=True)
    return {
        "pages": len(owners),
        "pages ready after, s": opened,
        "messages a second": heard.messages / took,
        "kilobytes a second": heard.bytes / took / 1000,
        "price, median ms": _at(heard.prices, 0.5),
        "price, 99th ms": _at(heard.prices, 0.99),
        "prices that arrived, %": 100 * len(heard.prices) / (step * len(owners)),
        "line, median ms": _at(heard.lines, 0.5),
        "line, 99th ms": _at(heard.lines, 0.99),
        "web process, % of a core": 100 * used / took,
    }


def _at(values: list[float], share: float) -> float:
    if not values:
        return float("nan")
    return 1000 * statistics.quantiles(values, n=100)[round(share * 100) - 1]


def cpu(process: int) -> float:
    """Return the seconds of a core that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str]) -> None:
    """Measure, and print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args(arguments)
    port = free_port()
    # The tests' settings keep live messages in the process; here they travel.
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tradehaven.settings.dev",
        "SITE_URL": f"http://127.0.0.1:{port}",
    }
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    owners = people(chosen.pages)
    daphne = [sys.executable, "-m", "daphne", "-v0", "-b", "127.0.0.1", "-p", str(port)]
    web = subprocess.Popen([*daphne, "tradehaven.asgi:application"])
    try:
        while not is_answering(port):
            time.sleep(0.1)
        for name, figure in asyncio.run(watch(port, owners, chosen.seconds, web)).items():
            sys.stdout.write(f"{name:<28} {figure:10.1f}\n")
    finally:
        web.terminate()
        web.wait(10)
        for user, _ in owners:
            user.delete()


if __name__ == "__main__":
    main(sys.argv[1:])
