"""What a person's act is about: the gates and accounts behind an account, a group, a label or everything."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404

from accounts.models import User
from brokers.models import Account
from brokers.selectors import account_for, accounts_of
from risk.models import Gate
from risk.selectors import owner_gate
from syncgroups.selectors import group_for
from syncgroups.selectors.live_money import group_is_live
from tradehaven.domain.enums import Environment, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The gates that an act turns, the accounts that it is about, and whether live money takes part.

    A group's act is about its followers; its leader's own trades are nobody's business but his.
    """

    name: str
    gates: tuple[Gate, ...]
    accounts: tuple[Account, ...]
    holds_live: bool


def reach_of(user: User, span: Span, subject: str) -> Reach:
    """Return what one of a person's spans reaches; raise `Http404` where there is nothing of theirs.

    `subject` is an account's number, a group's public id, a tag or a folder, and nothing for everything.
    """
    match span:
        case Span.ACCOUNT:
            account = account_for(user, _number(subject))
            return _of_accounts(f"account {account}", (account,))
        case Span.GROUP:
            group = group_for(user, subject)
            behind = tuple(accounts_of(user).filter(follows__group=group).order_by("name"))
            live = group_is_live(group)
            return Reach(name=f"group {group}", gates=(group.gate,), accounts=behind, holds_live=live)
        case Span.TAG:
            return _labelled(user, span, subject, Q(tags__text=subject))
        case Span.FOLDER:
            return _labelled(user, span, subject, Q(folder=subject))
        case Span.EVERYTHING:
            gate, found = owner_gate(user), tuple(accounts_of(user).order_by("name"))
            gates = (gate,) if gate is not None else ()
            return Reach(name="everything", gates=gates, accounts=found, holds_live=_holds_live(found))


def _number(subject: str) -> int:
    if not (subject.isascii() and subject.isdecimal() and len(subject) < 19):
        raise Http404
    return int(subject)


def _labelled(user: User, span: Span, subject: str, labels: Q) -> Reach:
    found = tuple(accounts_of(user).filter(labels).distinct().order_by("name"))
    if not subject or not found:  # no label at all is not a label
        raise Http404
    return _of_accounts(f"{span} {subject}", found)


def _of_accounts(name: str, accounts: tuple[Account, ...]) -> Reach:
    gates = Gate.objects.filter(account_risk__account__in=accounts).order_by("pk")
    return Reach(name=name, gates=tuple(gates), accounts=accounts, holds_live=_holds_live(accounts))


def _holds_live(accounts: tuple[Account, ...]) -> bool:
    return any(account.connection.environment == Environment.LIVE for account in accounts)
