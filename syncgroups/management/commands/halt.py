"""`manage.py halt`: the kill switch from a shell. Every engine's own door first, then the rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError
from django.http import Http404

from accounts.selectors.people import person_of
from risk.services.gates import ensure_owner_gate
from risk.services.presses import press_of
from syncgroups.selectors.spans import reach_of
from syncgroups.services import batch
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState
from tradehaven.domain.enums import Span
from tradehaven.domain.errors import InvalidInput

SCOPES = (Span.ACCOUNT, Span.GROUP, Span.TAG, Span.FOLDER)


class Command(BaseCommand):
    """Stops copying for a person, or for one of their accounts, groups or labels."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []  # every second counts

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose copying stops, and for what."""
        parser.add_argument("owner", nargs="?", help="the address with which the person logs in")
        chosen = parser.add_mutually_exclusive_group()
        for span in SCOPES:
            chosen.add_argument(f"--{span}", help=f"only this {span}; everything otherwise")
        parser.add_argument("--flatten", action="store_true", help="cancel and close, until flat")
        parser.add_argument("--reason", default="", help="for the log")
        parser.add_argument("--owner-id", type=int, help="without a database: the person's number")
        parser.add_argument("--gate", type=int, action="append", help="without a database: a gate's number")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Tell the engines, write the rows, and say what each engine answered."""
        if options["gate"]:
            heard, text = self._without_rows(options)
        else:
            heard, text = self._with_rows(options)
        for word in heard:
            self.stdout.write(f"{word.engine}: {word.state}, {len(word.in_flight)} orders on their way")
        if not heard:
            self.stdout.write("no engine was reached: each finds it in the rows before it sends anything")
        self.stdout.write(text)

    def _with_rows(self, options: dict[str, Any]) -> tuple[tuple[Heard, ...], str]:
        span = next((span for span in SCOPES if options[span]), Span.EVERYTHING)
        try:
            owner = person_of(options["owner"] or "")
            if owner is None:
                raise CommandError(f"nobody logs in with {options['owner']}")
            ensure_owner_gate(owner.pk)
            reach = reach_of(owner, span, options[span] if span in SCOPES else "")
            halt = batch.stop(reach, by=owner, reason=options["reason"], flatten=options["flatten"])
        except Http404:
            raise CommandError(f"there is no such {span}") from None
        except InvalidInput as error:
            raise CommandError(error.message) from None
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"the database is away; name --owner-id and --gate: {error}") from error
        return halt.heard, f"the kill switch is on for {reach.name}"

    def _without_rows(self, options: dict[str, Any]) -> tuple[tuple[Heard, ...], str]:
        if not options["owner_id"]:
            raise CommandError("--gate needs --owner-id")
        press = press_of(
            owner=options["owner_id"],
            gates=options["gate"],
            by=None,
            reason=options["reason"],
            flatten=options["flatten"],
        )
        heard = direct.tell(press)
        if not any(word.state is not HeardState.SILENT for word in heard):
            raise CommandError("no engine was reached, and nothing was written down")
        return heard, "the rows follow when an engine reaches the database"
