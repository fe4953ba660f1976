"""Prove that the audit trail is whole: from the database, or offline from a file that was exported before."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncgroups.core.seal import Sealed, first_break
from syncgroups.services import audit
from tradehaven.domain.ids import OwnerId


class Command(BaseCommand):
    """Exits with 1 where a record was changed, taken out or never written."""

    help = "Verify the sealed audit trail of all owners, of one, or of an exported file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", type=int, help="only this owner's trail")
        parser.add_argument("--export", type=Path, help="write the trail of --owner to this file")
        parser.add_argument("--file", type=Path, help="verify an exported file; needs no database")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["file"]:
            self._say(str(options["file"]), list(_read(options["file"])))
            return
        if options["export"] and options["owner"] is None:
            raise CommandError("--export needs --owner: a file holds one owner's trail")
        owners = [options["owner"]] if options["owner"] is not None else audit.owners()
        for owner in owners:
            chain = list(audit.chain_of(OwnerId(owner)))
            if options["export"]:
                _write(options["export"], chain)
            self._say(f"owner {owner}", chain)
            missing = audit.unexplained(OwnerId(owner))
            if missing:
                raise CommandError(f"owner {owner}: no decision is on record for {', '.join(missing[:10])}")

    def _say(self, whose: str, chain: list[Sealed]) -> None:
        broken = first_break(chain)
        if broken is not None:
            raise CommandError(f"{whose}: broken at record {broken.number}: {broken.why}")
        newest = chain[-1].seal if chain else "none"
        self.stdout.write(f"{whose}: {len(chain)} records hold, newest seal {newest}")


def _write(path: Path, chain: list[Sealed]) -> None:
    lines = (json.dumps({"number": row.number, "body": row.body, "seal": row.seal}) for row in chain)
    path.write_text("\n".join(lines) + "\n")


def _read(path: Path) -> Iterator[Sealed]:
    try:
        for line in path.read_text().splitlines():
            row = json.loads(line)
            yield Sealed(number=int(row["number"]), body=str(row["body"]), seal=str(row["seal"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is not an exported trail: {error}") from error
