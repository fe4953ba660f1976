"""Folders and tags that people put on their accounts (CONN-09). They change nothing about copying."""

from collections.abc import Iterable, Mapping

from django.db import transaction

from brokers.models import Account, AccountTag, TagKind
from brokers.services.stamps import tell_pages
from tradehaven.domain.errors import InvalidInput

LONGEST_FOLDER = 40
LONGEST_TAG = 32
MOST_TAGS = 12


@transaction.atomic
def label_account(account: Account, *, folder: str, tags: Mapping[TagKind, Iterable[str]]) -> None:
    """Replace an account's folder and tags; raise `InvalidInput` naming the one that is too long."""
    folder = folder.strip()
    if len(folder) > LONGEST_FOLDER:
        raise InvalidInput("folder", f"A folder's name has at most {LONGEST_FOLDER} characters.")
    wanted = {(kind, text) for kind, texts in tags.items() for text in _clean(kind, texts)}
    if len(wanted) > MOST_TAGS:
        raise InvalidInput("other", f"An account has at most {MOST_TAGS} tags; these are {len(wanted)}.")
    row = Account.objects.select_for_update().get(pk=account.pk)
    row.folder = folder
    row.save(update_fields=["folder"])
    row.tags.all().delete()
    AccountTag.objects.bulk_create(
        [AccountTag(account=row, kind=kind, text=text) for kind, text in sorted(wanted)]
    )
    tell_pages(row.connection.owner_id)


def _clean(kind: TagKind, texts: Iterable[str]) -> set[str]:
    found = {" ".join(text.split()) for text in texts}
    for text in found:
        if len(text) > LONGEST_TAG:
            raise InvalidInput(kind, f"A tag has at most {LONGEST_TAG} characters: “{text[:20]}…” is longer.")
    return found - {""}
