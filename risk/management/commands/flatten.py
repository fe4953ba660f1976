"""`manage.py flatten`: the way out when no engine runs; over REST, until the broker says flat."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.selectors.people import person_of
from brokers.selectors import accounts_of, serves
from brokers.services.byhand import accesses_of
from risk.services.byhand import Left, flatten_all
from tradehaven.domain.ids import OwnerId


class Command(BaseCommand):
    """Makes a person's accounts flat without an engine. It does not stop copying: `manage.py halt` does."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []  # every second counts

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose accounts, which of them, and how long to go on."""
        parser.add_argument("owner", help="the address with which the person logs in")
        parser.add_argument("--account", type=int, action="append", help="an account's number; all otherwise")
        parser.add_argument("--looks", type=int, default=20, help="looks at the broker's lists, 3 s apart")
        parser.add_argument("--anyway", action="store_true", help="although an engine leads these accounts")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Flatten, saying each step; fail with what is left."""
        owner = person_of(options["owner"])
        if owner is None:
            raise CommandError(f"nobody logs in with {options['owner']}")
        accounts = accounts_of(owner)
        if options["account"]:
            accounts = accounts.filter(pk__in=options["account"])
        if not options["anyway"] and serves(OwnerId(owner.pk), timezone.now()):
            raise CommandError(
                "an engine leads these accounts: use `manage.py halt --flatten`, or say --anyway"
            )
        accesses, lost = accesses_of(accounts)
        left = flatten_all(accesses, say=self.stdout.write, pause=time.sleep, looks=options["looks"])
        left.unseen += lost
        if left:
            raise CommandError("\n".join(["not flat:", *_lines(left)]))
        self.stdout.write(f"{accounts.count()} accounts: the broker says flat")


def _lines(left: Left) -> list[str]:
    held = [
        f"  {login} {account}: {len(standing.working)} orders, "
        + (
            ", ".join(f"{net:+d} of {contract}" for contract, net in standing.positions.items())
            or "no position"
        )
        for (login, account), standing in left.standing.items()
    ]
    return held + [f"  {login}: cannot be seen; close it at the broker" for login in left.unseen]
